//! Decay, penalties and limits of parameters, in runs of the runtime: PyTorch's values, in one
//! batch and in several, and what is shown. compiler/tests/compiler/regularization.rs says how the
//! reference was made.

use crate::common::{Tensor, Weights, bits, finish, floats, load, program};
use arenet::internals::prelude::*;
use arenet::internals::runtime::simd::Isa;
use serde_json::Value;

fn reference() -> Value {
    let path = format!("{}/tests/reference/regularization.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn flat(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

/// A trainer of the reference's net with this `train` section, at its start.
fn trainer(about: &Value, train: &str, options: RunOptions) -> Trainer {
    let net = about["net"].as_str().unwrap();
    let source = format!("{net} train {{ target t: [N, 2]  loss = mse(y, t)  {train} }}");
    let word: Vec<i32> = flat(&about["word"]).into_iter().map(|class| class as i32).collect();
    let rows = word.len();
    let data = Dataset {
        rows,
        inputs: vec![floats(4, flat(&about["x"])), Array { width: 1, data: Values::I32(word) }],
        targets: vec![floats(2, flat(&about["target"]))],
        ..Dataset::default()
    };
    let epochs = Some(about["steps"].as_u64().unwrap());
    let settings = Settings { epochs, shuffle: Some(false), run: options, ..Settings::default() };
    let mut trainer = Trainer::new(program(&source), data, &settings).unwrap();
    let starts = trainer.weights().into_iter().zip(about["start"].as_array().unwrap());
    let starts: Vec<Tensor> =
        starts.map(|(tensor, start)| Tensor { data: flat(start), ..tensor }).collect();
    load(&mut trainer, &starts);
    trainer
}

fn close(what: &str, found: &[Tensor], expected: &[Vec<f32>], tolerance: f32) {
    for (tensor, expected) in found.iter().zip(expected) {
        for (found, expected) in tensor.data.iter().zip(expected) {
            let close = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
            assert!(close, "{what}: {} has {found}, not {expected}", tensor.name);
        }
    }
}

#[test]
fn parameters_end_where_those_of_pytorch_do() {
    let reference = reference();
    let about = &reference["about"];
    for case in reference["cases"].as_array().unwrap() {
        let train = case["train"].as_str().unwrap();
        let after: Vec<Vec<f32>> = case["after"].as_array().unwrap().iter().map(flat).collect();
        let mut first: Option<Vec<u32>> = None;
        for isa in Isa::available() {
            let options = RunOptions { isa: Some(isa), ..RunOptions::default() };
            let mut trainer = trainer(about, &format!("{train}  batch = 6"), options);
            finish(&mut trainer);
            let found = trainer.weights();
            // Adam's and its like: a step by the sign of next to nothing keeps few digits.
            close(train, &found, &after, 2e-4);
            let bits = bits(&found);
            assert_eq!(*first.get_or_insert_with(|| bits.clone()), bits, "{train}, {isa}");
        }
    }
}

/// Penalties are added once for a step, and limits are for the sum of its batches.
#[test]
fn a_step_of_several_batches_has_one_penalty() {
    let reference = reference();
    let about = &reference["about"];
    for train in [
        "optimizer = sgd(lr: 0.1)  l1(h) = 0.02  l2(y.w, e) = 0.05",
        "optimizer = sgd(lr: 0.1)  l2(y) = 0.5  clip_norm = 0.7  max_norm(h.0.w) = 1",
    ] {
        let after = |batch: &str| {
            let train = format!("{train}  {batch}");
            let mut trainer = trainer(about, &train, RunOptions::default());
            finish(&mut trainer);
            trainer.weights()
        };
        let whole: Vec<Vec<f32>> = after("batch = 6").into_iter().map(|t| t.data).collect();
        close(train, &after("batch = 2  accumulate = 3"), &whole, 1e-5);
    }
}

#[test]
fn a_penalty_is_shown_beside_the_loss() {
    let reference = reference();
    let about = &reference["about"];
    let loss = |train: &str| {
        let train = format!("optimizer = sgd(lr: 0)  batch = 4  {train}");
        finish(&mut trainer(about, &train, RunOptions::default())).remove(0)
    };
    let (plain, held) = (loss(""), loss("l1(e) = 0.02  l2(y.w) = 0.1  l2(e) = 0.2"));
    assert_eq!(plain.loss, held.loss, "of the rows alone");
    let size = |index: usize, of: fn(f32) -> f32| -> f32 {
        flat(&about["start"][index]).into_iter().map(of).sum()
    };
    for (name, expected) in [
        ("l1", 0.02 * size(5, f32::abs)),
        ("l2(y.w)", 0.1 * size(6, |w| w * w)),
        ("l2(e.w)", 0.2 * size(5, |w| w * w)),
    ] {
        let found = held.metric(name).unwrap() as f32;
        assert!((found - expected).abs() <= 1e-5 * expected, "{name}: {found}, not {expected}");
    }
}
