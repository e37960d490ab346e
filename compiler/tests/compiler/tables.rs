//! Functions for the columns of tables, whose holes are NaN, beside what NumPy says of the same.

use crate::common::central_differences;
use crate::common::oracle::lowered;
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::{Leaf, Source};
use arenet_compiler::graph::{Formula, Tensor};
use arenet_compiler::pass::differentiate::differentiate;
use arenet_compiler::pass::simplify::simplify_model;

/// What a formula of x is, with holes among its elements, and that its gradients are those of
/// central differences where there is no hole; there they are `at_hole`.
#[track_caller]
fn check(formula: &str, x: &[f64], expected: &[f64], at_hole: f64) {
    let source = format!("net m {{ input x: [N, 2]  output y = {formula} }}");
    for model in [lowered(&source), simplify_model(lowered(&source))] {
        let x = Tensor { shape: model.inputs[0].shape, data: x.to_vec() };
        let (y, mut graph) = (model.outputs[0].1, model.graph.clone());
        let f = Formula::new(&mut graph);
        let sum = f.term(y).sum().id;
        let grad = differentiate(&mut graph, sum, &[model.inputs[0].node])[0];
        let values = |x: &Tensor| {
            let leaf = |leaf: &Leaf| match leaf.source {
                Source::Input(_) => x.clone(),
                other => panic!("no value for {other:?}"),
            };
            evaluate(&graph, leaf, 3)
        };
        let found = values(&x);
        let same = |a: &f64, b: &f64| a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-15 * b.abs();
        let y = &found[y.index()].data;
        assert!(y.iter().zip(expected).all(|(a, b)| same(a, b)), "{formula}: {y:?}");
        let Some(grad) = grad else { continue };
        let given = Tensor {
            data: x.data.iter().map(|x| if x.is_nan() { 0.5 } else { *x }).collect(),
            ..x.clone()
        };
        let differences = central_differences(&given, |x| values(x)[sum.index()].data[0]);
        for (i, own) in found[grad.index()].data.iter().enumerate() {
            let hole = x.data[i].is_nan();
            let known = if hole { at_hole } else { differences.data[i] };
            let close = own.is_nan() && known.is_nan() || (own - known).abs() < 1e-6;
            assert!(close, "{formula}: {own} against {known}");
        }
    }
}

const NAN: f64 = f64::NAN;
/// Rows with three holes.
const X: [f64; 6] = [1.0, NAN, -2.5, 0.25, NAN, 7.0];

/// numpy.isnan, numpy.clip, numpy.log1p
#[test]
fn holes_are_told_and_passed_on() {
    check("is_missing(x)", &X, &[0.0, 1.0, 0.0, 0.0, 1.0, 0.0], 0.0);
    check("clip(x, -1, 3)", &X, &[1.0, NAN, -1.0, 0.25, NAN, 3.0], 0.0);
    let logs = [1.0, NAN, 1e-20, 1e-9, 0.0, 1e30];
    let expected = [2.0f64.ln(), NAN, 1e-20, 9.999999995e-10, 0.0, 1e30f64.ln()];
    check("log1p(x)", &logs, &expected, NAN);
}
