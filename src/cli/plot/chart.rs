//! Line charts as SVG. They are read without a script too: each place of the x axis has a title
//! with the values there, and the last values are text beside the chart.

use super::axis::Axis;
use super::sheet::Panel;
use super::{BOTTOM, LEFT, Plot, RIGHT, STYLES, TOP, WIDTH};
use crate::markup::text;

/// A chart of some series over epochs.
pub struct Chart {
    pub title: String,
    /// The epochs, in order.
    pub epochs: Vec<u64>,
    pub series: Vec<Series>,
    pub axis: Axis,
    /// A value in words, and its unit.
    pub value: fn(f64) -> String,
    pub unit: &'static str,
    /// An epoch that is pointed out.
    pub best: Option<u64>,
}

/// A curve.
pub struct Series {
    pub name: String,
    /// Its values at the epochs of the chart.
    pub values: Vec<Option<f64>>,
}

impl Chart {
    /// The chart with its heading and its last values, for a page.
    pub fn figure(&self) -> String {
        let Some((plot, drawn)) = self.drawn() else { return String::new() };
        let drawn = drawn + &self.places(&plot);
        format!(
            "<figure class=\"chart lines\">\n<figcaption>{}</figcaption>\n{}{}</figure>\n",
            text(self.heading()),
            self.key(),
            plot.svg(&format!("{} by epoch", self.title), &drawn)
        )
    }

    /// The chart for a sheet; there is none where nothing changes from epoch to epoch.
    pub fn panel(&self) -> Option<Panel> {
        let (plot, drawn) = self.drawn()?;
        let changes = |series: &Series| series.values.windows(2).any(|two| two[0] != two[1]);
        self.series.iter().find(|series| changes(series))?;
        let entry = |(style, series): (usize, &Series)| {
            (Some(style), format!("{} {}", series.name, self.last_value(series)))
        };
        let when = [(None, self.when())].into_iter();
        let key = when.chain(self.series.iter().enumerate().map(entry)).collect();
        Some(Panel { title: self.heading(), key, drawn: plot.axes() + &drawn })
    }

    fn heading(&self) -> String {
        let scale = if self.axis.is_log { " (logarithmic)" } else { "" };
        format!("{}{scale}", self.title)
    }

    /// The frame, and what is in it.
    fn drawn(&self) -> Option<(Plot<'_>, String)> {
        let (&first, &last) = (self.epochs.first()?, self.epochs.last()?);
        let plot = Plot {
            across: Axis::of_epochs(first, last),
            up: self.axis.clone(),
            label: "epoch",
            units: ["", self.unit],
        };
        let curve = |(at, series): (usize, &Series)| {
            let values = self.epochs.iter().zip(&series.values);
            plot.curve(at, values.filter_map(|(epoch, value)| Some([*epoch as f64, (*value)?])))
        };
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
        Some((plot, best.unwrap_or_default() + &curves))
    }

    /// The names of the curves with their last values.
    fn key(&self) -> String {
        let entry = |(at, series): (usize, &Series)| {
            format!(
                "<span><i class=\"s{}\"></i>{} <b>{}</b></span>\n",
                at % STYLES,
                text(&series.name),
                text(self.last_value(series))
            )
        };
        let entries: String = self.series.iter().enumerate().map(entry).collect();
        let when = self.when();
        format!("<p class=\"key\"><span class=\"when\">{when}</span>\n{entries}</p>\n")
    }

    /// Of which epoch the last values are.
    fn when(&self) -> String {
        let all_end = self.series.iter().all(|own| own.values.last().is_some_and(Option::is_some));
        match self.epochs.last() {
            Some(last) if all_end => format!("epoch {last}"),
            _ => "at the end".to_string(),
        }
    }

    fn last_value(&self, series: &Series) -> String {
        self.told(series.values.iter().rev().flatten().next().copied())
    }

    fn told(&self, value: Option<f64>) -> String {
        value.map_or("–".to_string(), |value| (self.value)(value) + self.unit)
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
