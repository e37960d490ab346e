//! Diagnostics as SARIF 2.1.0, the form in which code hosts and editors take the results of tools.

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::fix::{Edit, Fix};
use arenet_program::text::escaped_json;
use serde_json::{Value, json};

/// What is told of one file.
pub struct Told<'a> {
    /// Its name, as messages have it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The messages.
    pub found: &'a [Diagnostic],
}

/// One document of what is told of some files. `complete` says that all of them could be looked at.
pub fn document(told: &[Told], complete: bool) -> String {
    let mut rules: Vec<Code> = Vec::new();
    let mut results = Vec::new();
    for told in told {
        for found in told.found {
            let known = rules.iter().position(|rule| *rule == found.code);
            let index = known.unwrap_or(rules.len());
            if known.is_none() {
                rules.push(found.code);
            }
            results.push(result(told, found, index));
        }
    }
    let rules: Vec<Value> = rules.into_iter().map(rule).collect();
    let driver = json!({
        "name": "arenet",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    let run = json!({
        "tool": { "driver": driver },
        "invocations": [{ "executionSuccessful": complete }],
        "columnKind": "utf16CodeUnits",
        "results": results,
    });
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    let document = json!({ "$schema": schema, "version": "2.1.0", "runs": [run] });
    escaped_json(&document.to_string())
}

fn rule(code: Code) -> Value {
    let explanation = code.explanation();
    json!({
        "id": code.name(),
        "shortDescription": { "text": code.summary() },
        "help": { "text": explanation, "markdown": explanation },
    })
}

fn result(told: &Told, found: &Diagnostic, rule: usize) -> Value {
    let level = match found.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let help = found.help.iter().map(|help| format!("\nhelp: {help}")).collect::<String>();
    let related = found.labels.iter().enumerate().map(|(id, (span, text))| {
        let place = place(told, *span);
        json!({ "id": id, "message": { "text": text }, "physicalLocation": place })
    });
    json!({
        "ruleId": found.code.name(),
        "ruleIndex": rule,
        "level": level,
        "message": { "text": format!("{}{help}", found.message) },
        "locations": [{ "physicalLocation": place(told, found.span) }],
        "relatedLocations": related.collect::<Vec<_>>(),
        "fixes": found.fixes.iter().map(|way| fix(told, way)).collect::<Vec<_>>(),
    })
}

fn fix(told: &Told, fix: &Fix) -> Value {
    let replacements = fix.edits(told.text).into_iter().map(|Edit { span, text }| {
        json!({ "deletedRegion": region(told, span), "insertedContent": { "text": text } })
    });
    json!({
        "description": { "text": fix.title },
        "artifactChanges": [{
            "artifactLocation": { "uri": uri(told.file) },
            "replacements": replacements.collect::<Vec<_>>(),
        }],
    })
}

fn place(told: &Told, span: Span) -> Value {
    json!({
        "artifactLocation": { "uri": uri(told.file) },
        "region": region(told, span),
    })
}

fn region(told: &Told, span: Span) -> Value {
    let (line, column) = line_column(told.text, span.start as usize);
    let (end_line, end_column) = line_column(told.text, span.end.max(span.start) as usize);
    json!({
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}

/// The line and the column of an offset, both from 1, the column in units of UTF-16.
fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.encode_utf16().count() + 1)
}

/// The name of a file as a reference, relative unless the name is not.
fn uri(file: &str) -> String {
    let file = file.strip_prefix("./").unwrap_or(file);
    let mut uri = String::from(if file.starts_with('/') { "file://" } else { "" });
    for &byte in file.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
