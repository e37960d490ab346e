//! Predictions as text, and as a matrix.

use std::io::{self, Write};

use arenet_runtime::data::output::{Classes, Format, Output, Part, write_part};
use arenet_runtime::program::Domain;
use pretty_assertions::assert_eq;

/// Writes all rows at once.
pub fn write_predictions(
    w: &mut dyn Write,
    format: Format,
    rows: usize,
    outputs: &[Output<'_>],
) -> io::Result<()> {
    write_part(w, format, Part { before: 0, rows, all: rows }, outputs)
}

/// What is written of all rows at once, which is what is written of them in parts.
fn written(format: Format, rows: usize, outputs: &[Output<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_predictions(&mut bytes, format, rows, outputs).unwrap();
    let mut parts = Vec::new();
    for before in 0..rows.max(1) {
        let part = Part { before, rows: 1.min(rows), all: rows };
        let values =
            |output: &Output<'_>| before * output.width..(before + part.rows) * output.width;
        let outputs: Vec<Output<'_>> = outputs
            .iter()
            .map(|output| Output { values: &output.values[values(output)], ..*output })
            .collect();
        write_part(&mut parts, format, part, &outputs).unwrap();
    }
    assert!(parts == bytes);
    bytes
}

#[track_caller]
fn check(rows: usize, outputs: &[Output<'_>], csv: &str, json: &str) {
    assert_eq!(String::from_utf8(written(Format::Csv, rows, outputs)).unwrap(), csv);
    let text = String::from_utf8(written(Format::Json, rows, outputs)).unwrap();
    assert_eq!(text, json);
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
}

fn plain<'a>(name: &'a str, width: usize, values: &'a [f32]) -> Output<'a> {
    Output { name, width, values, classes: None }
}

#[test]
fn one_output_of_one_column() {
    check(
        3,
        &[plain("y", 1, &[1.0, 0.1, 1e-30])],
        "y\n1.0\n0.1\n1e-30\n",
        "[\n{\"y\": 1.0},\n{\"y\": 0.1},\n{\"y\": 1e-30}\n]\n",
    );
    check(0, &[plain("y", 1, &[])], "y\n", "[\n]\n");
}

#[test]
fn several_outputs_and_classes() {
    let domain = Domain::Names(["a", "b, \"c\""].map(String::from).into());
    let classes = Some(Classes { column: "kind", domain: &domain });
    let probs = Output { classes, ..plain("p", 2, &[0.25, 0.75, 0.5, 0.5]) };
    check(
        2,
        &[plain("y", 1, &[-1.5, 2.0]), probs],
        "y,p.0,p.1,kind\n-1.5,0.25,0.75,\"b, \"\"c\"\"\"\n2.0,0.5,0.5,a\n",
        concat!(
            "[\n",
            "{\"y\": -1.5, \"p\": [0.25, 0.75], \"kind\": \"b, \\\"c\\\"\"},\n",
            "{\"y\": 2.0, \"p\": [0.5, 0.5], \"kind\": \"a\"}\n",
            "]\n"
        ),
    );
}

/// Classes are told as the user counts them, and numbers are no strings.
#[test]
fn numbered_classes() {
    let domain = Domain::Range(-1, 2);
    let classes = Some(Classes { column: "k", domain: &domain });
    check(
        2,
        &[Output { classes, ..plain("p", 3, &[3.0, 2.0, 1.0, 0.0, 0.0, 0.5]) }],
        "p.0,p.1,p.2,k\n3.0,2.0,1.0,-1\n0.0,0.0,0.5,1\n",
        concat!(
            "[\n",
            "{\"p\": [3.0, 2.0, 1.0], \"k\": -1},\n",
            "{\"p\": [0.0, 0.0, 0.5], \"k\": 1}\n",
            "]\n"
        ),
    );
}

#[test]
fn what_is_not_finite() {
    let domain = Domain::Names(["a", "b"].map(String::from).into());
    let classes = Some(Classes { column: "k", domain: &domain });
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    check(
        2,
        &[Output { classes, ..plain("p", 2, &[nan, -inf, nan, nan]) }],
        "p.0,p.1,k\nNaN,-inf,b\nNaN,NaN,\n",
        "[\n{\"p\": [null, null], \"k\": \"b\"},\n{\"p\": [null, null], \"k\": null}\n]\n",
    );
}

#[test]
fn a_matrix_has_all_columns() {
    let outputs = [plain("a", 1, &[1.0, 4.0]), plain("b", 2, &[2.0, 3.0, 5.0, 6.0])];
    let bytes = written(Format::Npy, 2, &outputs);
    assert_eq!(super::array(&bytes, 3), Ok(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
}

#[test]
fn mistakes() {
    let domain = Domain::Range(4, 5);
    let classes = Some(Classes { column: "k", domain: &domain });
    for output in [plain("y", 2, &[1.0]), Output { classes, ..plain("y", 2, &[1.0, 2.0]) }] {
        let error = write_predictions(&mut Vec::new(), Format::Csv, 1, &[output]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
