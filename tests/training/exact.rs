//! The loss that is shown for an epoch and for held-out rows: that of all rows at once, whatever
//! the batches, where factors of classes or rows that do not count make their divisors differ.

use crate::common::{Scratch, file_of, finish, floats, program_for, read_weights, run_to, trainer};
use arenet::internals::prelude::*;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::ops::ControlFlow;

fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/whole_loss.json")).expect("it is JSON")
}

/// A net whose outputs are its inputs, until it learns.
fn net(loss: &str) -> String {
    let weight = if loss.contains("mse(y, v, weight") { "[N, 1]" } else { "[N]" };
    format!(
        "net n {{
             input x: [N, 4]  param p: [] = zeros()
             output y = x + dense(x, 4, init: zeros)
         }}
         train {{
             target v: [N, 4]  target t: i32[N] in 0..4  target u: i32[N] in 0..4
             target w: {weight}  loss = {loss}
             optimizer = sgd(lr: 0)  epochs = 1
         }}"
    )
}

/// The rows; where a loss ignores none, `u` has no class that is none.
fn rows(reference: &Value, loss: &str) -> Dataset {
    let numbers = |name: &str| -> Vec<f64> {
        let rows = reference[name].as_array().unwrap().iter();
        let row = |row: &Value| row.as_array().cloned().unwrap_or_else(|| vec![row.clone()]);
        rows.flat_map(row).map(|number| number.as_f64().unwrap()).collect()
    };
    let reals = |name: &str| numbers(name).into_iter().map(|number| number as f32).collect();
    let indices = |name: &str| Array {
        width: 1,
        data: Values::I32(numbers(name).into_iter().map(|number| number as i32).collect()),
    };
    let u = if loss.contains("ignore_index") { "u" } else { "t" };
    let targets = vec![floats(4, reals("v")), indices("t"), indices(u), floats(1, reals("w"))];
    let count = numbers("t").len();
    Dataset { rows: count, inputs: vec![floats(4, reals("y"))], targets, ..Dataset::default() }
}

fn near(found: f64, expected: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(1.0);
    assert!(error <= 3e-7, "{what}: {found}, not {expected}");
}

#[test]
fn a_loss_is_that_of_all_rows_at_once() {
    let reference = reference();
    for case in reference["cases"].as_array().unwrap() {
        let loss = case["loss"].as_str().unwrap();
        let data = rows(&reference, loss);
        for batch in [1, 4, 7, 22, 23, 64] {
            let program = program_for(&net(loss), Some(batch));
            let settings = Settings::default();
            let mut trainer =
                Trainer::validated(program, data.clone(), data.clone(), &settings).unwrap();
            let report = finish(&mut trainer).pop().unwrap();
            let what = format!("{loss}, batch {batch}");
            let expected = case["value"].as_f64().unwrap();
            near(report.valid_loss.unwrap(), expected, &what);
            near(report.loss, expected, &what);
        }
    }
}

#[test]
fn the_loss_of_an_epoch_counts_each_step_by_its_factors() {
    let factors = [0.5, 1.0, 2.0, 4.0];
    let source = net("cross_entropy(y, t, class_weight: [0.5, 1, 2, 4])").replace("lr: 0", "lr: 1");
    let data = rows(&reference(), &source);
    let Values::I32(classes) = data.targets[1].data.clone() else { unreachable!() };
    let settings = Settings { shuffle: Some(false), ..Settings::default() };
    let mut trainer = Trainer::new(program_for(&source, Some(5)), data, &settings).unwrap();
    let (mut sum, mut counted) = (0.0, 0.0);
    let mut batches = classes.chunks(5);
    let mut on_step = |progress: Progress| {
        let own: f64 = batches.next().unwrap().iter().map(|&class| factors[class as usize]).sum();
        (sum, counted) = (sum + own * f64::from(progress.loss), counted + own);
        ControlFlow::Continue(())
    };
    let report = trainer.run_epoch(&mut on_step).unwrap().unwrap();
    near(report.loss, sum / counted, "an epoch");
}

