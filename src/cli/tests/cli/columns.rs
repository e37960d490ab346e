//! Tables are read by the names of the columns that a net was trained on.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;

/// The table of iris with its columns in another order, each line changed by `line`.
fn iris(line: impl Fn(usize, &[&str]) -> String) -> String {
    let text = std::fs::read_to_string(model("iris.csv")).unwrap();
    let rows = text.lines().enumerate();
    rows.map(|(index, row)| line(index, &row.split(',').collect::<Vec<_>>()) + "\n").collect()
}

/// A folder with iris, its weights, and the table turned round and with an `id`.
fn trained(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.ok(&format!("train {} -q", model("iris.net")));
    let turned = |fields: &[&str]| fields.iter().rev().copied().collect::<Vec<_>>().join(",");
    folder.write("turned.csv", iris(|_, fields| turned(fields)));
    let id = |index: usize| if index == 0 { "id".to_string() } else { index.to_string() };
    folder.write("id.csv", iris(|index, fields| format!("{},{}", id(index), fields.join(","))));
    folder
}

#[test]
fn a_table_turned_round_gives_the_same_figures() {
    let folder = trained("columns-turned");
    let iris = model("iris.net");
    let expected = folder.ok(&format!("eval {iris}")).out;
    assert_eq!(folder.ok(&format!("eval {iris} --data turned.csv")).out, expected);
    let with_id = folder.ok(&format!("eval {iris} --data id.csv"));
    assert_eq!(with_id.out, expected);
    assert!(with_id.err.contains("id.csv: not used: column 0 (id)\n"), "{}", with_id.err);

    let predicted = folder.ok(&format!("predict {iris}")).out;
    for table in ["turned.csv", "id.csv"] {
        assert_eq!(folder.ok(&format!("predict {iris} --data {table}")).out, predicted, "{table}");
    }
    // A compiled program has the names from the weights beside it, and may keep them.
    folder.ok(&format!("compile {iris}"));
    let weights = "--weights iris.safetensors --data turned.csv";
    assert_eq!(folder.ok(&format!("eval iris.netc {weights}")).out, expected);
    folder.ok(&format!("compile {iris} --names iris.safetensors"));
    folder.ok("train iris.netc -q --data turned.csv --out same.safetensors");
    assert_eq!(folder.read("same.safetensors"), folder.read("iris.safetensors"));
}

/// What a message proposes is run as it stands.
#[test]
fn an_advice_works() {
    let folder = trained("columns-advice");
    let iris = model("iris.net");
    let advised = |args: &str| {
        let err = folder.run(args).err;
        let advice = err.split("--columns ").nth(1).unwrap_or_else(|| panic!("{args}: {err}"));
        let map = advice.split_whitespace().next().unwrap().to_string();
        folder.ok(&format!("{args} --columns {map}"))
    };
    // Trained on a table with an id, which only the words tell from a length.
    let done = advised(&format!("train {iris} -q --data id.csv --out id.safetensors"));
    assert!(done.out.ends_with("weights: id.safetensors\n"), "{}", done.out);
    assert_eq!(folder.read("id.safetensors"), folder.read("iris.safetensors"));
    // One of the names is another.
    let text = folder.text("turned.csv").replace("petal_width", "width");
    folder.write("renamed.csv", text);
    let expected = folder.ok(&format!("eval {iris}")).out;
    let done = advised(&format!("eval {iris} --data renamed.csv"));
    assert_eq!(done.out, expected);
    folder.fails(
        &format!("eval {iris} --data renamed.csv"),
        3,
        "error: renamed.csv:1: there is no \"petal_width\": the column that the net was trained \
         on\nhelp: if others are meant: --columns x=4,3,2,1,species=0",
    );
}

#[test]
fn rows_to_validate_on_and_runs_that_go_on_know_the_names() {
    let folder = Folder::small("columns-valid");
    folder.write("small.csv", "a,b,c\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n1,0,1\n");
    folder.write("valid.csv", "c,b,a\n1,0,1\n1,0,1\n");
    let same = "a,b,c\n1,0,1\n1,0,1\n";
    folder.write("same.csv", same);
    let figures = |valid: &str| folder.ok(&format!("train small.net -q --valid {valid}")).out;
    assert_eq!(figures("valid.csv"), figures("same.csv"));
    folder.ok("train small.net -q --epochs 20");
    let rows = |table: &str| folder.ok(&format!("predict small.net --data {table}")).out;
    assert_eq!(rows("valid.csv"), rows("same.csv"));
    let init = "train small.net -q --init small.safetensors --epochs 5 --no-shuffle --out";
    folder.ok(&format!("{init} same.safetensors --data same.csv"));
    folder.ok(&format!("{init} other.safetensors --data valid.csv"));
    assert_eq!(folder.read("same.safetensors"), folder.read("other.safetensors"));
    // A table without names goes by position.
    folder.write("bare.csv", "1,0\n1,0\n");
    assert_eq!(rows("bare.csv"), rows("same.csv"));
}

/// Of a table without a header, the weights know the places that the user chose.
#[test]
fn a_table_without_names_is_read_as_it_was_trained_on() {
    let folder = Folder::small("columns-places");
    // What is to be told, a number, and the two columns that tell it.
    folder.write("small.csv", "0,7,0,0\n1,7,0,1\n1,7,1,0\n0,7,1,1\n1,7,0,1\n");
    folder.write("three.csv", "0,0,0\n1,0,1\n1,1,0\n0,1,1\n1,0,1\n");
    folder.write("inputs.csv", "0,0\n0,1\n1,0\n1,1\n0,1\n");
    for (table, chosen) in [("small.csv", "t=0,x=2..4"), ("three.csv", "x=1..3,t=0")] {
        folder.ok(&format!("train small.net -q --epochs 50 --data {table} --columns {chosen}"));
        for command in ["eval", "predict"] {
            let said = folder.ok(&format!("{command} small.net --data {table} --columns {chosen}"));
            let not = folder.ok(&format!("{command} small.net --data {table}"));
            assert_eq!(not.out, said.out, "{command} {table}");
        }
        let rows = folder.ok(&format!("predict small.net --data {table}")).out;
        assert_eq!(folder.ok("predict small.net --data inputs.csv").out, rows);
        // A run that goes on knows them too, and its rows to validate on.
        let init = format!("train small.net -q --data {table} --valid {table} --epochs 1 --init");
        let said = folder.ok(&format!("{init} small.safetensors --out a --columns {chosen}"));
        let not = folder.ok(&format!("{init} small.safetensors --out b"));
        assert_eq!(not.out.replace("weights: b", "weights: a"), said.out);
        assert!(folder.read("a") == folder.read("b"));
    }
    // What the user or a header says, and a table of another form, are taken as they are.
    let turned = folder.ok("eval small.net --data three.csv --columns x=0..2,t=2").out;
    folder.write("named.csv", "x.0,x.1,t\n0,0,0\n1,0,1\n1,1,0\n0,1,1\n1,0,1\n");
    assert_eq!(folder.ok("eval small.net --data named.csv").out, turned);
    assert_ne!(folder.ok("eval small.net --data three.csv").out, turned);
}
