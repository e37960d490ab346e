//! Statements of a net's text, changed: the lines that a message says to write.

use arenet_compiler::diagnostic::Span;
use std::ops::Range;

/// Longer lines are not shown.
const LONGEST: usize = 100;

/// Whether a name may have this character.
pub fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The statement whose expression this is, on one line, after the expression has been changed; if
/// it can be shown so.
pub fn changed(
    text: &str,
    expression: Span,
    change: impl FnOnce(&str) -> Option<String>,
) -> Option<String> {
    let before = text[..expression.start as usize].trim_end().strip_suffix('=')?.trim_end();
    let rest = before.trim_end_matches(is_part);
    let name = &before[rest.len()..];
    let rest = rest.trim_end();
    let keyword = match &rest[rest.trim_end_matches(is_part).len()..] {
        "output" => "output ",
        _ => "",
    };
    let own = text.get(expression.range())?;
    let new = change(own)?;
    let line = format!("{keyword}{name} = {new}");
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = !name.is_empty() && !own.contains("//") && line.chars().count() <= LONGEST;
    fits.then_some(line)
}

/// The places of a name in an expression, where it stands for its value.
pub fn uses(expression: &str, name: &str) -> Vec<usize> {
    let stands = |&at: &usize| {
        let (before, after) = (&expression[..at], &expression[at + name.len()..]);
        let is_in_text = before.matches('"').count() % 2 == 1;
        let is_argument = after.trim_start().starts_with([':', '(']);
        let is_longer =
            before.ends_with(is_part) || before.ends_with('.') || after.starts_with(is_part);
        !(is_in_text || is_argument || is_longer)
    };
    expression.match_indices(name).map(|(at, _)| at).filter(stands).collect()
}

/// The expression with something else in each place of a name, by what comes before and after it.
pub fn replaced(expression: &str, name: &str, by: impl Fn(&str, &str) -> String) -> Option<String> {
    let mut new = String::new();
    let mut end = 0;
    for at in uses(expression, name) {
        new.push_str(&expression[end..at]);
        end = at + name.len();
        new.push_str(&by(expression[..at].trim_end(), expression[end..].trim_start()));
    }
    (end > 0).then(|| new + &expression[end..])
}

/// The arguments of the first call of a function that speak of this name, as a range.
pub fn arguments(expression: &str, function: &str, name: &str) -> Option<Range<usize>> {
    let call = format!("{function}(");
    let mut calls = expression.match_indices(&call).filter_map(|(at, _)| {
        let start = at + call.len();
        let mut depth = 1;
        let end = expression[start..].char_indices().find(|(_, c)| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let is_whole = !expression[..at].ends_with(is_part);
        is_whole.then_some(start..start + end?.0)
    });
    calls.find(|range| !uses(&expression[range.clone()], name).is_empty())
}
