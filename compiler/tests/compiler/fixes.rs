//! What diagnostics offer to write: it puts right what they are about, and nothing new is wrong.

use crate::common::{Numbers, words, wrong_sources};
use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{Diagnostic, Severity, render};
use arenet_compiler::fix::{Fix, apply_certain};
use arenet_compiler::lower::lower;
use arenet_compiler::syntax::parse;
use pretty_assertions::assert_eq;
use std::collections::BTreeSet;

/// What a text whose syntax is wrong is not told, since a missing statement may be the reason.
const GAPS: [Code; 8] = [
    Code::MissingLoss,
    Code::MissingNet,
    Code::MissingOptimizer,
    Code::MissingOutput,
    Code::NothingToTrain,
    Code::UnknownClasses,
    Code::UnknownFunction,
    Code::UnknownName,
];

/// A statement in each place where one may stand, wrong, and what is made of it by the fixes that
/// are certain.
const CERTAIN: &[(&str, &str)] = &[
    // Names: a slip of the hand, another spelling, the word of another tool.
    ("output y = x |> dens(2)", "output y = x |> dense(2)"),
    ("output y = x |> Dense(2)", "output y = x |> dense(2)"),
    ("h = x |> dense(2) |> swish  output y = h", "h = x |> dense(2) |> silu  output y = h"),
    ("output y = x |> dense(units: 2)", "output y = x |> dense(n: 2)"),
    ("output y = x |> dense(2, bais: false)", "output y = x |> dense(2, bias: false)"),
    ("output y = x |> dense(2, bias: False)", "output y = x |> dense(2, bias: false)"),
    ("output y = x |> dense(2, bias: 0)", "output y = x |> dense(2, bias: false)"),
    ("hidden = x  output y = hiden |> dense(2)", "hidden = x  output y = hidden |> dense(2)"),
    (
        "output y = x |> dense(2)  limit memory = 1 kib",
        "output y = x |> dense(2)  limit memory = 1 KiB",
    ),
    ("ouput y = x |> dense(2)", "output y = x |> dense(2)"),
    ("output y = dense(x, 2, activation: relu6)", "output y = relu6(dense(x, 2))"),
    (
        "output y = x |> dense(2, activation: tanh) |> dense(2)",
        "output y = x |> dense(2) |> tanh |> dense(2)",
    ),
    // Signs of other languages.
    ("h = x;output y = h |> dense(2);", "h = x output y = h |> dense(2)"),
    ("h := x  output y == h |> dense(2)", "h = x  output y = h |> dense(2)"),
    ("output y = x -> dense(2)", "output y = x |> dense(2)"),
    ("output y = x | dense(2)", "output y = x |> dense(2)"),
    ("output y = x × 2 − 1 |> dense(2)", "output y = x * 2 - 1 |> dense(2)"),
    ("let h = x  output y = h |> dense(2)", "h = x  output y = h |> dense(2)"),
    ("output y = x |> dense(2) # two", "output y = x |> dense(2) // two"),
    ("output y = x /* of\n  both */ |> dense(2)", "output y = x // of\n//  both\n |> dense(2)"),
    ("output y = x |> dense(n = 2)", "output y = x |> dense(n: 2)"),
    ("output y = x |> dense(n=2)", "output y = x |> dense(n: 2)"),
    (
        "input c: i32[N] in 0..=3  output y = c |> embedding(2)",
        "input c: i32[N] in 0..4  output y = c |> embedding(2)",
    ),
    (
        "input c: i32[N] in ['a', 'b c']  output y = c |> embedding(2)",
        "input c: i32[N] in [\"a\", \"b c\"]  output y = c |> embedding(2)",
    ),
    (
        "input c: i32[N] in [“a”, “b c”]  output y = c |> embedding(2)",
        "input c: i32[N] in [\"a\", \"b c\"]  output y = c |> embedding(2)",
    ),
    ("output y = x\u{a0}|> dense(2)", "output y = x |> dense(2)"),
    ("output y = x |> dense(2) // \u{202e}odd", "output y = x |> dense(2) // odd"),
    // Numbers.
    ("output y = x * .5 |> dense(2)", "output y = x * 0.5 |> dense(2)"),
    ("output y = x + 1. |> dense(2)", "output y = x + 1.0 |> dense(2)"),
    // What is missing.
    ("output y = x |> dense(2 bias: false)", "output y = x |> dense(2, bias: false)"),
    ("input z: [N 2]  output y = z |> dense(2)", "input z: [N, 2]  output y = z |> dense(2)"),
    ("input z [N, 2]  output y = z |> dense(2)", "input z: [N, 2]  output y = z |> dense(2)"),
    ("output y = x |> dense(2\n output z = x", "output y = x |> dense(2)\n output z = x"),
    (
        "limit memory 1 MiB  output y = x |> dense(2)",
        "limit memory = 1 MiB  output y = x |> dense(2)",
    ),
];

