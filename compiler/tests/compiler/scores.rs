//! What outputs say of targets, by the losses and metrics that compare them.

use arenet_compiler::{Options, Purpose, compile};
use arenet_program::Scale;

/// What the outputs of a net with these statements say of its target.
#[track_caller]
fn check(net: &str, train: &str, expected: &[Option<Scale>]) {
    let text = format!("net n {{ input x: [N, 4]  z = x |> dense(3)  {net} }}\n{train}");
    let options = Options { purpose: Purpose::Evaluate, ..Options::default() };
    let compiled = compile(&text, &options).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let outputs = compiled.program.program().outputs.iter();
    let found: Vec<_> = outputs.map(|output| output.scores.map(|scores| scores.scale)).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn scores_are_what_losses_and_metrics_take_them_for() {
    let classes = |loss: &str| {
        format!("train {{ target t: i32[N] in 0..3  loss = {loss}  optimizer = sgd(lr: 1) }}")
    };
    let [logit, probability, log, order] =
        [Scale::Logit, Scale::Probability, Scale::Log, Scale::Order].map(Some);
    let both = "output a = z  output b = softmax(z)";
    check(both, &classes("cross_entropy(z, t)"), &[logit, probability]);
    check(both, &classes("nll(log_softmax(z), t)"), &[logit, probability]);
    check("output a = log_softmax(z)", &classes("nll(a, t)"), &[log]);
    check("output a = z", &classes("nll(z, t)"), &[log]);
    check("output a = log_softmax(z)", &classes("cross_entropy(z, t)"), &[log]);
    // A metric only looks for the largest, and does not contradict.
    let with = |metric: &str| format!("mse(z, one_hot(t))  metric {metric}");
    check("output a = z", &classes(&with("accuracy(z, t)")), &[order]);
    check("output a = z", &classes("cross_entropy(z, t)  metric accuracy(z, t)"), &[logit]);
    check(both, &classes(&with("log_loss(b, t)")), &[logit, probability]);
    // Softmax of a softmax: nobody knows what is meant.
    check("output b = softmax(z)", &classes("cross_entropy(b, t)"), &[order]);
    // What is made of logits otherwise says nothing, nor does what nothing is compared with.
    check("output a = z |> sigmoid", &classes("cross_entropy(z, t)"), &[None]);
    check("output a = z |> sigmoid", &classes("cross_entropy(a, t)"), &[logit]);
}

#[test]
fn shares_are_scored_by_binary_cross_entropy() {
    let shares =
        |loss: &str| format!("train {{ target t: [N, 3]  loss = {loss}  optimizer = sgd(lr: 1) }}");
    let [logit, probability] = [Scale::Logit, Scale::Probability].map(Some);
    let both = "output a = z  output b = z |> sigmoid";
    check(both, &shares("bce_logits(z, t)"), &[logit, probability]);
    check(both, &shares("bce(b, t)"), &[logit, probability]);
    check(both, &shares("mse(b, t)"), &[None, None]);
    check("output a = softmax(z)", &shares("bce_logits(z, t)"), &[None]);
    // The target itself, and no function of it.
    check(both, &shares("bce(b, 1 - t)"), &[None, None]);
}
