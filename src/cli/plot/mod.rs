//! Charts as SVG, for pages and as files of their own: the frame of two axes, and where values are
//! between them.

pub mod axis;
pub mod chart;
pub mod sheet;

use axis::Axis;

use crate::markup::text;

/// The size in CSS pixels, near that on the page, and the edges of the drawing in it.
pub const WIDTH: f64 = 360.0;
pub const HEIGHT: f64 = 214.0;
pub const LEFT: f64 = 48.0;
pub const RIGHT: f64 = 344.0;
pub const TOP: f64 = 8.0;
pub const BOTTOM: f64 = 178.0;

/// So many colours and dashes the style sheet has.
pub const STYLES: usize = 8;

/// Two axes.
pub struct Plot<'a> {
    pub across: Axis,
    pub up: Axis,
    /// What the axis across says, and the unit of both.
    pub label: &'a str,
    pub units: [&'a str; 2],
}

impl Plot<'_> {
    /// Where a value is from left to right.
    pub fn x(&self, value: f64) -> f64 {
        LEFT + self.across.place(value) * (RIGHT - LEFT)
    }

    /// Where a value is from top to bottom.
    pub fn y(&self, value: f64) -> f64 {
        BOTTOM - self.up.place(value) * (BOTTOM - TOP)
    }

    /// The drawing with its axes; `title` says what it is to those who do not see it.
    pub fn svg(&self, title: &str, content: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n\
             {}{content}</svg>\n",
            text(title),
            self.axes(),
        )
    }

    /// A curve, or a dot where it has one point, in one of the [`STYLES`].
    pub fn curve(&self, style: usize, points: impl Iterator<Item = [f64; 2]>) -> String {
        let points: Vec<[f64; 2]> = points.map(|[x, y]| [self.x(x), self.y(y)]).collect();
        let style = style % STYLES;
        if let [[x, y]] = points[..] {
            return format!("<circle class=\"s{style}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>\n");
        }
        let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1} {y:.1}")).collect();
        match points.is_empty() {
            true => String::new(),
            false => format!("<path class=\"s{style}\" d=\"M{}\"/>\n", points.join("L")),
        }
    }

    /// A straight line from one place to another.
    pub fn line(&self, class: &str, [from, to]: [[f64; 2]; 2]) -> String {
        let [[x, y], [to_x, to_y]] = [from, to].map(|[x, y]| [self.x(x), self.y(y)]);
        format!("<path class=\"{class}\" d=\"M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}\"/>\n")
    }

    /// The axes alone.
    pub fn axes(&self) -> String {
        let mut drawn = String::new();
        for tick in &self.up.ticks {
            let (y, at) = (self.y(*tick), LEFT - 6.0);
            let label = self.up.label(*tick) + self.units[1];
            drawn.push_str(&format!(
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text x=\"{at}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                y + 4.0
            ));
        }
        for tick in &self.across.ticks {
            let label = self.across.label(*tick) + self.units[0];
            drawn.push_str(&format!(
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n",
                self.x(*tick),
                BOTTOM + 16.0,
            ));
        }
        let (middle, under) = (f64::midpoint(LEFT, RIGHT), HEIGHT - 5.0);
        let label = text(self.label);
        drawn
            + &format!("<text x=\"{middle}\" y=\"{under}\" text-anchor=\"middle\">{label}</text>\n")
    }
}

/// A drawing under a title, with a line about it.
pub fn figure(title: &str, about: &str, svg: &str) -> String {
    format!(
        "<figure class=\"chart\">\n<figcaption>{}</figcaption>\n<p class=\"key\">{about}</p>\n\
         {svg}</figure>\n",
        text(title)
    )
}
