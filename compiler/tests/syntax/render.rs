//! How diagnostics are written, for people and for programs.

use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{
    Diagnostic, Lines, Span, did_you_mean, line_column, render, to_json,
};
use arenet_compiler::fix::Fix;
use pretty_assertions::assert_eq;

use super::trim_indent;

fn at(start: usize, end: usize) -> Diagnostic {
    Diagnostic::error(Code::UnknownName, Span::of(start..end), "something is wrong")
}

#[track_caller]
fn check(diags: &[Diagnostic], source: &str, expected: &str) {
    assert_eq!(render(diags, "m.net", source, false), trim_indent(expected));
}

#[test]
fn labels_and_help() {
    let source = "net a {\n    h = f(1\n}\n";
    let error = at(20, 20)
        .label(Span::new(17, 18), "this is open")
        .label(Span::new(0, 3), "far above")
        .help("close it");
    check(
        &[error],
        source,
        r"
        error[unknown-name]: something is wrong
         --> m.net:3:1
          |
        1 | net a {
          | --- far above
        2 |     h = f(1
          |          - this is open
        3 | }
          | ^
          |
          = help: close it
        ",
    );
}

#[test]
fn warnings() {
    check(
        &[Diagnostic::warning(Code::Unused, Span::new(0, 1), "this is odd"), at(2, 3)],
        "a b",
        r"
        warning[unused]: this is odd
         --> m.net:1:1
          |
        1 | a b
          | ^

        error[unknown-name]: something is wrong
         --> m.net:1:3
          |
        1 | a b
          |   ^
        ",
    );
}

#[test]
fn an_empty_file() {
    check(
        &[at(0, 0)],
        "",
        r"
        error[unknown-name]: something is wrong
         --> m.net:1:1
          |
        1 |
          | ^
        ",
    );
}

#[test]
fn the_end_of_the_file() {
    check(
        &[at(4, 4), at(99, 7)],
        "abc\n",
        r"
        error[unknown-name]: something is wrong
         --> m.net:2:1
          |
        2 |
          | ^

        error[unknown-name]: something is wrong
         --> m.net:2:1
          |
        2 |
          | ^
        ",
    );
}

#[test]
fn tabs_and_wide_characters() {
    check(
        &[at(1, 4), at(5, 11), at(6, 7)],
        "\t漢 漢字\n",
        r"
        error[unknown-name]: something is wrong
         --> m.net:1:2
          |
        1 |     漢 漢字
          |     ^^

        error[unknown-name]: something is wrong
         --> m.net:1:4
          |
        1 |     漢 漢字
          |        ^^^^

        error[unknown-name]: something is wrong
         --> m.net:1:4
          |
        1 |     漢 漢字
          |        ^
        ",
    );
}

#[test]
fn several_lines() {
    check(
        &[at(2, 9)],
        "a b c\nd\nefg h\ni",
        r"
        error[unknown-name]: something is wrong
         --> m.net:1:3
          |
        1 |   a b c
          |  ___^
        2 | | d
        3 | | efg h
          | |_^
        ",
    );
}

#[test]
fn control_characters_are_shown() {
    let source = "a \u{1b}[31m \u{9b}31m \u{202e} \u{7f} b";
    let error = Diagnostic::error(Code::UnknownName, Span::of(18..19), "see \u{1b}[0m")
        .label(Span::new(0, 1), "\u{9b}0m")
        .help("\u{7}");
    let text = render(&[error], "\u{1b}.net", source, false);
    assert_eq!(
        text,
        trim_indent(
            r"
        error[unknown-name]: see \u{1b}[0m
         --> \u{1b}.net:1:16
          |
        1 | a ␛[31m �31m � ␡ b
          | - \u{9b}0m     ^
          |
          = help: \u{7}
        "
        )
    );
}

#[test]
fn colors_are_asked_for() {
    let text = render(&[at(0, 1)], "m.net", "a", true);
    assert!(text.contains("\u{1b}["));
    let text = render(&[at(0, 1)], "m.net", "a", false);
    assert!(!text.contains('\u{1b}'));
}

/// The line is cut, its columns are counted from its beginning, and what is far away is told apart.
#[test]
fn a_very_long_line() {
    let source = "x ".repeat(500_000);
    let error = at(400_000, 400_001)
        .label(Span::new(400_004, 400_005), "near")
        .label(Span::new(2, 3), "far");
    let text = render(&[error], "m.net", &source, false);
    assert!(text.lines().all(|line| line.chars().count() < 160), "{text}");
    assert!(text.contains("--> m.net:1:400001\n"), "{text}");
    assert!(text.contains("- near"), "{text}");
    assert!(text.contains("= note: m.net:1:3: far\n"), "{text}");
}

/// A name of a megabyte stands neither in the message nor in the line below it.
#[test]
fn a_very_long_name() {
    let name = "a".repeat(1 << 20);
    let source = format!("{name} {name} b");
    let error =
        Diagnostic::error(Code::UnknownName, Span::of(0..1 << 20), format!("unknown `{name}`"))
            .label(Span::of((1 << 20) + 1..(1 << 21) + 1), format!("`{name}` is near"))
            .help(format!("is it not `{name}`?"));
    let text = render(std::slice::from_ref(&error), "m.net", &source, false);
    assert!(text.lines().all(|line| line.chars().count() < 160), "{text}");
    assert!(text.contains("unknown `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...`\n"), "{text}");
    assert!(to_json(&error, "m.net", &source).len() < 600);
}

/// Two places of one line that lie far apart would drag along all that is between.
#[test]
fn a_long_line_with_two_places() {
    let name = "a".repeat(1000);
    let source = format!("[\"{name}\", \"{name}\"]");
    let error = at(1006, 2008).label(Span::new(1, 1003), "the first one");
    let text = render(&[error], "m.net", &source, false);
    assert!(text.lines().all(|line| line.chars().count() < 160), "{text}");
    assert!(text.contains("= note: m.net:1:2: the first one\n"), "{text}");
}

#[test]
fn json() {
    let source = "ä = 1\nb = \"2\"";
    let error = at(11, 14).label(Span::new(0, 2), "a \"label\"\n").help("help");
    let error = error.fix(Fix::write(Span::new(11, 14), "x"));
    assert_eq!(
        to_json(&error, "m.net", source),
        concat!(
            r#"{"code":"unknown-name","column":5,"end_column":8,"end_line":2,"file":"m.net","#,
            r#""fixes":[{"certain":true,"edits":[{"column":5,"end_column":8,"end_line":2,"#,
            r#""line":2,"span":[11,14],"text":"x"}],"title":"write `x`"}],"#,
            r#""help":"help","labels":[{"column":1,"end_column":2,"end_line":1,"line":1,"#,
            r#""span":[0,2],"text":"a \"label\"\n"}],"line":2,"message":"something is wrong","#,
            r#""severity":"error","span":[11,14]}"#
        )
    );
    let lint = Diagnostic::warning(Code::Unused, Span::new(9, 99), "odd");
    assert_eq!(
        to_json(&lint, "m.net", ""),
        concat!(
            r#"{"code":"unused","column":1,"end_column":1,"end_line":1,"file":"m.net","#,
            r#""fixes":[],"help":null,"labels":[],"line":1,"message":"odd","#,
            r#""severity":"warning","span":[9,99]}"#
        )
    );
}

#[test]
fn lines_and_columns() {
    let source = "aä\n\nb";
    let places = [(0, (1, 1)), (1, (1, 2)), (2, (1, 2)), (3, (1, 3)), (4, (2, 1)), (5, (3, 1))];
    for (offset, expected) in places.into_iter().chain([(6, (3, 2)), (99, (3, 2))]) {
        assert_eq!(line_column(source, offset), expected, "{offset}");
    }
    // Many at once, also across the blocks in which characters are counted.
    for source in [source.to_string(), "ä\n".repeat(300), "x".repeat(255) + "→\n€→z", "".into()]
    {
        let lines = Lines::new(&source);
        for offset in (0..source.len() + 2).chain([usize::MAX]) {
            assert_eq!(lines.line_column(offset), line_column(&source, offset), "{offset}");
        }
    }
}

#[test]
fn spans() {
    assert_eq!(Span::new(3, 5).join(Span::new(1, 4)), Span::new(1, 5));
    assert_eq!(Span::of(3..5).range(), 3..5);
    assert_eq!(Span::of(1 << 40..1 << 41), Span::new(u32::MAX, u32::MAX));
}

#[test]
fn suggestions() {
    let layers = ["dense", "dropout", "relu", "sigmoid", "softmax", "tanh", "lr", "x"];
    let cases = [
        ("dens", Some("dense")),
        ("desne", Some("dense")),
        ("Relu", Some("relu")),
        ("sigmod", Some("sigmoid")),
        ("sftmx", Some("softmax")),
        ("rl", Some("lr")),
        ("tan", Some("tanh")),
        ("y", None),
        ("conv", None),
        ("", None),
    ];
    for (name, expected) in cases {
        assert_eq!(did_you_mean(name, layers), expected, "{name}");
    }
    // The nearest first, then the first of the alphabet, in whatever order they come.
    assert_eq!(did_you_mean("bat", ["cat", "bar", "bats", "bad"]), Some("bad"));
    assert_eq!(did_you_mean("bat", ["bad", "bats", "bar", "cat"]), Some("bad"));
    assert_eq!(did_you_mean("bath", ["baths", "bat", "bth"]), Some("bat"));
    let long = "x".repeat(1 << 20);
    assert_eq!(did_you_mean(&long, [long.as_str()]), None);
}