/// The same inside `train`, with an output `y` of two numbers and its sigmoid `p` and softmax `q`.
const CERTAIN_IN_TRAIN: &[(&str, &str)] = &[
    ("optimizer = adam(learning_rate: 0.1)", "optimizer = adam(lr: 0.1)"),
    ("optimizer adam", "optimizer = adam"),
    ("optimizer = adam  batch_size = 8", "optimizer = adam  batch = 8"),
    ("optimizer = adam  epoch = 8", "optimizer = adam  epochs = 8"),
    (
        "optimizer = adagrad(lr: one_cycle(0.1, cycle_momentum: true), eps: 1e-8)",
        "optimizer = adagrad(lr: one_cycle(0.1), eps: 1e-8)",
    ),
    ("optimizer = sgd(lr: one_cycle(0.1), momentum: 0.9)", "optimizer = sgd(lr: one_cycle(0.1))"),
    ("optimizer = adam  metric bce_logits(p, t)", "optimizer = adam  metric bce(p, t)"),
    (
        "optimizer = adam  metric bce_logits(p, t, pos_weight: 2)",
        "optimizer = adam  metric bce_logits(y, t, pos_weight: 2)",
    ),
    (
        "optimizer = adam  metric bce_logits(sigmoid(y - 1), t, pos_weight: 2)",
        "optimizer = adam  metric bce_logits(y - 1, t, pos_weight: 2)",
    ),
    (
        "optimizer = adam  metric cross_entropy(q, c)",
        "optimizer = adam  metric cross_entropy(y, c)",
    ),
    (
        "optimizer = adam  metric cross_entropy((y |> softmax), c)",
        "optimizer = adam  metric cross_entropy((y), c)",
    ),
    ("optimizer = adam  metric log_loss(y, c)", "optimizer = adam  metric log_loss(softmax(y), c)"),
    (
        "u: [N, 2]  optimizer = adam  metric mse(y, u)",
        "target u: [N, 2]  optimizer = adam  metric mse(y, u)",
    ),
];

/// What is only offered, beside what the examples of the explanations have.
const OFFERED: &[&str] = &[
    "output y = x |> dense(2)  limit memory = 123456789012345678901234 B",
    "output y = x * 123456789012345678901234",
    "input c: [N] from \"mass\n output y = x",
    "output y = x.relu()",
    "output y = (x |> dense(2)))",
    "h = dense(x, 2, n: 3)  output y = x + h",
];

fn net(statement: &str) -> String {
    format!("net m {{\n    input x: [N, 2]\n    {statement}\n}}")
}

fn train(statement: &str) -> String {
    format!(
        "net m {{ input x: [N, 2]  output y = x |> dense(2)  p = sigmoid(y)\n\
         output q = y |> softmax  output r = p }}\n\
         train {{ target t: [N, 2]  target c: i32[N]  loss = mse(y, t) + 0 * cross_entropy(y, c)\n\
         {statement} }}"
    )
}

/// What is told of a text.
fn told(source: &str) -> Vec<Diagnostic> {
    lower(parse(source), &[]).map_or_else(|told| told, |(_, warnings)| warnings)
}

fn codes(told: &[Diagnostic]) -> Vec<&'static str> {
    told.iter().map(|found| found.code.name()).collect()
}

