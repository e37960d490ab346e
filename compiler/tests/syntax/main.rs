//! The language's text: the trees it is read into, and the errors its authors are told.

mod brackets;
mod dump;
mod errors;
mod format;
mod hostile;
mod names;
mod recovery;
mod render;
mod statements;
mod tokens;
mod trees;

use arenet_compiler::diagnostic::render;
use arenet_compiler::syntax::parse;
use pretty_assertions::assert_eq;

/// The source is right, and its tree looks like this.
#[track_caller]
fn check_tree(source: &str, expected: &str) {
    let source = trim_indent(source);
    let (file, errors) = parse(&source);
    assert_eq!(render(&errors, "m.net", &source, false), "");
    assert_eq!(dump::file(&file, &source), trim_indent(expected));
}

/// The source has these errors and no others.
#[track_caller]
fn check_errors(source: &str, expected: &str) {
    let source = trim_indent(source);
    let (_, errors) = parse(&source);
    assert_eq!(render(&errors, "m.net", &source, false), trim_indent(expected));
}

/// What is left of a broken source looks like this.
#[track_caller]
fn check_rest(source: &str, expected: &str) {
    let source = trim_indent(source);
    let (file, errors) = parse(&source);
    assert!(!errors.is_empty());
    assert_eq!(dump::file(&file, &source), trim_indent(expected));
}

/// A text of whole lines, without its first line break and what its lines have in common on the
/// left; other texts stay as they are.
fn trim_indent(text: &str) -> String {
    let Some(text) = text.strip_prefix('\n') else {
        return text.to_string();
    };
    let indent = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let lines = text.split_inclusive('\n').map(|line| line.get(indent..).unwrap_or("\n"));
    let text: String = lines.collect();
    text.trim_end_matches(' ').to_string()
}