/// An evaluation after the epoch would give others.
#[test]
fn parts_of_a_sum_are_those_of_the_steps() {
    let loss =
        "mse(y, v) - 0.5 * cross_entropy(y, u, class_weight: [1, 2, 3, 4], ignore_index: -1)";
    for (more, names) in [
        ("", &["mse", "cross_entropy"][..]),
        ("accumulate = 2", &["mse", "cross_entropy"]),
        ("metric accuracy(y, u)", &["mse", "cross_entropy", "accuracy"]),
        ("l2(y) = 0.1", &["mse", "cross_entropy", "l2"]),
        ("metric mae(y, v)  l2(y) = 0.1", &["mse", "cross_entropy", "mae", "l2"]),
    ] {
        // Batches of a mean by factors do not add up.
        let loss = match more.starts_with("accumulate") {
            true => "mse(y, v) - 0.5 * cross_entropy(y, u)",
            false => loss,
        };
        let source = net(loss).replace("lr: 0", "lr: 0.2").replace("epochs = 1", "epochs = 2");
        let source = source.replace("optimizer", &format!("{more}  batch = 5  optimizer"));
        let mut trainer = trainer(&source, rows(&reference(), loss), &Settings::default());
        for report in finish(&mut trainer) {
            let found: Vec<&str> = report.metrics.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found, names);
            let [mse, cross] = [0, 1].map(|place| report.metrics[place].1);
            near(report.loss, mse - 0.5 * cross, more);
        }
    }
}

/// What is equal in an evaluation is not so in training, where each head has a mask of its own.
#[test]
fn heads_that_differ_in_training_alone_have_their_own_sums() {
    let head = "cross_entropy(NAME, u, ignore_index: -1)";
    let heads = "init: zeros)  output a = dropout(y, 0.9)  output b = dropout(y)";
    let source = net(&head.replace("NAME", "a")).replace("init: zeros)", heads);
    let report = |loss: &str| {
        let source = source.replace(&head.replace("NAME", "a"), loss);
        let data = rows(&reference(), &source);
        let program = program_for(&source, Some(6));
        let settings = Settings::default();
        let mut trainer = Trainer::validated(program, data.clone(), data, &settings).unwrap();
        finish(&mut trainer).pop().unwrap()
    };
    let [a, b] = ["a", "b"].map(|name| report(&head.replace("NAME", name)));
    let both = report(&format!("{} + {}", head.replace("NAME", "a"), head.replace("NAME", "b")));
    let held_out = |report: &EpochReport| report.valid_loss.unwrap();
    near(held_out(&both), held_out(&a) + held_out(&b), "held-out rows");
    near(both.loss, a.loss + b.loss, "an epoch");
    assert!((a.loss - b.loss).abs() > 0.1, "the masks differ");
}

#[test]
fn a_run_that_is_resumed_within_an_epoch_has_the_same_losses() {
    let source = net("mse(y, v) + cross_entropy(y, u, ignore_index: -1)");
    let source = source.replace("lr: 0", "lr: 0.1").replace("epochs = 1", "epochs = 3  batch = 4");
    let data = rows(&reference(), &source);
    let run = || trainer(&source, data.clone(), &Settings::default());
    let mut whole = run();
    run_to(&mut whole, 8);
    let file = Scratch::new("exact");
    whole.save_checkpoint(&file.0).unwrap();
    let bytes = std::fs::read(&file.0).unwrap();
    let reports = finish(&mut whole);
    let mut resumed = run();
    resumed.resume(&file.0).unwrap();
    resumed.save_checkpoint(&file.0).unwrap();
    assert!(std::fs::read(&file.0).unwrap() == bytes, "other bytes");
    assert_eq!(finish(&mut resumed), reports);
    let (tensors, mut metadata) = read_weights(&file.0).unwrap();
    metadata.insert("sums".into(), "0000000000000000".into());
    std::fs::write(&file.0, file_of(&tensors, &metadata)).unwrap();
    let message = run().resume(&file.0).unwrap_err().message;
    assert_eq!(message, "is corrupt: it says no possible place in a run");
}
