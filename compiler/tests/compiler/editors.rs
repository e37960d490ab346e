//! The grammar for editors has the compiler's words: a name that is new here is new there.

use arenet_compiler::reference::sections;
use arenet_compiler::syntax::keywords;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::collections::BTreeSet;

fn read(file: &str) -> String {
    let path = format!("{}/../editors/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of some sections of the reference, or of all others.
fn names(of: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let sections = sections().into_iter().filter(|section| of(section.name));
    let items = sections.flat_map(|section| section.items);
    items.filter(|item| item.signature.is_some()).map(|item| item.name.to_string()).collect()
}

/// The keywords that begin something, and `in`.
fn words() -> BTreeSet<String> {
    keywords().map(str::to_string).collect()
}

/// The words between the first parentheses of a pattern such as `\b(?:a|b)\b`.
fn choices(grammar: &Value, rule: &str) -> BTreeSet<String> {
    let pattern = grammar["repository"][rule]["match"].as_str().unwrap();
    let inner = pattern.split("(?:").nth(1).unwrap().split(')').next().unwrap();
    inner.split('|').map(str::to_string).collect()
}

#[test]
fn the_textmate_grammar_has_all_words() {
    let grammar = serde_json::from_str(&read("vscode/syntaxes/arenet.tmLanguage.json")).unwrap();
    assert_eq!(choices(&grammar, "keywords"), words());
    assert_eq!(choices(&grammar, "settings"), names(|section| section == "settings"));
    assert_eq!(choices(&grammar, "initializers"), names(|section| section == "initializers"));
    let others = names(|section| !["settings", "initializers"].contains(&section));
    assert_eq!(choices(&grammar, "functions"), others);
}
