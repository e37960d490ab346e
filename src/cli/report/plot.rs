//! The frame of a chart as SVG: two axes, and where values are between them.

use super::axis::Axis;
use crate::markup::text;

/// The size in CSS pixels, near that on the page, and the edges of the drawing in it.
pub const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 214.0;
pub const LEFT: f64 = 48.0;
pub const RIGHT: f64 = 344.0;
pub const TOP: f64 = 8.0;
pub const BOTTOM: f64 = 178.0;

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

    fn axes(&self) -> String {
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
