//! Pieces of HTML and SVG. Whatever comes from a model, a table or a command line passes [`text`].

use arenet::internals::runtime::program::text::{escaped, escaped_lines};

/// Text as it stands in an element or between the quotes of an attribute.
pub fn text(text: impl AsRef<str>) -> String {
    entities(&escaped(text.as_ref()))
}

/// [`text`] of several lines.
pub fn lines(text: &str) -> String {
    entities(&escaped_lines(text))
}

fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// Names with what belongs to them, which is markup.
pub fn pairs(entries: &[(&str, String)]) -> String {
    let pair = |(name, value): &(&str, String)| {
        format!("<div><dt>{}</dt><dd>{value}</dd></div>\n", text(name))
    };
    format!("<dl>\n{}</dl>\n", entries.iter().map(pair).collect::<String>())
}

/// A table of cells that are text: the first line is its head, and the first cell of every other
/// line names it.
pub fn table(rows: &[Vec<String>]) -> String {
    let line = |(at, row): (usize, &Vec<String>)| {
        let cell = |(column, cell): (usize, &String)| match (at, column) {
            (0, _) => format!("<th scope=\"col\">{}</th>", text(cell)),
            (_, 0) => format!("<th scope=\"row\">{}</th>", text(cell)),
            _ => format!("<td>{}</td>", text(cell)),
        };
        format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>())
    };
    let body: String = rows.iter().enumerate().map(line).collect();
    format!("<div class=\"wide\"><table>\n{body}</table></div>\n")
}

/// What is shown on demand.
pub fn details(summary: &str, content: &str) -> String {
    format!("<details>\n<summary>{}</summary>\n{content}</details>\n", text(summary))
}

/// A part of the page under a heading.
pub fn section(heading: &str, content: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{content}</section>\n", text(heading))
}
