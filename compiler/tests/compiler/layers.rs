//! Functions that choose elements and put them together, beside what PyTorch says of the same rows.

use crate::common::central_differences;
use crate::common::oracle::lowered;
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::Source;
use arenet_compiler::graph::{Formula, Tensor};
use arenet_compiler::pass::differentiate::differentiate;
use arenet_compiler::pass::simplify::simplify_model;

/// Two rows of a [N, 4] without ties, a [N, 2, 3] and classes of 0..3.
fn inputs() -> [Tensor; 3] {
    let shape = |index: usize| {
        let source = "net m { input x: [N, 4]  input m: [N, 2, 3]  input c: i32[N] in 0..3
                      output y = x + dense(flatten(m), 4)  output z = one_hot(c) }";
        lowered(source).inputs[index].shape
    };
    let m = (0..12).map(|i| f64::from(i) * 0.25 - 1.0).collect();
    [
        Tensor { shape: shape(0), data: vec![1.0, -2.0, 3.0, 0.5, -1.0, 4.0, 2.0, -3.0] },
        Tensor { shape: shape(1), data: m },
        Tensor { shape: shape(2), data: vec![2.0, 0.0] },
    ]
}

/// What a formula of x, m and c is, and that its gradients are those of central differences.
#[track_caller]
fn check(formula: &str, shape: &str, expected: &[f64]) {
    let source = format!(
        "net m {{ input x: [N, 4]  input m: [N, 2, 3]  input c: i32[N] in 0..3
                  output y = {formula}
                  output z = sum(x, axis: last) + sum(reshape(m, [6]), axis: last)
                  output w = one_hot(c) }}"
    );
    let inputs = inputs();
    for model in [lowered(&source), simplify_model(lowered(&source))] {
        let (y, mut graph) = (model.outputs[0].1, model.graph.clone());
        assert_eq!(graph.shape(y).to_string(), shape, "{formula}");
        let f = Formula::new(&mut graph);
        let loss = (f.term(y) * f.term(y)).sum().id;
        let wanted = [model.inputs[0].node, model.inputs[1].node];
        let grads = differentiate(&mut graph, loss, &wanted);
        let values = |inputs: &[Tensor; 3]| {
            evaluate(
                &graph,
                |leaf| match leaf.source {
                    Source::Input(index) => inputs[index as usize].clone(),
                    other => panic!("no value for {other:?}"),
                },
                2,
            )
        };
        let found = values(&inputs);
        assert_eq!(found[y.index()].data, expected, "{formula}");
        for (index, grad) in grads.into_iter().enumerate() {
            let Some(grad) = grad else { continue };
            let differences = central_differences(&inputs[index], |x| {
                let mut inputs = inputs.clone();
                inputs[index] = x.clone();
                values(&inputs)[loss.index()].data[0]
            });
            for (own, other) in found[grad.index()].data.iter().zip(&differences.data) {
                assert!((own - other).abs() < 1e-5, "{formula}: {own} against {other}");
            }
        }
    }
}

#[test]
fn rows_are_put_together_and_taken_apart() {
    check("slice(x, from: 1, to: 3)", "[N, 2]", &[-2.0, 3.0, 4.0, 2.0]);
    check("slice(x, to: 1)", "[N, 1]", &[1.0, -1.0]);
    check("reshape(slice(x, to: 1), [])", "[N]", &[1.0, -1.0]);
    check("x |> slice(from: 3)", "[N, 1]", &[0.5, -3.0]);
    check("x |> slice(from: 1) |> slice(from: 1, to: 2)", "[N, 1]", &[3.0, 2.0]);
    check("concat(slice(x, to: 1), slice(x, from: 3))", "[N, 2]", &[1.0, 0.5, -1.0, -3.0]);
    let (a, b) = ([1.0, -2.0, 3.0, 0.5], [-1.0, 4.0, 2.0, -3.0]);
    check("concat(x, x, x, x, x)", "[N, 20]", &[[a; 5].concat(), [b; 5].concat()].concat());
    check("reshape(x, [2, 2])", "[N, 2, 2]", &[a, b].concat());
    let m: Vec<f64> = (0..12).map(|i| f64::from(i) * 0.25 - 1.0).collect();
    check("flatten(m)", "[N, 6]", &m);
    check("reshape(m, [3, 2])", "[N, 3, 2]", &m);
    check("m |> flatten |> reshape([2, 3])", "[N, 2, 3]", &m);
}

#[test]
fn rows_have_a_sum_a_mean_and_a_largest_element() {
    check("sum(x, axis: last)", "[N, 1]", &[2.5, 2.0]);
    check("mean(x, axis: last)", "[N, 1]", &[0.625, 0.5]);
    check("max(x)", "[N, 1]", &[3.0, 4.0]);
    check("argmax(x)", "[N, 1]", &[2.0, 1.0]);
    check("max(m)", "[N, 2, 1]", &[-0.5, 0.25, 1.0, 1.75]);
    check("x - max(x)", "[N, 4]", &[-2.0, -5.0, 0.0, -2.5, -5.0, 0.0, -2.0, -7.0]);
    check("argmax(x * 0)", "[N, 1]", &[0.0, 0.0]);
}

#[test]
fn classes_and_whole_numbers_have_rows_of_their_own() {
    check("one_hot(c)", "[N, 3]", &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    check("one_hot(c, 4)", "[N, 4]", &[0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    check("one_hot(argmax(x), 4)", "[N, 4]", &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    check("one_hot(argmax(x), 2)", "[N, 2]", &[0.0, 0.0, 0.0, 1.0]);
}
