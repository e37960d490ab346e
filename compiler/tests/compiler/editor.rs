//! What an editor asks of a text: its names with their uses, what they stand for although other
//! statements are wrong, and what stands around a place.

use crate::common::nets::NETS;
use crate::common::{Numbers, words, wrong_sources};
use arenet_compiler::fix::{Edit, Fix};
use arenet_compiler::lower::{Known, inspect, lower};
use arenet_compiler::names::{NameKind, at, names};
use arenet_compiler::syntax::{around, classes, parse};
use pretty_assertions::assert_eq;

/// The models of the project, and those of the tests.
fn sources() -> Vec<String> {
    let folder = format!("{}/../models", env!("CARGO_MANIFEST_DIR"));
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nets = paths.filter(|path| path.extension().is_some_and(|ending| ending == "net"));
    let models = nets.map(|path| std::fs::read_to_string(path).unwrap());
    models.chain(NETS.iter().map(|(_, source)| source.to_string())).collect()
}

/// The graph that a text is lowered to, without the names of its statements.
fn graph(source: &str) -> Vec<String> {
    let (model, _) = lower(parse(source), &[]).unwrap_or_else(|told| panic!("{told:?}\n{source}"));
    let nodes = model.graph.nodes.iter();
    nodes.map(|node| format!("{} {:?} {}", node.op, node.inputs, node.ty())).collect()
}

/// A name that is written otherwise wherever it stands leaves the same net.
#[test]
fn every_use_of_a_name_is_found() {
    let mut count = 0;
    for source in sources() {
        let before = graph(&source);
        for name in names(&parse(&source).0) {
            let places = std::iter::once(name.span).chain(name.uses.iter().copied());
            let edits: Vec<Edit> = places.map(|span| Edit::replace(span, "renamed")).collect();
            let renamed = Fix::new("rename", edits).apply(&source);
            assert_eq!(graph(&renamed), before, "{} of\n{source}", name.name);
            count += 1;
        }
    }
    assert!(count > 200, "{count} names were written otherwise");
}

#[test]
fn names_belong_to_their_bodies() {
    let source = "const x = 2
        block f(x, v) { w = x + v  return w }
        net m { input x: [N, 3]
            layer g(v) = v * x |> dense(3)
            w = f(x, v: x) |> g
            output y = w  freeze g  output he = x |> dense(3, init: he) }
        train { target t: [N, 3]  loss = mse(y, t) + 0 * sum(y.w)  optimizer(y) = adam }";
    let found = names(&parse(source).0);
    let told: Vec<(String, &str, usize)> =
        found.iter().map(|name| (name.name.clone(), name.kind.word(), name.uses.len())).collect();
    let expected = [
        ("x", "constant", 0),
        ("f", "block", 1),
        ("x", "argument", 1),
        ("v", "argument", 2), // in the body, and where it is given by its name
        ("w", "value", 1),
        ("m", "net", 0),
        ("x", "input", 4),
        ("g", "layer", 2),
        ("v", "argument", 1),
        ("w", "value", 1),
        ("y", "output", 3),
        ("he", "output", 0), // `init: he` is the word of the language
        ("t", "target", 1),
    ];
    let expected: Vec<_> = expected.map(|(name, kind, uses)| (name.to_string(), kind, uses)).into();
    assert_eq!(told, expected);
    let place = source.rfind("y.w").unwrap() as u32;
    assert_eq!(at(&found, place).map(|(name, _)| name.kind), Some(NameKind::Output));
    assert_eq!(at(&found, source.find("train").unwrap() as u32), None);
}

/// What is right is known although other statements are not.
#[test]
fn shapes_are_known_beside_mistakes() {
    let source = "const H = 3
        net m { input x: [N, 2]
            a = x |> dense(H)
            b = a |> nothing
            c = b + 1
            output y = a + oops }";
    let lowered = inspect(parse(source), &[]);
    assert!(lowered.model.is_none());
    let known: Vec<(&str, String)> = lowered
        .known
        .iter()
        .map(|(span, known)| {
            let known = match known {
                Known::Number(number) => number.to_string(),
                Known::Value(ty) => ty.to_string(),
            };
            (&source[span.range()], known)
        })
        .collect();
    let expected = [("H", "3"), ("x", "f32[N, 2]"), ("a", "f32[N, 3]")];
    assert_eq!(known, expected.map(|(name, known)| (name, known.to_string())));
}

#[test]
fn a_place_has_its_surroundings() {
    // What stands around the `~`: the section, the statement, the calls with their commas.
    for (text, section, statement, calls) in [
        ("~", None, None, ""),
        ("net m { ~", Some("net"), None, ""),
        ("net m { input x: [N, 2]\n ~", Some("net"), Some("input"), ""),
        ("net m { h = x |> dense(3, ~", Some("net"), Some("h"), "|dense 1"),
        ("net m { h = concat(a, relu(~", Some("net"), Some("h"), "concat 1 relu 0"),
        ("net m { h = concat(a, relu(b), ~", Some("net"), Some("h"), "concat 2"),
        ("net m { h = x |> reshape([2, ~", Some("net"), Some("h"), "|reshape 0"),
        ("net m { h = x }\ntrain { batch = ~", Some("train"), Some("batch"), ""),
        (
            "net m { h = x }\ntrain { optimizer = adam(lr: ~",
            Some("train"),
            Some("optimizer"),
            "adam 0",
        ),
        ("net m { h = x } ~", None, None, ""),
        ("block f(a) { return a + ~", Some("block"), Some("return"), ""),
    ] {
        let found = around(&text.replace('~', ""), text.find('~').unwrap());
        let told = found.calls.iter().map(|call| {
            let pipe = if call.is_piped { "|" } else { "" };
            format!("{pipe}{} {}", call.function, call.commas)
        });
        assert_eq!(told.collect::<Vec<_>>().join(" "), calls, "{text}");
        assert_eq!((found.section, found.statement.as_deref()), (section, statement), "{text}");
    }
    assert!(around("net m { // a ", 13).is_text);
    assert!(!around("net m { // a \n", 14).is_text);
    assert_eq!(around("f(lr: ", 6).argument.as_deref(), Some("lr"));
    assert!(around("net m {\n h = x\n de", 18).begins_statement);
    assert!(!around("net m {\n h = x |>\n de", 21).begins_statement);
}

/// Names and surroundings are those of any text, and within it.
#[test]
fn any_text_can_be_looked_at() {
    let sources: Vec<String> = wrong_sources().into_iter().chain(sources()).collect();
    let all: Vec<String> = sources.iter().flat_map(|source| words(source)).collect();
    let mut numbers = Numbers::new(17);
    let mut pick = |n: usize| (numbers.next() * n as f64) as usize;
    for round in 0..600 {
        let mut words = words(&sources[round % sources.len()]);
        for _ in 0..4 {
            let at = pick(words.len());
            match pick(3) {
                0 => words[at] = all[pick(all.len())].clone(),
                1 => words.insert(at, ["😀", "\"", "(", "//", "/*"][pick(5)].to_string()),
                _ => words.truncate(at + 1),
            }
        }
        let source = words.concat();
        let parsed = parse(&source);
        for name in names(&parsed.0) {
            for span in std::iter::once(&name.span).chain(&name.uses) {
                assert_eq!(&source[span.range()], name.name, "{source}");
            }
        }
        inspect(parsed, &[]);
        let spans = classes(&source).into_iter().map(|(span, _)| span.range());
        assert!(spans.map(|range| source[range].len()).all(|length| length > 0));
        for _ in 0..5 {
            around(&source, pick(source.len() + 2));
        }
    }
}
