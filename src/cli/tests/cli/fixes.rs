//! `check --fix`: what it changes, what it says of it, and what it leaves.

use crate::common::Folder;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const WRONG: &str = "net w { // as in Python\n    input x: [N, 2];\n    h = x |> Dense(4)\n    \
                     output y = h |> dens(1)\n}\n";
const RIGHT: &str = "net w { // as in Python\n    input x: [N, 2]\n    h = x |> dense(4)\n    \
                     output y = h |> dense(1)\n}\n";

#[test]
fn what_is_certain_is_written() {
    let folder = Folder::new("fix");
    folder.write("w.net", WRONG);
    let done = folder.ok("check --fix w.net");
    assert_eq!(folder.text("w.net"), RIGHT);
    let told = "w.net:2:20: fixed foreign-syntax: remove the `;`\n\
                w.net:3:14: fixed unknown-function: write `dense`\n\
                w.net:4:21: fixed unknown-function: write `dense`\n";
    assert_eq!(done.err, told);
    assert!(done.out.ends_with("w.net: ok, 17 parameters\n"), "{}", done.out);
    assert_eq!(folder.fed("check --fix -", WRONG).out, RIGHT);
    folder.write("w.net", WRONG);
    assert_eq!(folder.ok("check --fix w.net -q").err, "");
}

/// What needs a look is left and told as always; a file that nothing is written to stays as it was,
/// and so does one that cannot be read as a text.
#[test]
fn what_is_not_certain_is_left() {
    let folder = Folder::new("fix-left");
    let odd =
        "net o {\n    input x: [N, 2]\n    left = x\n    output y = x |> dense(1) |> zzz\n}\n";
    let lint = "net l {\n    input x: [N, 2]\n    output y = x |> dense(1) |> relu\n}\n";
    folder.write("odd.net", odd);
    folder.write("lint.net", lint);
    folder.write("bytes.net", b"net n { // caf\xe9\n}");
    let before = std::fs::metadata(folder.path("lint.net")).unwrap().modified().unwrap();
    let done = folder.run("check --fix .");
    assert_eq!((folder.text("odd.net"), folder.text("lint.net")), (odd.into(), lint.into()));
    assert_eq!(folder.read("bytes.net"), b"net n { // caf\xe9\n}");
    let after = std::fs::metadata(folder.path("lint.net")).unwrap().modified().unwrap();
    assert_eq!(before, after, "it is not written at all");
    assert_eq!(done.code, 1);
    assert!(done.err.contains("unknown function `zzz`"), "{}", done.err);
    assert!(!done.err.contains("fixed"), "{}", done.err);
    assert_eq!(folder.fed("check --fix -", odd).code, 1);
    assert_eq!(folder.run("check --fix none.net").code, 1);
}

/// Constants of the command line count.
#[test]
fn constants_are_set() {
    let folder = Folder::new("fix-set");
    let source = "const H = 2.5\nnet w { input x: [N, H]  output y = x |> dens(1) }\n";
    folder.write("w.net", source);
    assert_eq!(folder.run("check --fix w.net").code, 1);
    folder.write("w.net", source);
    assert_eq!(
        folder.ok("check --fix w.net --set H=3").out.lines().last(),
        Some("w.net: ok, 4 parameters")
    );
}

/// Programs get every fix, with whether it is certain; the edits of a line that is taken away hold
/// its end.
#[test]
fn programs_get_the_edits() {
    let folder = Folder::new("fix-json");
    folder.write("l.net", "net l {\n    input x: [N, 1]\n    k = x\n    output y = x\n}\n");
    let line = folder.ok("check l.net --message-format json").err;
    let told: Value = serde_json::from_str(&line).unwrap();
    let place = |start: u64, end: u64, span: [u64; 2], text: &str| {
        let (line, end_line) = (3, if end == 1 { 4 } else { 3 });
        json!([{ "line": line, "column": start, "end_line": end_line, "end_column": end,
                 "span": span, "text": text }])
    };
    let fixes = json!([
        { "title": "call it `_k`", "certain": false, "edits": place(5, 5, [32, 32], "_") },
        { "title": "remove it", "certain": false, "edits": place(1, 1, [28, 38], "") },
    ]);
    assert_eq!(told["fixes"], fixes);

    let document: Value =
        serde_json::from_str(&folder.ok("check l.net --message-format sarif").out).unwrap();
    let region = json!({ "startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 1 });
    let change = json!({
        "artifactLocation": { "uri": "l.net" },
        "replacements": [{ "deletedRegion": region, "insertedContent": { "text": "" } }],
    });
    let fix = json!({ "description": { "text": "remove it" }, "artifactChanges": [change] });
    assert_eq!(document["runs"][0]["results"][0]["fixes"][1], fix);
    folder.write("w.net", WRONG);
    let lines = folder.ok("check --fix w.net --message-format json").err;
    assert_eq!(lines, "", "there is nothing left to tell");
}
