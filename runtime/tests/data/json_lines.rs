//! Rows as objects of JSON, one in a line.

use super::{dataset, floats, integer, integers, real, species};
use arenet_runtime::data::{Dataset, TableSpec, read_blocks, read_csv};
use pretty_assertions::assert_eq;
use std::ops::ControlFlow;

/// Two numbers and a class by its name.
fn read(text: &str) -> Result<Dataset, String> {
    let (inputs, targets) = ([real("x", 2)], [integer("t", species())]);
    let spec = TableSpec::new(&inputs, &targets);
    let data = read_csv(text.as_bytes(), "t.jsonl", &spec);
    let data = data.map_err(|error| format!("{error:#}"))?;
    Ok(Dataset { columns: Default::default(), unused: None, ..data })
}

#[test]
fn an_object_is_a_row() {
    let inputs = [floats(2, &[1.0, 2.5, 3.0, -4.0])];
    let expected = Ok(dataset(2, &inputs, &[integers(&[0, 2])]));
    for (first, second) in [
        (
            r#"{"x.0": 1, "x.1": 2.5, "t": "setosa"}"#,
            r#"{"t": "virginica", "x.1": -4, "x.0": 3e0}"#,
        ),
        (r#"{"t": "setosa", "x": [1, 2.5]}"#, r#" {"x":["3",-4.0],"t":"virginica"} "#),
        (r#"{"x": {"0": 1, "1": 2.5}, "t": "setosa"}"#, r#"{"t":"virginica","x":{"0":3,"1":-4}}"#),
        // By position: as the first object has them.
        (r#"{"z": 1, "a": 2.5, "kind": "setosa"}"#, r#"{"kind": "virginica", "a": -4, "z": 3}"#),
    ] {
        assert_eq!(read(&format!("{first}\n{second}\n")), expected);
        assert_eq!(read(&format!("\n{first}\r\n\n{second}")), expected);
    }
}

#[test]
fn a_stream_of_objects_is_read_row_by_row() {
    let x = [real("x", 1)];
    let mut seen = Vec::new();
    let text = "{\"x\": true}\n{\"x\": 2}\n{\"x\": 3}\n";
    let read = read_blocks(text.as_bytes(), "t", &TableSpec::new(&x, &[]), 1, &mut |row, line| {
        seen.push((row.inputs, line));
        if line == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    read.unwrap();
    assert_eq!(seen, [(vec![floats(1, &[1.0])], 1), (vec![floats(1, &[2.0])], 2)]);
}

#[test]
fn mistakes_have_a_line_and_a_way_out() {
    let good = r#"{"x": [1, 2], "t": "setosa"}"#;
    let check = |second: &str, expected: &str| {
        assert_eq!(read(&format!("{good}\n{second}\n")).unwrap_err(), expected);
    };
    let object = "help: write an object in each line, such as {\"mass\": 3.5, \"kind\": \"a\"}";
    check("{}", &format!("t.jsonl:2: is an object without a value\n{object}"));
    check(
        "[1, 2]",
        &format!(
            "t.jsonl:2: is no JSON at character 0: invalid type: sequence, expected an object\n\
             {object}"
        ),
    );
    check(
        r#"{"x": [1, 2}"#,
        &format!("t.jsonl:2: is no JSON at character 12: expected `,` or `]`\n{object}"),
    );
    check(
        r#"{"x": [1, 2], "tt": "setosa"}"#,
        "t.jsonl:2: the first object has no \"tt\"\nhelp: did you mean \"t\"?",
    );
    check(
        r#"{"x": [1, 2], "weight": 1}"#,
        "t.jsonl:2: the first object has no \"weight\"\n\
         help: every object has names of the first one, or fewer",
    );
    check(
        r#"{"x": [1], "t": "setosa"}"#,
        "t.jsonl:2: column 1 (x.1): the field is empty\n\
         help: fill in a value, remove the row, or write `missing` behind the type of x in the \
         model",
    );
    check(
        r#"{"x": [1, null], "t": "setosa"}"#,
        "t.jsonl:2: column 1 (x.1): the field is empty\n\
         help: fill in a value, remove the row, or write `missing` behind the type of x in the \
         model",
    );
    let deep = format!("{{\"x\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    assert!(read(&deep).unwrap_err().contains("recursion limit"));
}
