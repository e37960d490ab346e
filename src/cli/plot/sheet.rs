//! Charts beside each other in a drawing of its own, which follows the reader's choice of light or
//! dark.

use super::{HEIGHT, STYLES, WIDTH};
use crate::markup::text;

const STYLE: &str = include_str!("style.css");
/// What the style sheet of a page says of the text around a chart.
const TEXT: &str = "\
.paper { fill: var(--paper); }
svg { font-family: system-ui, sans-serif; }
svg .title { font-size: 14px; font-weight: 600; fill: var(--ink); }
";
/// The most charts beside each other.
const ACROSS: usize = 2;
const GAP: f64 = 16.0;
/// The height of the title, and of a line of the key.
const TITLE: f64 = 24.0;
const LINE: f64 = 17.0;
/// About the width of a character of the key.
const LETTER: f64 = 6.4;
/// The length of the line that shows a style.
const SAMPLE: f64 = 16.0;

/// A chart on a sheet.
pub struct Panel {
    pub title: String,
    /// What its curves are called, each with its style if it has one.
    pub key: Vec<(Option<usize>, String)>,
    /// The axes and what is drawn in them.
    pub drawn: String,
}

/// A document with these charts.
pub fn sheet(title: &str, panels: &[Panel]) -> String {
    let across = panels.len().clamp(1, ACROSS);
    let mut content = String::new();
    let mut top = GAP;
    for row in panels.chunks(across) {
        let keys: Vec<(String, f64)> = row.iter().map(|panel| key(&panel.key)).collect();
        let height = keys.iter().map(|(_, height)| *height).fold(0.0, f64::max);
        for (at, (panel, (key, _))) in row.iter().zip(&keys).enumerate() {
            let left = GAP + at as f64 * (WIDTH + GAP);
            content.push_str(&format!(
                "<g transform=\"translate({left} {top})\">\n\
                 <text class=\"title\" x=\"4\" y=\"14\">{}</text>\n{key}\
                 <g transform=\"translate(0 {})\">\n{}</g>\n</g>\n",
                text(&panel.title),
                TITLE + height,
                panel.drawn
            ));
        }
        top += TITLE + height + HEIGHT + GAP;
    }
    let width = GAP + across as f64 * (WIDTH + GAP);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {top}\" \
         width=\"{width}\" height=\"{top}\" role=\"img\">\n<title>{}</title>\n\
         <style>\n{STYLE}{TEXT}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{top}\"/>\n{content}</svg>\n",
        text(title)
    )
}

/// The key in lines, and their height.
fn key(entries: &[(Option<usize>, String)]) -> (String, f64) {
    let (mut x, mut y) = (4.0, TITLE + 8.0);
    let mut drawn = String::new();
    for (style, entry) in entries {
        let before = if style.is_some() { SAMPLE + 4.0 } else { 0.0 };
        let width = before + LETTER * entry.chars().count() as f64 + 12.0;
        if x + width > WIDTH && x > 4.0 {
            (x, y) = (4.0, y + LINE);
        }
        if let Some(style) = style {
            drawn.push_str(&format!(
                "<path class=\"s{}\" d=\"M{x:.1} {:.1}h{SAMPLE}\"/>\n",
                style % STYLES,
                y - 4.0
            ));
        }
        let at = x + before;
        drawn.push_str(&format!("<text x=\"{at:.1}\" y=\"{y}\">{}</text>\n", text(entry)));
        x += width;
    }
    let lines = if entries.is_empty() { 0.0 } else { y - TITLE - 8.0 + LINE };
    (drawn, lines)
}
