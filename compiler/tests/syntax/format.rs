//! The usual form of a text.

use arenet_compiler::syntax::{format, parse};
use pretty_assertions::assert_eq;
use std::fs;
use std::path::Path;

#[track_caller]
fn check(source: &str, expected: &str) {
    let text = format(source).unwrap();
    assert_eq!(text, expected);
    assert_eq!(format(&text).unwrap(), text, "formatted again");
}

#[test]
fn a_statement_has_a_line() {
    check(
        "const H=16 net n{input x:[N,H*2] input k:i32[N]in 0..4 h=x|>dense(H,init:he)|>relu
         output y=-h*( 2-H )}train{target t:[N,2]from[\"a\",2..5]missing:[\"-9\"] loss=mse(y,t)
         optimizer(h.0.w)=sgd(lr:0.1) batch=1 epochs=2}",
        "\
const H = 16
net n {
    input x: [N, H * 2]
    input k: i32[N] in 0..4
    h = x |> dense(H, init: he) |> relu
    output y = -h * (2 - H)
}

train {
    target t: [N, 2] from [\"a\", 2..5] missing: [\"-9\"]
    loss = mse(y, t)
    optimizer(h.0.w) = sgd(lr: 0.1)
    batch = 1
    epochs = 2
}
",
    );
}

#[test]
fn comments_and_blank_lines_stay() {
    check(
        "\u{feff}// first\r\n\r\n\r\n//second\r\nnet n { // here\r\n\r\n  // the input\r\n\
         \x20 input x: [N, 2]   //  two\r\n\r\n\r\n  output y = 2*x\r\n  // the end\r\n\r\n}\r\n\
         // after",
        "\
// first

//second
net n { // here

    // the input
    input x: [N, 2] //  two

    output y = 2 * x
    // the end
}
// after
",
    );
}

#[test]
fn broken_lines_stay_broken() {
    check(
        "net n {
 input x: [N, 2] from [
\"a\", // the first
\"b\"
 ] missing
 h = x
|> dense(
3,
init: he
) |> relu
 output y = h.w * h
}
",
        "\
net n {
    input x: [N, 2] from [
        \"a\", // the first
        \"b\"
    ] missing
    h = x
        |> dense(
            3,
            init: he
        ) |> relu
    output y = h.w * h
}
",
    );
}

#[test]
fn a_text_that_cannot_be_read_is_told() {
    assert_eq!(format("net n { input x [N] }").unwrap_err().len(), 1);
    assert_eq!(format("").unwrap(), "");
    assert_eq!(format("\n\n// alone").unwrap(), "// alone\n");
}

/// Without its white space.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').collect()
}

/// The texts of nets in the models and in the tests of messages, as they are and with their white
/// space changed.
#[test]
fn nothing_is_lost_and_a_second_time_changes_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for file in fs::read_dir(root.join("../models")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "net") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    for file in fs::read_dir(root.join("tests/golden/diagnostics")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        texts.extend(text.split("\n\n").map(str::to_string));
    }
    let mut seen = 0;
    for text in &texts {
        let variants = [
            text.clone(),
            text.replace("\n", "\n\n\n"),
            text.replace(' ', "   \t"),
            text.replace(", ", ",\n"),
            text.replace('(', "(\n").replace(" |>", "\n|>"),
            text.replace('\n', "\r\n"),
        ];
        for variant in variants.iter().filter(|variant| parse(variant).1.is_empty()) {
            let formatted = format(variant).unwrap();
            assert_eq!(letters(&formatted), letters(variant));
            assert_eq!(format(&formatted).unwrap(), formatted, "{variant}");
            assert!(!formatted.lines().any(|line| line.ends_with(' ')), "{formatted}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}
