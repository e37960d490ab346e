//! Values at the ends of their range: losses and their gradients stay finite.

use crate::common::oracle::lowered;
use arenet_compiler::code::Code;
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::Source;
use arenet_compiler::graph::{Shape, Tensor};
use arenet_compiler::pass::differentiate::differentiate;

/// A loss of one row of predictions, and its gradient.
fn loss_and_grad(loss: &str, y: &[f64], t: &[f64], target: &str) -> (f64, Vec<f64>) {
    let width = y.len();
    let model = lowered(&format!(
        "net m {{ input x: [N, {width}]  param p: []  output y = x + p }}
         train {{ target t: {target}  loss = {loss}(y, t)  optimizer = sgd }}"
    ));
    let mut graph = model.graph.clone();
    let value = model.loss.unwrap();
    let grad = differentiate(&mut graph, value, &[model.outputs[0].1])[0].unwrap();
    let row = |shape: Shape, data: &[f64]| Tensor { shape, data: data.to_vec() };
    let values = evaluate(
        &graph,
        |leaf| match leaf.source {
            Source::Input(_) => row(leaf.shape, y),
            Source::Target(_) => row(leaf.shape, t),
            Source::PerRow(factor) => Tensor::scalar(factor),
            _ => Tensor::scalar(0.0),
        },
        1,
    );
    (values[value.index()].data[0], values[grad.index()].data.clone())
}

#[test]
fn bce_of_certain_predictions() {
    // Certain and right costs nothing; certain and wrong costs 100, and its gradient is
    // (y - t) / max(y (1 - y), 1e-12), as in PyTorch.
    let (loss, grad) = loss_and_grad("bce", &[0.0, 1.0], &[0.0, 1.0], "[N, 2]");
    assert_eq!((loss, grad), (0.0, vec![0.0, 0.0]));
    let (loss, grad) = loss_and_grad("bce", &[0.0, 1.0], &[1.0, 0.0], "[N, 2]");
    assert_eq!((loss, grad), (100.0, vec![-5e11, 5e11]));
}

#[test]
fn numbers_that_are_computed_stay_within_32_bit_floats() {
    let told = |value: &str| {
        let source = format!("net m {{ input x: [N, 1]  output y = x * {value} }}");
        let told = arenet_compiler::compile(&source, &Default::default()).err().unwrap();
        (told[0].message.clone(), source[told[0].span.range()].to_string())
    };
    assert_eq!(
        told("exp(100)"),
        (
            "a number computed here is 2.688e43, which a 32-bit float cannot hold".to_string(),
            "x * exp(100)".to_string()
        )
    );
    assert_eq!(
        told("log(0)").0,
        "a number computed here is -inf, which a 32-bit float cannot hold"
    );
    assert_eq!(told("sqrt(-1)").0, "a number computed here is not a number");

    // The factor of a mean is computed with 64 bits, and may not leave 32.
    let loss = |factors: usize| {
        let factors = " * 1e38".repeat(factors);
        let source = format!(
            "net m {{ input x: [N, 1]  output y = x |> dense(1) }}
             train {{ target t: [N, 1]  loss = mse(y, t){factors}  optimizer = sgd }}"
        );
        arenet_compiler::compile(&source, &Default::default())
    };
    assert!(loss(1).is_ok());
    assert_eq!(loss(9).err().unwrap()[0].code, Code::NumberTooLarge);
}

#[test]
fn losses_of_large_logits() {
    let (loss, grad) = loss_and_grad("bce_logits", &[1000.0, -1000.0], &[0.0, 0.0], "[N, 2]");
    assert_eq!((loss, grad), (500.0, vec![0.5, 0.0]));
    let (loss, grad) = loss_and_grad("cross_entropy", &[1000.0, -1000.0], &[1.0], "i32[N]");
    assert_eq!((loss, grad), (2000.0, vec![1.0, -1.0]));
}
