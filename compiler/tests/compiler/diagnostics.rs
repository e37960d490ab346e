//! Every diagnostic of lowering, as its reader sees it.
//!
//! The cases are in golden/diagnostics: a title after `===`, a source, and after `---` what is
//! told about it. UPDATE_GOLDEN=1 rewrites what is told.

use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{Diagnostic, render};
use arenet_compiler::lower::lower;
use arenet_compiler::syntax::parse;
use pretty_assertions::assert_eq;
use std::fmt::Write;

fn diagnostics(source: &str) -> Vec<Diagnostic> {
    let parsed = parse(source);
    assert_eq!(render(&parsed.1, "m.net", source, false), "", "the syntax is right");
    let lowered = lower(parsed, &[]);
    let (is_model, told) = (lowered.is_ok(), lowered.map_or_else(|told| told, |(_, told)| told));
    let failed = told.iter().any(|d| d.severity.name() == "error");
    assert_eq!(is_model, !failed, "there is a model exactly when nothing is an error");
    told
}

/// The same of a text whose syntax may be wrong as well.
fn all_diagnostics(source: &str) -> Vec<Diagnostic> {
    lower(parse(source), &[]).map_or_else(|told| told, |(_, told)| told)
}

fn check(file: &str) {
    check_by(file, diagnostics);
}

fn check_by(file: &str, diagnostics: fn(&str) -> Vec<Diagnostic>) {
    let path = format!("{}/tests/golden/diagnostics/{file}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut actual = String::new();
    for case in text.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let source = rest.split("---\n").next().unwrap();
        let told = render(&diagnostics(source), "m.net", source, false);
        let told = told.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        let told = if told.is_empty() { "nothing" } else { &told };
        write!(actual, "=== {title}\n{source}---\n{told}\n\n").unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    } else {
        assert_eq!(actual, text, "{path} differs; UPDATE_GOLDEN=1 rewrites it");
    }
}

#[test]
fn names() {
    check("names");
}

#[test]
fn shapes() {
    check("shapes");
}

#[test]
fn rows() {
    check("rows");
}

#[test]
fn numbers() {
    check("numbers");
}

#[test]
fn calls() {
    check("calls");
}

#[test]
fn train() {
    check("train");
}

#[test]
fn tables() {
    check("tables");
}

#[test]
fn lints() {
    check("lints");
}

/// What people write who think of Keras, PyTorch or Python.
#[test]
fn habits() {
    check_by("habits", all_diagnostics);
}

/// The source with a proposal put in the place it is for, where it is of a form that can be.
fn followed(source: &str, found: &Diagnostic) -> Option<String> {
    let help = found.help.as_deref()?;
    let quoted = help.split('`').nth(1).unwrap_or_default();
    let (span, text) = if help.starts_with("did you mean") {
        (found.span.range(), quoted)
    } else if let Some(ty) = help.strip_prefix("declare the target as ") {
        let ty = ty.rsplit(' ').next().filter(|ty| ty.starts_with("i32")).unwrap_or(ty);
        let (port, _) = found
            .labels
            .iter()
            .find(|(span, _)| source[..span.start as usize].ends_with("target "))?;
        let start = port.end as usize + source[port.end as usize..].find(':')? + 1;
        (start..start + source[start..].find(']')? + 1, ty)
    } else if help.ends_with("behind its type, or remove it") {
        let end = found.span.end as usize;
        let at = end + source[end..].find(']')? + 1;
        (at..at, quoted)
    } else if help.starts_with("`in ") || help.starts_with("it ends before") {
        let start = match help.starts_with("`in ") {
            true => {
                let end = found.labels.first()?.0.end as usize;
                end + source[end..].find("in ")?
            }
            false => found.span.start as usize,
        };
        let line = source[start..].find('\n')?;
        (start..start + line, quoted)
    } else {
        return None;
    };
    Some(format!("{} {text} {}", &source[..span.start], &source[span.end..]))
}

/// A proposal that is followed mends what it is for, and proposes nothing that is not built.
#[test]
fn proposals_work() {
    let mut count = 0;
    for file in ["names", "shapes", "calls", "train", "tables", "lints", "rows", "numbers"] {
        let path = format!("{}/tests/golden/diagnostics/{file}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        for case in text.split("=== ").skip(1) {
            let source = case.split_once('\n').unwrap().1.split("---\n").next().unwrap();
            let told = diagnostics(source);
            for (found, mended) in told.iter().filter_map(|d| Some((d, followed(source, d)?))) {
                count += 1;
                let left = diagnostics(&mended);
                let alike = |d: &&Diagnostic| d.code == found.code || d.code == Code::NotYet;
                let number = |told: &[Diagnostic]| told.iter().filter(alike).count();
                let text = || render(&left, "m.net", &mended, false);
                assert!(number(&left) < number(&told), "{:?}\n{}", found.help, text());
            }
        }
    }
    assert!(count >= 20, "{count} proposals were followed");
}

/// The codes of what is told.
fn codes(source: &str) -> Vec<&'static str> {
    diagnostics(source).iter().map(|diagnostic| diagnostic.code.name()).collect()
}

