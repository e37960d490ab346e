//! Names for a text: identifiers made from what people call their columns, and strings.

use std::collections::HashSet;

use arenet::internals::runtime::program::text::is_forbidden;

/// What an identifier of a file that is written must not be: keywords, the batch, the settings of a
/// training, and the functions that such a file calls.
const TAKEN: [&str; 60] = [
    "N",
    "const",
    "block",
    "net",
    "train",
    "input",
    "output",
    "param",
    "layer",
    "freeze",
    "limit",
    "target",
    "metric",
    "optimizer",
    "in",
    "return",
    "from",
    "missing",
    "unknown",
    "loss",
    "batch",
    "accumulate",
    "epochs",
    "seed",
    "valid",
    "shuffle",
    "validate",
    "stop",
    "keep",
    "clip_norm",
    "clip_value",
    "l1",
    "l2",
    "max_norm",
    "dense",
    "relu",
    "dropout",
    "concat",
    "one_hot",
    "embedding",
    "standardize",
    "unstandardize",
    "fill",
    "is_missing",
    "log1p",
    "clip",
    "softmax",
    "cross_entropy",
    "huber",
    "mse",
    "mae",
    "accuracy",
    "r2",
    "adamw",
    "one_cycle",
    "early_stop",
    "best",
    "last",
    "full",
    "class",
];

/// The longest identifier that is made.
const LONGEST: usize = 32;

/// The identifiers of a text, each used once.
#[derive(Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// With those that the text has of its own.
    pub fn with(own: &[&str]) -> Names {
        Names(own.iter().map(|name| name.to_string()).collect())
    }

    /// An identifier like `text`, or where nothing of that can be one, like `other`, that is not
    /// used yet.
    pub fn unique(&mut self, text: &str, other: &str) -> String {
        let name = identifier(text, other);
        let mut candidate = name.clone();
        let mut times = 1;
        while TAKEN.contains(&candidate.as_str()) || !self.0.insert(candidate.clone()) {
            times += 1;
            candidate = format!("{name}_{times}");
        }
        candidate
    }
}

/// An identifier like `text`: letters and digits, with one `_` for all between them.
pub fn identifier(text: &str, other: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ if name.is_empty() || name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_end_matches('_');
    match name.bytes().next() {
        None => other.to_string(),
        Some(first) if first.is_ascii_digit() => format!("{other}_{name}"),
        Some(_) => name.to_string(),
    }
}

/// Whether a string can hold the text.
pub fn fits_string(text: &str) -> bool {
    !text.chars().any(is_forbidden)
}

/// A string that means the text.
pub fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Items with commas between them, on lines of at most 100 columns: on the line of `before` and
/// `after`, or between them on lines of their own.
pub fn list(indent: usize, before: &str, items: &[String], after: &str) -> String {
    const WIDTH: usize = 100;
    let wide = |text: &str| text.chars().count();
    let flat = format!("{}{before}{}{after}", " ".repeat(indent), items.join(", "));
    if wide(&flat) <= WIDTH {
        return flat;
    }
    let mut text = format!("{}{before}", " ".repeat(indent));
    let inner = format!("\n{}", " ".repeat(indent + 4));
    let mut column = WIDTH;
    for (index, item) in items.iter().enumerate() {
        let comma = if index + 1 == items.len() { "" } else { "," };
        if column + 1 + wide(item) + comma.len() > WIDTH {
            text.push_str(&inner);
            column = indent + 4;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(item);
        text.push_str(comma);
        column += wide(item) + comma.len();
    }
    format!("{text}\n{}{after}", " ".repeat(indent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_made_of_any_name() {
        for (name, wanted) in [
            ("bill_length_mm", "bill_length_mm"),
            ("Bill Length (mm)", "Bill_Length_mm"),
            ("  area [m²] ", "area_m"),
            ("größe", "gr_e"),
            ("体重", "column"),
            ("", "column"),
            ("__", "column"),
            ("3d model", "column_3d_model"),
            ("2015", "column_2015"),
            ("capital-gain", "capital_gain"),
        ] {
            assert_eq!(identifier(name, "column"), wanted, "{name}");
        }
        assert_eq!(identifier(&"x".repeat(99), "column").len(), 32);
    }

    #[test]
    fn identifiers_are_unique_and_no_words_of_the_language() {
        let mut names = Names::with(&["numbers"]);
        let mut unique = |name: &str| names.unique(name, "column");
        let made: Vec<String> =
            ["a b", "a-b", "a_b_2", "in", "numbers", "N", "mae"].map(&mut unique).into();
        assert_eq!(made, ["a_b", "a_b_2", "a_b_2_2", "in_2", "numbers_2", "N_2", "mae_2"]);
    }

    #[test]
    fn strings_mean_what_they_are_made_of() {
        assert_eq!(string("a \"b\" \\ c"), r#""a \"b\" \\ c""#);
        assert!(fits_string("größe in m²"));
        assert!(!fits_string("a\tb"));
    }

    #[test]
    fn long_lists_are_broken() {
        let items: Vec<String> = (0..30).map(|index| format!("\"{index}\"")).collect();
        let text = list(4, "input x: [N, 30] from [", &items, "] missing");
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert_eq!(list(4, "f [", &items[..2], "]"), "    f [\"0\", \"1\"]");
    }
}
