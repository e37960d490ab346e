//! Line charts as SVG. They are read without a script too: each place of the x axis has a title
//! with the values there, and the last values are text beside the chart.

use super::axis::Axis;
use super::markup::text;

/// The size in CSS pixels, near that on the page, and the edges of the drawing in it.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 350.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 178.0;
/// So many colours and dashes the style sheet has.
const STYLES: usize = 8;

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
        let across = Axis::of_epochs(first, last);
        let x = |epoch: u64| LEFT + across.place(epoch as f64) * (RIGHT - LEFT);
        let y = |value: f64| BOTTOM - self.axis.place(value) * (BOTTOM - TOP);
        let curves: String = self.series.iter().enumerate().map(|s| self.curve(s, x, y)).collect();
        let best = self.best.filter(|best| (first..=last).contains(best)).map(x);
        let best = best.map(|x| {
            let (anchor, at) = if x > WIDTH / 2.0 { ("end", x - 4.0) } else { ("start", x + 4.0) };
            format!(
                "<path class=\"best\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
                 <text class=\"best\" x=\"{at:.1}\" y=\"18\" text-anchor=\"{anchor}\">best</text>\n"
            )
        });
        let log = if self.axis.is_log { " (logarithmic)" } else { "" };
        format!(
            "<figure class=\"chart\">\n<figcaption>{title}{log}</figcaption>\n{key}\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title} by epoch\">\n\
             {axes}{best}{curves}{places}</svg>\n</figure>\n",
            title = text(self.title),
            key = self.key(last),
            axes = self.axes(&across),
            best = best.unwrap_or_default(),
            places = self.places(x, y),
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
        format!("<p class=\"key\"><span class=\"when\">epoch {last}</span>\n{entries}</p>\n")
    }

    fn told(&self, value: Option<f64>) -> String {
        value.map_or("–".to_string(), |value| (self.value)(value) + self.unit)
    }

    fn axes(&self, across: &Axis) -> String {
        let mut drawn = String::new();
        for tick in &self.axis.ticks {
            let y = BOTTOM - self.axis.place(*tick) * (BOTTOM - TOP);
            let (label, below) = (self.axis.label(*tick) + self.unit, y + 4.0);
            drawn.push_str(&format!(
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text x=\"{}\" y=\"{below:.1}\" text-anchor=\"end\">{label}</text>\n",
                LEFT - 6.0
            ));
        }
        for tick in &across.ticks {
            let x = LEFT + across.place(*tick) * (RIGHT - LEFT);
            drawn.push_str(&format!(
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                BOTTOM + 16.0,
                across.label(*tick)
            ));
        }
        let (middle, under) = ((LEFT + RIGHT) / 2.0, HEIGHT - 2.0);
        drawn + &format!("<text x=\"{middle}\" y=\"{under}\" text-anchor=\"middle\">epoch</text>\n")
    }

    /// A line, or a dot where there is one value.
    fn curve(
        &self,
        (at, series): (usize, &Series),
        x: impl Fn(u64) -> f64,
        y: impl Fn(f64) -> f64,
    ) -> String {
        let values = self.epochs.iter().zip(&series.values);
        let points: Vec<(f64, f64)> =
            values.filter_map(|(epoch, value)| Some((x(*epoch), y((*value)?)))).collect();
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
    fn places(&self, x: impl Fn(u64) -> f64, y: impl Fn(f64) -> f64) -> String {
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
                        y(value)
                    ));
                }
                title.push_str(&format!("\n{}: {}", text(&series.name), text(self.told(value))));
            }
            drawn.push_str(&format!("<title>{title}</title></g>\n"));
        }
        drawn
    }
}
