//! The reference of the language beside what the compiler knows.

use crate::common::oracle::lowered;
use arenet_compiler::forms::{FORMS, SETTINGS};
use arenet_compiler::model::{Domain, Missing};
use arenet_compiler::reference::sections;
use arenet_program::Split;
use pretty_assertions::assert_eq;
use std::collections::BTreeSet;

fn reference() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/language.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn everything_is_documented_as_it_is_written() {
    let text = reference();
    let (text, _) = text.split_once("## What is told").unwrap();
    let documented: BTreeSet<(String, String)> = text.lines().filter_map(row).collect();
    let sections = sections();
    let items = sections.iter().flat_map(|section| &section.items);
    let known: BTreeSet<(String, String)> =
        items.map(|item| (item.usage.clone(), item.about.to_string())).collect();
    let only =
        |of: &BTreeSet<(String, String)>, other| of.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(only(&documented, &known), [], "documented, and not known");
    assert_eq!(only(&known, &documented), [], "known, and not documented");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words(text);
    for sentence in sections.iter().flat_map(|section| section.about.split(". ")) {
        assert!(text.contains(sentence.trim_end_matches('.')), "{sentence}");
    }
}

/// The forms that stand in a place.
fn forms(place: &str) -> Vec<&'static str> {
    let of = FORMS.iter().find(|forms| forms.place == place).expect("a place of the reference");
    of.forms.iter().map(|form| form.example).collect()
}

/// Every form is one that the compiler takes as it is written.
#[test]
fn forms_are_understood() {
    let dots = |form: &str| match form.split_once(' ').unwrap().0 {
        "net" => "input x: [N, 4]  output y = x |> dense(2)",
        "train" => "target t: [N, 2]  loss = mse(y, t)  optimizer = sgd",
        _ => "h = relu(x)",
    };
    let file = |form: &&str| form.replace("...", dots(form));
    let parts: Vec<String> = forms("at the top of a file").iter().map(file).collect();
    let model = lowered(&parts.join("\n"));
    assert!(model.training.is_some());
    let statements = forms("inside `block`").join("\n");
    lowered(&format!(
        "block b(x) {{ {statements} }}
         net m {{ input x: [N, 4]  output y = x |> b }}"
    ));
    let net = forms("inside `net`").join("\n");
    let train = forms("inside `train`").join("\n");
    let model = lowered(&format!(
        "net m {{ {net} }}
         train {{ {train}  loss = mse(y, t) }}"
    ));
    assert_eq!(model.memory_limit.map(|limit| limit.0), Some(64 << 20));
    assert_eq!(model.optimizers.len(), 2);
    let known = |operand: &str| format!("{operand} = input_{operand} |> dense(4)");
    for operator in forms("the tightest first") {
        lowered(&format!(
            "net m {{
                 input x: [N, 4]
                 {} {} {}
                 param w: [4, 8]
                 h = x |> dense(4)
                 {}
             }}",
            known("a").replace("input_a", "x"),
            known("b").replace("input_b", "x"),
            known("c").replace("input_c", "x"),
            match operator {
                "h.w" => "output y = x @ h.w".to_string(),
                operator => format!("output y = {operator}"),
            },
        ));
    }
    for ty in forms("as in `input x: [N, 4]`") {
        let port = match ty.starts_with("[4") {
            true => format!("input x: [N, 4]  param w: {ty}  z = x @ w"),
            false if ty.starts_with("i32") => format!("input x: {ty} in 0..2  z = one_hot(x)"),
            false => format!("input x: {ty}  z = flatten(x)"),
        };
        lowered(&format!("const H = 2  net m {{ {port}  output y = z |> dense(2) }}"));
    }
}

/// Each setting is one that the compiler takes with the value it is shown with.
#[test]
fn settings_are_understood() {
    let settings = SETTINGS.join("\n");
    let model = lowered(&format!(
        "net m {{ input x: [N, 2]  output y = x |> dense(1) }}
         train {{ target t: [N, 1]  optimizer = sgd\n{settings} }}"
    ));
    let training = model.training.unwrap();
    let watch = training.watch.unwrap();
    assert_eq!((watch.patience, watch.keeps_best, training.validate), (Some(10), true, Some(100)));
    assert_eq!(training.split, Split::Last);
    assert_eq!((training.epochs, training.valid, model.clip.norm.unwrap().most), (10, 0.2, 1.0));
    let shown: Vec<&str> =
        SETTINGS.iter().filter_map(|form| form.split([' ', '(']).next()).collect();
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len());
    let section = sections().into_iter().find(|section| section.name == "settings").unwrap();
    assert_eq!(section.items.len(), shown.len(), "each is one of the language");
}

/// A line of a table: its first cell, which is code, and the other one.
fn row(line: &str) -> Option<(String, String)> {
    let (code, about) = line.strip_prefix("| `")?.split_once("` | ")?;
    let plain = |cell: &str| cell.replace("\\|", "|");
    Some((plain(code), plain(about.strip_suffix(" |")?)))
}

#[test]
fn what_stands_behind_a_type_is_understood() {
    let clauses = forms("and targets, behind their types");
    for clause in clauses {
        let is_domain = clause.starts_with("in ");
        let classes = !clause.starts_with("from");
        let ty = match clause {
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
    assert_eq!(params, [7, 12, 8]);
}
