//! Runs of PyTorch in float64, repeated: tests/reference says how they were made.

use crate::common::{Tensor, Weights, floats, load, program, run_to};
use crate::optimizer::{one_cycle, optimizer};
use arenet::internals::compiler::entry::built;
use arenet::internals::compiler::optim::OPTIMIZERS;
use arenet::internals::prelude::*;
use arenet::internals::runtime::simd::Isa;
use serde_json::Value;
use std::ops::ControlFlow;

/// A file of reference values, and its cases.
fn document(name: &str) -> (Value, Vec<Value>) {
    let path = format!("{}/tests/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = reference["cases"].as_array().unwrap().clone();
    (reference, cases)
}

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The net of a training run. Its activation follows the last layer too where that is a sigmoid
/// into mse.
fn net(case: &Value) -> String {
    let sizes: Vec<u64> =
        case["sizes"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).collect();
    let (run, loss) = (text(&case["run"]), text(&case["loss"]));
    let activation = ["relu", "tanh"].into_iter().find(|name| run.contains(name));
    let activation = activation.unwrap_or("sigmoid");
    let last = sizes.len() - 1;
    let mut body = format!("input h0: [N, {}]\n", sizes[0]);
    for (i, size) in sizes.iter().enumerate().skip(1) {
        let output = if i == last { "output " } else { "" };
        let follows = i < last || (activation == "sigmoid" && loss == "mse");
        let then = if follows { format!(" |> {activation}") } else { String::new() };
        body += &format!("{output}h{i} = h{} |> dense({size}){then}\n", i - 1);
    }
    let outputs = sizes[last];
    let target = match loss {
        "mse" => format!("[N, {outputs}]"),
        _ => format!("i32[N] in 0..{outputs}"),
    };
    format!(
        "net reference {{ {body} }}\n\
         train {{ target t: {target}\n loss = {loss}(h{last}, t)\n optimizer = {}\n batch = {} }}",
        optimizer(case),
        case["batch"]
    )
}

fn data(case: &Value) -> Dataset {
    let rows = case["x"].as_array().unwrap().len();
    let x = numbers(&case["x"]);
    let target = numbers(&case["target"]);
    let target = match text(&case["loss"]) {
        "mse" => floats(target.len() / rows, target),
        _ => Array {
            width: 1,
            data: Values::I32(target.iter().map(|&class| class as i32).collect()),
        },
    };
    let inputs = vec![floats(x.len() / rows, x)];
    Dataset { rows, inputs, targets: vec![target], ..Dataset::default() }
}

/// Weights and biases as tensors; `kind` is empty, or `final_` for those of the end.
fn tensors(case: &Value, kind: &str) -> Vec<Tensor> {
    let mut tensors = Vec::new();
    for i in 0..case["sizes"].as_array().unwrap().len() - 1 {
        let weight = &case[format!("{kind}weights")][i];
        let bias = numbers(&case[format!("{kind}biases")][i]);
        let shape = vec![weight.as_array().unwrap().len(), bias.len()];
        let name = format!("h{}", i + 1);
        tensors.push(Tensor { name: format!("{name}.w"), shape, data: numbers(weight) });
        tensors.push(Tensor { name: format!("{name}.b"), shape: vec![bias.len()], data: bias });
    }
    tensors
}

#[test]
fn losses_and_weights_of_whole_runs_are_those_of_pytorch() {
    let (_, cases) = document("training.json");
    assert_eq!(cases.len(), 5);
    for (case, isa) in cases.iter().flat_map(|case| Isa::available().map_with(case)) {
        let run = text(&case["run"]);
        let settings = Settings { epochs: Some(100), shuffle: Some(false), ..Settings::default() };
        let options = RunOptions { isa: Some(isa), ..RunOptions::default() };
        let mut trainer =
            Trainer::new(program(&net(case)), data(case), &Settings { run: options, ..settings })
                .unwrap();
        load(&mut trainer, &tensors(case, ""));

        let expected = case["losses"].as_array().unwrap();
        let mut losses = Vec::new();
        while losses.len() < expected.len() {
            let mut on_step = |progress: Progress| {
                losses.push(f64::from(progress.loss));
                let more = losses.len() < expected.len();
                if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            trainer.run_epoch(&mut on_step).unwrap();
        }
        for (step, (loss, expected)) in losses.iter().zip(expected).enumerate() {
            let expected = expected.as_f64().unwrap();
            let close = (loss - expected).abs() <= 1e-4 * expected.abs();
            assert!(close, "{run} on {isa}, step {step}: loss {loss} against {expected}");
        }
        for (found, expected) in trainer.weights().iter().zip(tensors(case, "final_")) {
            assert_eq!((&found.name, &found.shape), (&expected.name, &expected.shape));
            for (found, expected) in found.data.iter().zip(&expected.data) {
                let close = (found - expected).abs() <= 1e-3 * expected.abs().max(0.1);
                assert!(close, "{run} on {isa}: a weight is {found} against {expected}");
            }
        }
    }
}

/// Pairs each of some items with one value.
trait MapWith<T> {
    fn map_with<A: Copy>(self, value: A) -> impl Iterator<Item = (A, T)>;
}

impl<T> MapWith<T> for Vec<T> {
    fn map_with<A: Copy>(self, value: A) -> impl Iterator<Item = (A, T)> {
        self.into_iter().map(move |item| (value, item))
    }
}

#[test]
fn every_optimizer_steps_as_pytorch_does() {
    let (reference, cases) = document("optimizers.json");
    let about = &reference["about"];
    let grads = numbers(&about["grads"]);
    let mut checked = 0;
    for case in &cases {
        if !built(OPTIMIZERS).any(|optimizer| optimizer == text(&case["optimizer"])) {
            continue;
        }
        check_steps(&optimizer(case), numbers(&about["params"]), &grads, case);
        checked += 1;
    }
    assert_eq!(checked, 38);
}

/// The loss is |w x - t| with a t far below, so that the gradient of w is just the row x.
fn check_steps(optimizer: &str, params: Vec<f32>, grads: &[f32], case: &Value) {
    let source = format!(
        "net steps {{ input x: [N, 5]  output y = x |> dense(1, bias: false) }}\n\
         train {{ target t: [N, 1]  loss = mae(y, t)  optimizer = {optimizer}  batch = 1 }}"
    );
    let rows = grads.len() / 5;
    let data = Dataset {
        rows,
        inputs: vec![floats(5, grads.to_vec())],
        targets: vec![floats(1, vec![-1e6; rows])],
        ..Dataset::default()
    };
    let settings = Settings { epochs: Some(1), shuffle: Some(false), ..Settings::default() };
    let mut trainer = Trainer::new(program(&source), data, &settings).unwrap();
    let start = Tensor { name: "y.w".into(), shape: vec![5, 1], data: params };
    load(&mut trainer, &[start]);
    for (step, expected) in case["params_after_step"].as_array().unwrap().iter().enumerate() {
        run_to(&mut trainer, step as u64 + 1);
        for (found, expected) in trainer.weights()[0].data.iter().zip(numbers(expected)) {
            let close = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
            assert!(close, "{optimizer}, step {step}: {found} against {expected}");
        }
    }
}

#[test]
fn one_cycle_moves_the_momentum_of_every_optimizer_as_pytorch_does() {
    let (reference, cases) = document("one_cycle.json");
    let (params, grads) = (numbers(&reference["params"]), numbers(&reference["grads"]));
    assert_eq!(cases.len(), 15);
    for case in &cases {
        let settings = optimizer(case);
        let (name, settings) = settings.trim_end_matches(')').split_once('(').unwrap();
        let comma = if settings.is_empty() { "" } else { ", " };
        let optimizer = format!("{name}({settings}{comma}lr: {})", one_cycle(case));
        check_steps(&optimizer, params.clone(), &grads, case);
    }
}
