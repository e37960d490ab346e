//! What an epoch covers, and what it reports.

use crate::common::{
    CLASSIFIER, LINE, Tensor, Weights, classes, finish, floats, line, predictor_of, program,
    program_for, trainer,
};
use arenet::internals::prelude::*;
use pretty_assertions::assert_eq;
use std::ops::ControlFlow;

/// The mean square of what a line misses, and its root.
fn line_loss(weights: &[Tensor], data: &Dataset) -> f64 {
    let (Values::F32(x), Values::F32(t)) = (&data.inputs[0].data, &data.targets[0].data) else {
        unreachable!("a line has real numbers")
    };
    let (w, b) = (&weights[0].data, weights[1].data[0]);
    let misses = x.chunks_exact(2).zip(t).map(|(x, t)| {
        let y = f64::from(w[0] * x[0] + w[1] * x[1] + b);
        (y - f64::from(*t)).powi(2)
    });
    misses.sum::<f64>() / t.len() as f64
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-5 * expected, "{found} against {expected}");
}

#[test]
fn the_last_batch_counts_by_its_rows() {
    let settings = Settings { lr: Some(0.0), ..Settings::default() };
    let mut trainer = trainer(LINE, line(10), &settings);
    assert_eq!(trainer.steps_per_epoch(), 3);
    let mut seen = Vec::new();
    let report = trainer
        .run_epoch(&mut |progress| {
            seen.push((progress.epoch, progress.step_in_epoch, progress.steps_per_epoch));
            ControlFlow::Continue(())
        })
        .unwrap()
        .unwrap();
    assert_eq!(seen, [(1, 1, 3), (1, 2, 3), (1, 3, 3)]);
    let expected = line_loss(&trainer.weights(), &line(10));
    close(report.loss, expected);
    assert_eq!(report.metrics[0].0, "rmse");
    close(report.metrics[0].1, expected.sqrt());
    assert_eq!((report.epoch, report.step, report.valid_loss, report.lr), (1, 3, None, 0.0));
    assert!(report.seconds > 0.0 && report.rows_per_second > 0.0);
}

#[test]
fn a_full_batch_is_one_step_over_all_rows() {
    let full = LINE.replace("batch = 4", "batch = full");
    let settings = Settings::default();
    let mut trainer = Trainer::new(program_for(&full, Some(10)), line(10), &settings).unwrap();
    assert_eq!(trainer.steps_per_epoch(), 1);
    let before = line_loss(&trainer.weights(), &line(10));
    let reports = finish(&mut trainer);
    close(reports[0].loss, before);
    assert!(reports[2].loss < reports[1].loss && reports[1].loss < reports[0].loss);
}

#[test]
fn a_share_of_the_rows_is_held_out() {
    let settings = Settings { valid: Some(0.3), ..Settings::default() };
    let mut run = trainer(LINE, line(10), &settings);
    assert_eq!((run.training_rows(), run.validation_rows()), (7, 3));
    let report = finish(&mut run).remove(2);
    let evaluation = run.evaluate().unwrap().unwrap();
    assert_eq!(evaluation.rows, 3);
    assert_eq!(report.valid_loss, Some(evaluation.loss));
    assert_eq!(report.metrics, evaluation.metrics);
    let mut none = trainer(LINE, line(10), &Settings::default());
    assert_eq!(none.evaluate(), Ok(None));
}

#[test]
fn held_out_data_of_its_own_takes_the_place_of_the_share() {
    let settings = Settings::default();
    let (data, valid) = (classes(40, 12), classes(9, 12));
    let options = RunOptions::default();
    let program = program(CLASSIFIER);
    let mut run = Trainer::validated(
        program.clone(),
        data,
        valid.clone(),
        &Settings { run: options, ..settings },
    )
    .unwrap();
    assert_eq!((run.training_rows(), run.validation_rows()), (40, 9));
    finish(&mut run);
    let mut predictor = predictor_of(program, &run.weights(), options).unwrap();
    assert_eq!(run.evaluate().unwrap().unwrap(), predictor.evaluate(&valid).unwrap());
}

#[test]
fn training_learns() {
    let settings = Settings { epochs: Some(40), ..Settings::default() };
    let mut trainer = trainer(CLASSIFIER, classes(300, 12), &settings);
    let report = finish(&mut trainer).pop().unwrap();
    assert!(report.metrics[0].1 > 0.85, "{report:?}");
}

#[test]
fn a_schedule_counts_epochs_if_it_says_so() {
    let stairs = LINE.replace("0.1", "step(0.1, every: 1, by: 0.5, per: epoch)");
    let mut run = trainer(&stairs, line(10), &Settings::default());
    let rates: Vec<f64> = finish(&mut run).iter().map(|report| report.lr).collect();
    assert_eq!(rates, [0.1, 0.05, 0.025]);
    let settings = Settings { lr: Some(0.8), ..Settings::default() };
    let mut run = trainer(&stairs, line(10), &settings);
    let rates: Vec<f64> = finish(&mut run).iter().map(|report| report.lr).collect();
    assert_eq!(rates, [0.8, 0.4, 0.2]);
}

#[test]
fn rows_keep_their_order_without_shuffling() {
    // One weight, a step a row, and the whole way to the target: what is left is the last row's.
    let source = "
        net last { input x: [N, 1]  output y = x |> dense(1, bias: false) }
        train { target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: 0.5)  batch = 1 }";
    let data = Dataset {
        rows: 5,
        inputs: vec![floats(1, vec![1.0; 5])],
        targets: vec![floats(1, vec![0.0, 1.0, 2.0, 3.0, 4.0])],
        ..Dataset::default()
    };
    let run = |shuffle, epochs| {
        let settings =
            Settings { shuffle: Some(shuffle), epochs: Some(epochs), ..Settings::default() };
        let mut run = trainer(source, data.clone(), &settings);
        finish(&mut run);
        run.weights()[0].data[0].round()
    };
    assert_eq!(run(false, 1), 4.0);
    assert!((1..9).any(|epochs| run(true, epochs) != 4.0));
}