#[test]
fn what_is_certain_is_put_right() {
    for (wrong, right) in CERTAIN {
        let fixed = apply_certain(&net(wrong), told);
        assert_eq!(fixed.text, net(right));
        assert!(!fixed.made.is_empty());
        let left = told(&fixed.text);
        let errors = left.iter().filter(|found| found.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{right}: {:?}", codes(&left));
    }
    for (wrong, right) in CERTAIN_IN_TRAIN {
        let fixed = apply_certain(&train(wrong), told);
        assert_eq!(fixed.text, train(right));
        assert_eq!(codes(&told(&fixed.text)), [""; 0], "{right}");
    }
}

/// What is not certain is offered, but not applied unseen.
#[test]
fn what_may_be_meant_otherwise_is_left() {
    for source in [
        net("h1 = x  h2 = x  output y = h3 + h1 + h2"),
        net("kept = x  keep = x  output y = kep + kept + keep"),
        net("input n: i32[N] in 0...3  output y = n |> embedding(2)"),
        net("output y = x |> dense(2) |> relu"),
        net("forgotten = x  output y = x"),
        net("input z: [3]  output y = z"),
        train("optimizer = sgd(lr: CosineAnnealingLR(50))"),
        train("optimizer = sgd(nesterov: true)"),
        train(""),
    ] {
        let found = told(&source);
        let offers = found.iter().flat_map(|found| &found.fixes);
        assert!(offers.clone().count() > 0, "{source}");
        assert!(offers.into_iter().all(|fix| !fix.is_certain), "{source}");
        assert_eq!(apply_certain(&source, told).text, source);
    }
}

/// The examples of the explanations, the cases of the diagnostics, and those above.
fn corpus() -> Vec<String> {
    let explained = Code::ALL.iter().flat_map(|code| {
        let fenced = code.explanation().split("```").skip(1).step_by(2);
        fenced.filter_map(|part| part.strip_prefix("net\n")).map(str::to_string)
    });
    let nets = CERTAIN.iter().map(|(wrong, _)| net(wrong));
    let trains = CERTAIN_IN_TRAIN.iter().map(|(wrong, _)| train(wrong));
    let offered = OFFERED.iter().map(|wrong| net(wrong));
    wrong_sources().into_iter().chain(explained).chain(nets).chain(trains).chain(offered).collect()
}

/// Why a fix does not do what it is for, if so. What is told of the new text is new where nothing
/// else was wrong before; otherwise it may have been hidden, since the uses of what failed are
/// silent.
fn fault(source: &str, before: &[Diagnostic], found: &Diagnostic, fix: &Fix) -> Option<String> {
    let text = fix.apply(source);
    let after = told(&text);
    let is_same = |a: &Diagnostic, b: &Diagnostic| (a.code, &a.message) == (b.code, &b.message);
    let count = |told: &[Diagnostic]| told.iter().filter(|other| is_same(other, found)).count();
    let incomplete = !parse(source).1.is_empty();
    let is_new = |other: &&Diagnostic| {
        let is_hidden = match found.code {
            Code::UnknownFunction => other.code == Code::ShapeMismatch,
            _ => incomplete && GAPS.contains(&other.code),
        };
        let is_hidden = is_hidden || before.len() > 1;
        let is_known = before.iter().any(|known| is_same(known, other));
        other.severity == Severity::Error && !is_hidden && !is_known
    };
    let why = match (count(&after) < count(before), after.iter().find(is_new)) {
        (true, None) => return None,
        (false, _) => "it is told again",
        (_, Some(_)) => "something new is told",
    };
    let shown = render(&after, "after", &text, false);
    Some(format!("{}: {}: {why}\n{text}\n{shown}", found.code, fix.title))
}

#[test]
fn a_fix_ends_its_message_and_begins_no_other() {
    let mut faults = Vec::new();
    let mut fixed: BTreeSet<&str> = BTreeSet::new();
    for source in corpus() {
        let before = told(&source);
        for found in &before {
            for fix in &found.fixes {
                fixed.insert(found.code.name());
                faults.extend(fault(&source, &before, found, fix));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert_eq!(fixed.len(), 39, "{fixed:?}");
}

/// Whatever a text is, its fixes are within it, what is certain comes to an end, and a text without
/// mistakes stays one.
#[test]
fn any_text_can_be_fixed() {
    let corpus = corpus();
    let all: Vec<String> = corpus.iter().flat_map(|source| words(source)).collect();
    let mut numbers = Numbers::new(5);
    let mut pick = |n: usize| (numbers.next() * n as f64) as usize;
    let mut applied = 0;
    for round in 0..1500 {
        let mut words = words(&corpus[round % corpus.len()]);
        for _ in 0..=pick(3) {
            let at = pick(words.len());
            match pick(3) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, all[pick(all.len())].clone()),
                _ => words[at] = all[pick(all.len())].clone(),
            }
        }
        let source = words.concat();
        let before = told(&source);
        before.iter().flat_map(|found| &found.fixes).for_each(|fix| drop(fix.apply(&source)));
        let fixed = apply_certain(&source, told);
        applied += usize::from(!fixed.made.is_empty());
        let is_wrong = |told: &[Diagnostic]| told.iter().any(|d| d.severity == Severity::Error);
        assert!(is_wrong(&before) || !is_wrong(&told(&fixed.text)), "{source}");
    }
    assert!(applied > 200, "{applied} of the texts had a fix that is certain");
}
