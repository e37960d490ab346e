//! Batch normalisation against PyTorch's results in float64, in training and outside of it.

use crate::common::oracle::lowered;
use crate::reference::{cases, close, flat, tensor};
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::{Leaf, Source};
use arenet_compiler::graph::{Formula, NodeId, Tensor};
use arenet_compiler::pass::differentiate::differentiate;
use arenet_compiler::pass::mode::in_training;
use arenet_compiler::pass::simplify::simplify;
use arenet_program::HostInput;
use serde_json::Value;

/// In the order of the net's parameters: PyTorch's names, and the values at the start.
const STATE: [(&str, f64); 4] =
    [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)];

fn check(case: &Value, trains: bool) {
    let [x, dy] = ["x", "dy"].map(|key| tensor(&case[key], true));
    let rows = case["x"].as_array().unwrap().len();
    let source = format!(
        "net a {{ input x: {0}  input dy: {0}  output y = x |> batch_norm  output _dy = dy }}",
        x.shape
    );
    let model = lowered(&source);
    let names: Vec<&str> = model.params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["y.w", "y.b", "y.mean", "y.var"]);
    let state = |index: usize| {
        let (name, start) = STATE[index];
        let given = tensor(&case["state"][name], false);
        // In training, what the file gives are the running statistics after the step.
        match trains && index > 1 {
            true => Tensor { data: vec![start; given.data.len()], ..given },
            false => given,
        }
    };
    let mut graph = model.graph.clone();
    let stands = match trains {
        true => in_training(&mut graph),
        false => graph.ids().collect(),
    };
    let [x_id, y] = [model.inputs[0].node, stands[model.outputs[0].1.index()]];
    let f = Formula::new(&mut graph);
    let loss = (f.term(y) * f.term(model.inputs[1].node)).sum().id;
    let wrt: Vec<NodeId> =
        [x_id].into_iter().chain(model.params[..2].iter().map(|param| param.node)).collect();
    let grads = differentiate(&mut graph, loss, &wrt);
    let statistics = model.statistics.iter().map(|statistic| statistic.new);
    graph.roots = [y].into_iter().chain(grads.into_iter().flatten()).chain(statistics).collect();
    let grads = &case["param_grads"];
    let mut expected = vec![&case["y"], &case["dx"], &grads["weight"], &grads["bias"]];
    if trains {
        expected.extend([&case["state"]["running_mean"], &case["state"]["running_var"]]);
    }
    for graph in [&graph, &simplify(&graph)] {
        let leaves = |leaf: &Leaf| match leaf.source {
            Source::Input(0) => x.clone(),
            Source::Input(_) => dy.clone(),
            Source::Param(id) => state(id.index()),
            Source::PerRow(factor) => Tensor::scalar(factor / rows as f64),
            Source::Host(id) => {
                Tensor::scalar(graph.hosts[id.index()].value(|input| match input {
                    HostInput::Rows => rows as f64,
                    other => panic!("no value for {other:?}"),
                }))
            }
            other => panic!("no value for {other:?}"),
        };
        let values = evaluate(graph, leaves, rows);
        for (root, expected) in graph.roots.iter().zip(&expected) {
            close("batch_norm", &values[root.index()].data, &flat(expected), 1e-12);
        }
    }
}

#[test]
fn it_is_that_of_pytorch() {
    let mut checked = 0;
    for case in cases("layers.json") {
        match case["layer"].as_str().unwrap() {
            "batch_norm_train" => check(&case, true),
            "batch_norm_eval" => check(&case, false),
            _ => continue,
        }
        checked += 1;
    }
    assert_eq!(checked, 2);
}
