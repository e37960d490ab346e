//! Losses in the runtime's arithmetic beside their formulas in 64 bits, with bounds relative to the
//! value itself: a loss near 0 has as many right digits as a large one.

use crate::common::{compile, executor};
use arenet_runtime::exec::{EntryPoint, Executor};
use arenet_runtime::program::{HostInput, Verified};
use arenet_runtime::simd::Isa;
use serde_json::Value;
use std::sync::Arc;

/// Computes the loss of one prediction and one target, and its gradient.
struct Loss {
    program: Arc<Verified>,
    executor: Executor,
}

impl Loss {
    /// A loss of `y`, which is made of x + p where p is 0.
    fn new(y: &str, loss: &str, isa: Isa) -> Loss {
        let source = format!(
            "net m {{ input x: [N, 1]  param p: [] = zeros()  z = x + p  output y = {y} }}
             train {{ target t: [N, 1]  loss = {loss}(y, t)  optimizer = sgd(lr: 1) }}"
        );
        let program = compile(&source, 1);
        let executor = executor(&program, 1, isa, 1.0);
        Loss { program, executor }
    }

    fn at(&mut self, x: f32, t: f32) -> (f64, f64) {
        let program = self.program.program();
        self.executor.run(EntryPoint::Init, 1).unwrap();
        self.executor.write_floats(&program.inputs[0], 0, &[x]).unwrap();
        self.executor.write_floats(&program.targets[0], 0, &[t]).unwrap();
        self.executor.run(EntryPoint::Eval, 1).unwrap();
        let loss = self.executor.scalar(program.loss.unwrap());
        self.executor.run(EntryPoint::Train, 1).unwrap();
        // The step from 0 is the gradient.
        let step = self.executor.read(program.params[0].buffer)[0];
        (loss.into(), -f64::from(step))
    }
}

#[track_caller]
fn close(what: &str, actual: f64, expected: f64, relative: f64, absolute: f64) {
    let bound = (relative * expected.abs()).max(absolute);
    let error = (actual - expected).abs();
    assert!(error <= bound, "{what}: {actual:e}, not {expected:e} (off by {error:e})");
}

const TARGETS: [f32; 6] = [0.0, 1.0, 0.25, 0.5, 1e-3, 0.999];

#[test]
fn binary_cross_entropy_of_logits_keeps_its_digits() {
    let sizes = [0.0, 1e-3, 0.1, 1.0, 5.0, 12.0, 15.0, 17.0, 30.0, 60.0, 87.0];
    for isa in Isa::available() {
        for (y, loss) in [("z", "bce_logits"), ("sigmoid(z)", "bce")] {
            let mut run = Loss::new(y, loss, isa);
            for z in sizes.into_iter().flat_map(|size| [-size, size]) {
                for t in TARGETS {
                    let what = format!("{loss} of {y}, z = {z}, t = {t}, {isa}");
                    let (value, grad) = run.at(z, t);
                    let (z, t) = (f64::from(z), f64::from(t));
                    let expected = z.max(0.0) - t * z + (-z.abs()).exp().ln_1p();
                    close(&what, value, expected, 5e-7, 0.0);
                    // PyTorch's: a difference of numbers in [0, 1].
                    let expected = 1.0 / (1.0 + (-z).exp()) - t;
                    close(&format!("gradient of {what}"), grad, expected, 5e-7, 1e-7);
                }
            }
            let (value, _) = run.at(12.0, 1.0);
            close("z = 12, t = 1", value, 6.144193477e-6, 5e-7, 0.0);
        }
    }
}

#[test]
fn binary_cross_entropy_of_probabilities_is_that_of_pytorch() {
    let below_1 = f32::from_bits(1.0f32.to_bits() - 1);
    let probabilities = [0.0, 1e-30, 1e-9, 1e-7, 1e-3, 0.25, 0.5, 0.9, 0.999, below_1, 1.0];
    for isa in Isa::available() {
        let mut run = Loss::new("z", "bce", isa);
        for y in probabilities {
            for t in TARGETS {
                let what = format!("bce of y = {y}, t = {t}, {isa}");
                let (value, grad) = run.at(y, t);
                let (y, t) = (f64::from(y), f64::from(t));
                let (log_y, log_1_y) = (y.ln().max(-100.0), (-y).ln_1p().max(-100.0));
                let expected = -(t * log_y + (1.0 - t) * log_1_y);
                close(&what, value, expected, 5e-7, 0.0);
                let expected = (y - t) / (y * (1.0 - y)).max(1e-12);
                close(&format!("gradient of {what}"), grad, expected, 5e-7, 0.0);
            }
        }
    }
}

/// Numbers, or rows of numbers, as one list.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// An executor for so many rows and a rate of 1.
fn executor_for(program: &Arc<Verified>, rows: usize, isa: Isa) -> Executor {
    let mut executor = executor(program, 1, isa, 0.0);
    for (index, (number, _)) in program.program().scalars.iter().enumerate() {
        let value = number.value(|input| match input {
            HostInput::Rows => rows as f64,
            _ => 1.0,
        });
        executor.set_scalar(index, value as f32);
    }
    executor
}

