//! Line charts as SVG. They are read without a script too: each place of the x axis has a title
//! with the values there, and the last values are text beside the chart.

use super::axis::Axis;
use super::plot::{BOTTOM, LEFT, Plot, RIGHT, TOP, WIDTH};
use crate::markup::text;

/// So many colours and dashes the style sheet has.
pub const STYLES: usize = 8;

/// A chart of some series over epochs.
pub struct Chart<'a> {
    pub title: &'a str,
    /// The epochs, in order.
    pub epochs: &'a [u64],
    pub series: Vec<Series>,
    pub axis: Axis,
    /// A value in words, and its unit.
    pub value: fn(f64) -> String,
    pub unit: &'a str,
    /// An epoch that is pointed out.
    pub best: Option<u64>,
}

/// A curve.
pub struct Series {
    pub name: String,
    /// Its values at the epochs of the chart.
    pub values: Vec<Option<f64>>,
}

impl Chart<'_> {
    /// The chart with its heading and its last values.
    pub fn figure(&self) -> String {
        let (Some(&first), Some(&last)) = (self.epochs.first(), self.epochs.last()) else {
            return String::new();
        };
        let plot = Plot {
            across: Axis::of_epochs(first, last),
            up: self.axis.clone(),
            label: "epoch",
            units: ["", self.unit],
        };
        let curve = |(at, series)| self.curve(&plot, at, series);
        let curves: String = self.series.iter().enumerate().map(curve).collect();
        let best = self.best.filter(|best| (first..=last).contains(best));
        let best = best.map(|best| {
            let x = plot.x(best as f64);
            let (anchor, at) = if x > WIDTH / 2.0 { ("end", x - 4.0) } else { ("start", x + 4.0) };
            format!(
                "<path class=\"best\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
                 <text class=\"best\" x=\"{at:.1}\" y=\"18\" text-anchor=\"{anchor}\">best</text>\n"
            )
        });
        let drawn = best.unwrap_or_default() + &curves + &self.places(&plot);
        format!(
            "<figure class=\"chart lines\">\n<figcaption>{}{}</figcaption>\n{}{}</figure>\n",
            text(self.title),
            if self.axis.is_log { " (logarithmic)" } else { "" },
            self.key(last),
            plot.svg(&format!("{} by epoch", self.title), &drawn)
        )
    }

    /// The names of the curves with their last values.
    fn key(&self, last: u64) -> String {
        let entry = |(at, series): (usize, &Series)| {
            let value = series.values.iter().rev().flatten().next().copied();
            format!(
                "<span><i class=\"s{}\"></i>{} <b>{}</b></span>\n",
                at % STYLES,
                text(&series.name),
                text(self.told(value))
            )
        };
        let entries: String = self.series.iter().enumerate().map(entry).collect();
        let all_end = self.series.iter().all(|own| own.values.last().is_some_and(Option::is_some));
        let when = if all_end { format!("epoch {last}") } else { "at the end".to_string() };
        format!("<p class=\"key\"><span class=\"when\">{when}</span>\n{entries}</p>\n")
    }

    fn told(&self, value: Option<f64>) -> String {
        value.map_or("–".to_string(), |value| (self.value)(value) + self.unit)
    }

    /// A line, or a dot where there is one value.
    fn curve(&self, plot: &Plot, at: usize, series: &Series) -> String {
        let values = self.epochs.iter().zip(&series.values);
        let points =
            values.filter_map(|(epoch, value)| Some((plot.x(*epoch as f64), plot.y((*value)?))));
        let points: Vec<(f64, f64)> = points.collect();
        let style = at % STYLES;
        if let [(x, y)] = points[..] {
            return format!("<circle class=\"s{style}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>\n");
        }
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        match points.is_empty() {
            true => String::new(),
            false => format!("<path class=\"s{style}\" d=\"M{}\"/>\n", points.join("L")),
        }
    }

    /// For each epoch an area to point at, with the values there.
    fn places(&self, plot: &Plot) -> String {
        let x = |epoch: u64| plot.x(epoch as f64);
        let mut drawn = String::new();
        for (at, &epoch) in self.epochs.iter().enumerate() {
            let here = x(epoch);
            let edge = |other: Option<&u64>, end| {
                other.map_or(end, |&other| f64::midpoint(here, x(other)))
            };
            let from = edge(at.checked_sub(1).map(|before| &self.epochs[before]), LEFT);
            let width = edge(self.epochs.get(at + 1), RIGHT) - from;
            drawn.push_str(&format!(
                "<g class=\"at\"><rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" \
                 height=\"{}\"/><path d=\"M{here:.1} {TOP}V{BOTTOM}\"/>",
                BOTTOM - TOP
            ));
            let mut title = format!("epoch {epoch}");
            for (style, series) in self.series.iter().enumerate() {
                let value = series.values[at];
                if let Some(value) = value {
                    drawn.push_str(&format!(
                        "<circle class=\"s{}\" cx=\"{here:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                        style % STYLES,
                        plot.y(value)
                    ));
                }
                title.push_str(&format!("\n{}: {}", text(&series.name), text(self.told(value))));
            }
            drawn.push_str(&format!("<title>{title}</title></g>\n"));
        }
        drawn
    }
}