/// Blocks that call the one before twice: 2^40 calls.
fn doubling(body: &str) -> String {
    let mut source = format!("block b0(x) {{ return {body} }}\n");
    for i in 1..=40 {
        writeln!(source, "block b{i}(x) {{ return x |> b{0} |> b{0} }}", i - 1).unwrap();
    }
    source + "net m { input x: [N, 2]  output y = b40(x) }"
}

#[test]
fn exponential_networks_are_stopped() {
    assert_eq!(codes(&doubling("x + 1")), ["too-many-nodes"]);
    assert_eq!(codes(&doubling("x")), ["too-many-nodes"]);
    assert_eq!(codes(&doubling("x |> oops")), ["unknown-function"], "the same error is told once");
}

#[test]
fn deep_networks_are_stopped() {
    let mut source = String::from("block b0(x) { return x }\n");
    for i in 1..=300 {
        writeln!(source, "block b{i}(x) {{ return (((b{}(x)))) }}", i - 1).unwrap();
    }
    source += "net m { input x: [N, 2]  output y = b300(x) }";
    assert_eq!(codes(&source), ["nesting-too-deep"]);

    let nested = format!("{}x{}", "relu(".repeat(127), ")".repeat(127));
    assert!(codes(&format!("net m {{ input x: [N, 2]  output y = {nested} }}")).is_empty());
}

#[test]
fn long_chains_are_fine() {
    let chain = |link: &str| link.repeat(500);
    let source = |value: String| format!("net m {{ input x: [N, 2]  output y = {value} }}");
    assert!(codes(&source(format!("x {}", chain("|> tanh ")))).is_empty());
    assert!(codes(&source(format!("x {}", chain("+ x ")))).is_empty());
}

#[test]
fn large_networks_are_stopped() {
    // gelu is two operations.
    let source = |statements: usize| {
        let mut source = String::from("net m { input x: [N, 2]\n h0 = x\n");
        for i in 1..=statements {
            writeln!(source, "h{i} = h{} {}", i - 1, "|> gelu ".repeat(499)).unwrap();
        }
        source + &format!("output y = h{statements} }}")
    };
    assert!(codes(&source(100)).is_empty());
    assert_eq!(codes(&source(101)), ["too-many-nodes"]);
}

#[test]
fn warnings_stop_nothing() {
    let layers = "|> dense(2) |> relu ".repeat(200);
    let codes = codes(&format!("net m {{ input x: [N, 2]  output y = x {layers} }}"));
    assert_eq!(codes, ["relu-init"; 100]);
}

#[test]
fn long_names_are_refused() {
    let name = "a".repeat(300);
    let within = |name: &str| {
        format!(
            "block f(x) {{ {name} = x |> dense(2)  return {name} }}
             net m {{ input x: [N, 2]  {name} = f(x)  output y = {name} }}"
        )
    };
    assert!(codes(&within(&name[..100])).is_empty());
    assert_eq!(codes(&within(&name[..200])), ["name-too-long"]);
    assert_eq!(
        codes(&format!("net m {{ input {name}: [N, 2]  output y = 1 }}"))[0],
        "name-too-long"
    );
}

#[test]
fn a_flood_of_errors_is_cut() {
    let mut source = String::from("net m { input x: [N, 2]\n");
    for i in 0..20_000 {
        writeln!(source, "h{i} = x |> oops{i}").unwrap();
    }
    source += "output y = x }";
    let codes = codes(&source);
    assert_eq!(codes.len(), 101);
    assert_eq!(codes.iter().filter(|code| **code == "too-many-errors").count(), 1);
}

#[test]
fn constants_are_set_from_outside() {
    let source = "const H = 3  const W = H * 2
        net m { input x: [N, W]  output y = x |> dense(H) }";
    let set = |sets: &[(&str, f64)]| {
        let sets: Vec<_> = sets.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        lower(parse(source), &sets)
    };
    let weight = |sets| set(sets).unwrap().0.params[0].shape.to_string();
    assert_eq!(weight(&[]), "[6, 3]");
    assert_eq!(weight(&[("H", 5.0)]), "[10, 5]");
    assert_eq!(weight(&[("H", 5.0), ("W", 4.0)]), "[4, 5]");
    assert_eq!(weight(&[("H", 5.0), ("H", 7.0)]), "[14, 7]", "the last one counts");

    let told = set(&[("HH", 5.0)]).unwrap_err();
    assert_eq!(
        render(&told, "m.net", source, false).lines().next().unwrap(),
        "error[unknown-name]: the file has no constant `HH` to set"
    );
}

#[test]
fn mistakes_of_syntax_have_no_cascade() {
    let source = "net m {
        input x: [N, 4]
        hidden = x |> dense(3
        h2 = x |>
        output y = hidden |> dense(2)
        output z = h2 + inputs
        output w = x |> sigmiod + relu(x, 3)
    }
    train {
        target t: [N 2]
        loss = mse(y, t)
    }";
    let parsed = parse(source);
    let syntax = parsed.1.clone();
    assert_eq!(syntax.len(), 3);
    let told = lower(parsed, &[]).unwrap_err();
    let more = told.iter().filter(|diagnostic| !syntax.contains(diagnostic));
    let messages: Vec<&str> = more.map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        messages,
        ["unknown function `sigmiod`", "`relu` takes at most 1 argument without a name"]
    );
}
