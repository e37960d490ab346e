//! Writes SVG: shapes with classes, whose colours follow the reader's choice of light or dark.

use std::fmt::{Display, Write};

use crate::markup;

/// The width of a character, in parts of the size of the font; they all have the same.
pub const ADVANCE: f64 = 0.602;

/// A drawing that is being written.
#[derive(Default)]
pub struct Svg(String);

impl Svg {
    /// A rectangle.
    pub fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4], radius: f64) {
        let [x, y, width, height] = [x, y, width, height].map(short);
        self.line(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             rx=\"{radius}\"/>"
        ));
    }

    /// A line of text from here on, or around here where the class says so.
    pub fn text(&mut self, class: &str, [x, y]: [f64; 2], text: &str) {
        let text = markup::text(text);
        let [x, y] = [short(x), short(y)];
        self.line(format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"));
    }

    /// A path in the language of SVG.
    pub fn path(&mut self, class: &str, path: &str) {
        self.line(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    /// What `content` draws as a group, whose title is shown where a mouse rests on it.
    pub fn group(&mut self, title: &str, content: impl FnOnce(&mut Svg)) {
        self.line(format_args!("<g><title>{}</title>", markup::text(title)));
        content(self);
        self.line(format_args!("</g>"));
    }

    /// The document, of this size and with these rules of style.
    pub fn finish(self, title: &str, [width, height]: [f64; 2], style: &str) -> String {
        let [width, height] = [width.ceil(), height.ceil()];
        let (title, body) = (markup::text(title), self.0);
        format!(
            "<svg{NAMESPACE} class=\"drawing\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n\
             <title>{title}</title>\n\
             <style>\n{STYLE}{style}</style>\n\
             <rect class=\"paper\" x=\"0\" y=\"0\" width=\"{width}\" height=\"{height}\"/>\n\
             {body}</svg>\n"
        )
    }

    fn line(&mut self, text: impl Display) {
        _ = writeln!(self.0, "{text}");
    }
}

/// What all drawings share.
const STYLE: &str = "\
.drawing { --paper: #ffffff; --ink: #1f2328; --faint: #656d76; --line: #8c959f;
  --blue: #ddf4ff; --blue-line: #218bff; --green: #dafbe1; --green-line: #2da44e;
  --orange: #fff1e5; --orange-line: #e16f24; --violet: #fbefff; --violet-line: #a475f9;
  --grey: #f6f8fa; --grey-line: #8c959f; --red-line: #cf222e; max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { .drawing { --paper: #0d1117; --ink: #e6edf3;
  --faint: #9198a1; --line: #6e7681; --blue: #0c2d6b; --blue-line: #388bfd;
  --green: #0f3d20; --green-line: #3fb950; --orange: #5a1e02; --orange-line: #f0883e;
  --violet: #3c1e70; --violet-line: #ab7df8; --grey: #21262d; --grey-line: #6e7681;
  --red-line: #ff7b72; } }
.drawing text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono',
  monospace; font-size: 12px; fill: var(--ink); }
.drawing .paper { fill: var(--paper); }
.drawing .faint { fill: var(--faint); font-size: 11px; }
.drawing .middle { text-anchor: middle; }
.drawing .end { text-anchor: end; }
.drawing .blue { fill: var(--blue); stroke: var(--blue-line); }
.drawing .green { fill: var(--green); stroke: var(--green-line); }
.drawing .orange { fill: var(--orange); stroke: var(--orange-line); }
.drawing .violet { fill: var(--violet); stroke: var(--violet-line); }
.drawing .grey { fill: var(--grey); stroke: var(--grey-line); }
";

/// What a drawing says of itself that a page has said.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

/// A drawing as a part of a page. Its style is of itself alone.
pub fn within_page(drawing: &str) -> String {
    drawing.replacen(NAMESPACE, "", 1)
}

/// A number with at most two digits after the point.
pub fn short(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