/// The values of PyTorch, and the sums of its gradients: p is added to all of the input.
#[test]
fn losses_are_those_of_pytorch() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/losses.json");
    let text = std::fs::read_to_string(path).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    let mut count = 0;
    for case in reference["cases"].as_array().unwrap() {
        let name = case["loss"].as_str().unwrap();
        let args = case["args"].as_object().unwrap();
        count += 1;
        let settings: String = (args.iter().filter(|(key, _)| *key != "note"))
            .map(|(key, value)| {
                // PyTorch's `weight` is of the classes.
                let key = if key == "weight" { "class_weight" } else { key };
                format!(", {key}: {}", value.to_string().replace('"', ""))
            })
            .collect();
        let (input, target) = (flat(&case["input"]), flat(&case["target"]));
        let rows = case["input"].as_array().unwrap().len();
        let (width, is_classes) = (input.len() / rows, target.len() == rows);
        let shape = if is_classes { "i32[N]".into() } else { format!("[N, {width}]") };
        let loss = name.trim_end_matches("_probs");
        let source = format!(
            "net m {{ input x: [N, {width}]  param p: [] = zeros()  output y = x + p }}
             train {{ target t: {shape}  loss = {loss}(y, t{settings})  optimizer = sgd(lr: 1) }}"
        );
        let program = compile(&source, rows as u64);
        let ports = program.program();
        let grad: f64 = flat(&case["grad"]).iter().sum();
        let size: f64 = flat(&case["grad"]).iter().map(|grad| grad.abs()).sum();
        for isa in Isa::available() {
            let mut executor = executor_for(&program, rows, isa);
            executor.run(EntryPoint::Init, rows).unwrap();
            let floats = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
            executor.write_floats(&ports.inputs[0], 0, &floats(&input)).unwrap();
            if is_classes {
                let classes: Vec<i32> = target.iter().map(|&class| class as i32).collect();
                executor.write_indices(&ports.targets[0], 0, &classes).unwrap();
            } else {
                executor.write_floats(&ports.targets[0], 0, &floats(&target)).unwrap();
            }
            executor.run(EntryPoint::Eval, rows).unwrap();
            let what = format!("{name}({args:?}) on {isa}");
            let value = executor.scalar(ports.loss.unwrap()).into();
            close(&what, value, case["value"].as_f64().unwrap(), 1e-6, 0.0);
            executor.run(EntryPoint::Train, rows).unwrap();
            let step = -f64::from(executor.read(ports.params[0].buffer)[0]);
            close(&format!("gradient of {what}"), step, grad, 1e-6, 1e-6 * size);
        }
    }
    assert_eq!(count, 32);
}

#[test]
fn each_row_counts_by_its_weight() {
    // The rows' losses are 1, 4, 9 and 16; CE of equal logits is ln 3.
    let cases = [
        ("mse(y, t, weight: w)", "[N, 1]", "[N, 1]", (4.0 + 18.0 + 16.0 * 0.5) / 4.0),
        ("mse(y, t, weight: w, reduction: sum)", "[N, 1]", "[N, 1]", 4.0 + 18.0 + 16.0 * 0.5),
        ("cross_entropy(k, t, weight: w)", "i32[N]", "[N]", 3f64.ln() * 3.5 / 4.0),
        // Of equal logits, the part that is smoothed away comes back.
        (
            "cross_entropy(k, t, weight: w, label_smoothing: 0.1)",
            "i32[N]",
            "[N]",
            0.875 * 3f64.ln(),
        ),
        // The rows count 0, 1, 2 and 0.5 times the factors of their classes, 1, 0, 4 and 1.
        (
            "nll(log_softmax(k), t, weight: w, class_weight: [1, 0, 4])",
            "i32[N]",
            "[N]",
            3f64.ln() * 8.5 / 6.0,
        ),
        // The first and the last row do not count.
        ("cross_entropy(k, t, weight: w, ignore_index: 0)", "i32[N]", "[N]", 3f64.ln() * 3.0 / 2.0),
    ];
    for (loss, target, weight, expected) in cases {
        let source = format!(
            "net m {{ input x: [N, 1]  param p: [] = zeros()  output y = x + p
                param zero: [3] = zeros()  k = x * 0 + p + zero }}
             train {{ target t: {target}  target w: {weight}  loss = {loss}  optimizer = sgd }}"
        );
        let program = compile(&source, 4);
        let ports = program.program();
        let mut executor = executor_for(&program, 4, Isa::detect());
        executor.write_floats(&ports.inputs[0], 0, &[1.0, 2.0, 3.0, 4.0]).unwrap();
        if target == "i32[N]" {
            executor.write_indices(&ports.targets[0], 0, &[0, 1, 2, 0]).unwrap();
        } else {
            executor.write_floats(&ports.targets[0], 0, &[0.0; 4]).unwrap();
        }
        executor.write_floats(&ports.targets[1], 0, &[0.0, 1.0, 2.0, 0.5]).unwrap();
        executor.run(EntryPoint::Init, 4).unwrap();
        executor.run(EntryPoint::Eval, 4).unwrap();
        close(loss, executor.scalar(ports.loss.unwrap()).into(), expected, 1e-6, 0.0);
    }
}

/// A single class is certain: its loss, which lies where the logits were, has no gradient.
#[test]
fn a_single_class_changes_nothing() {
    let source = "net m { input x: [N, 2]  output y = x |> dense(1) |> reshape([1, 1]) }
         train { target t: i32[N, 1] in 0..1  loss = cross_entropy(y, t)  optimizer = sgd(lr: 1) }";
    let program = compile(source, 4);
    for isa in Isa::available() {
        let mut executor = executor(&program, 1, isa, 1.0);
        let program = program.program();
        executor.write_floats(&program.inputs[0], 0, &[0.5, 1.0, -0.25, 2.0]).unwrap();
        executor.write_indices(&program.targets[0], 0, &[0, 0]).unwrap();
        let weights = executor.read(program.params[0].buffer);
        executor.run(EntryPoint::Train, 2).unwrap();
        assert_eq!(executor.read(program.params[0].buffer), weights, "{isa}");
        assert_eq!(executor.scalar(program.loss.unwrap()), 0.0, "{isa}");
    }
}
