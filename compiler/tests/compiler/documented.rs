//! The reference of the language beside what the compiler knows.

use crate::common::oracle::lowered;
use arenet_compiler::model::{Domain, Missing};
use arenet_compiler::reference::{Section, sections};
use arenet_program::Split;
use pretty_assertions::assert_eq;
use std::collections::BTreeSet;

fn reference() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/language.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_function_is_documented_as_it_is_called() {
    let text = reference();
    let (_, functions) = text.split_once("## Layers").unwrap();
    let (functions, settings) = functions.split_once("## Settings").unwrap();
    let (settings, _) = settings.split_once("## What is told").unwrap();
    let documented: BTreeSet<(String, String)> = functions.lines().filter_map(row).collect();
    let is_setting = |section: &&Section| section.name == "settings";
    let sections = sections();
    let known: BTreeSet<(String, String)> = sections
        .iter()
        .filter(|section| !is_setting(section))
        .flat_map(|section| &section.functions)
        .map(|function| (function.usage().replace("()", ""), function.about.to_string()))
        .collect();
    assert_eq!(documented, known);
    // A setting is shown with a value.
    let known: BTreeSet<(&str, &str)> = sections
        .iter()
        .filter(is_setting)
        .flat_map(|section| &section.functions)
        .map(|setting| (setting.name, setting.about))
        .collect();
    let rows: Vec<(String, String)> = settings.lines().filter_map(row).collect();
    let shown: BTreeSet<(&str, &str)> = rows
        .iter()
        .map(|(set, about)| (set.split([' ', '(']).next().unwrap(), about.as_str()))
        .collect();
    assert_eq!(shown, known);
    // Each setting is one that the compiler takes with this value.
    let body: String = settings
        .lines()
        .filter_map(first_cell)
        .fold(String::new(), |body, set| body + &set.replace('…', "mse(y, t)") + "\n");
    let model = lowered(&format!(
        "net m {{ input x: [N, 2]  output y = x |> dense(1) }}
         train {{ target t: [N, 1]  optimizer = sgd\n{body} }}"
    ));
    let training = model.training.unwrap();
    let watch = training.watch.unwrap();
    assert_eq!((watch.patience, watch.keeps_best, training.validate), (Some(10), true, Some(100)));
    assert_eq!(training.split, Split::Last);
    assert_eq!((training.epochs, training.valid, model.clip.norm.unwrap().most), (10, 0.2, 1.0));
}

/// A line of a table: its first cell, which is code, and the other one.
fn row(line: &str) -> Option<(String, String)> {
    let (code, about) = line.strip_prefix("| `")?.split_once("` | ")?;
    Some((code.to_string(), about.strip_suffix(" |")?.replace("\\|", "|")))
}

/// The first cell of a line of a table, which is code.
fn first_cell(line: &str) -> Option<String> {
    Some(line.strip_prefix("| `")?.split_once('`')?.0.to_string())
}

#[test]
fn what_stands_behind_a_type_is_understood() {
    let text = reference();
    let (ports, _) = text.split_once("## Layers").unwrap();
    let clauses: Vec<String> = ports.lines().filter_map(first_cell).collect();
    assert_eq!(clauses.len(), 8);
    for clause in clauses {
        let is_domain = clause.starts_with("in ");
        let classes = !clause.starts_with("from");
        let ty = match &clause[..] {
            _ if classes => "i32[N]",
            "from [0, 2..5]" => "[N, 4]",
            _ if clause.starts_with("from [") => "[N, 2]",
            _ => "[N]",
        };
        let known = if classes && !is_domain { "in 0..2 " } else { "" };
        let input = format!("input a: {ty} {known}{clause}");
        let taken = if classes { "one_hot(a)" } else { "a" };
        let model =
            lowered(&format!("net m {{ {input}  output y = {taken} |> flatten |> dense(1) }}"));
        let port = &model.inputs[0];
        let said = [
            port.domain != Domain::Any && known.is_empty(),
            !port.from.is_empty(),
            port.missing != Missing::Refused,
        ];
        assert_eq!(said.iter().filter(|said| **said).count(), 1, "{clause}");
    }
}

#[test]
fn the_examples_compile() {
    let text = reference();
    let examples = text.split("```net\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let params: Vec<usize> = examples.map(|example| lowered(example).params.len()).collect();
    assert_eq!(params, [7, 8]);
}
