//! What differs between training and prediction.

use crate::common::{Weights, floats, program, run_to, uniform};
use arenet::internals::compiler::Purpose;
use arenet::internals::prelude::*;
use arenet::internals::runtime::random::Stream;
use arenet::internals::runtime::simd::Isa;
use arenet_compiler::code::Code;
use arenet_runtime::program::StreamId;
use std::ops::ControlFlow;

const P: f32 = 0.4;
/// Ten rows in steps of four: the last one of an epoch has two.
const ROWS: usize = 10;
const BATCH: usize = 4;

/// The gradient of each weight is the sum of a column of what has been dropped from.
#[test]
fn a_step_drops_what_seed_step_row_and_element_say() {
    let source = "
        net dropped { input x: [N, 3]  output y = x |> dropout(0.4) |> dense(1, init: zeros) }
        train {
            target t: [N, 1]  loss = mean(y * t)  optimizer = sgd(lr: 1)
            batch = 4  epochs = 2  shuffle = false  seed = 5
        }";
    let parts = source.replace("batch = 4", "batch = 1  accumulate = 4");
    let x = uniform(0, ROWS * 3);
    let runs = Isa::available().into_iter().flat_map(|isa| [(isa, 1), (isa, 2)]);
    for ((isa, threads), source) in runs.flat_map(|run| [(run, source), (run, &parts)]) {
        let data = Dataset {
            rows: ROWS,
            inputs: vec![floats(3, x.clone())],
            targets: vec![floats(1, vec![1.0; ROWS])],
            ..Dataset::default()
        };
        let run = RunOptions { isa: Some(isa), threads: Some(threads), max_memory: None };
        let settings = Settings { run, ..Settings::default() };
        let mut trainer = Trainer::new(program(source), data, &settings).unwrap();
        let mut w = [0.0f64; 3];
        for step in 0..6 {
            let first = step % 3 * BATCH;
            let rows = &x[3 * first..3 * ROWS.min(first + BATCH)];
            let stream = Stream { seed: 5, stream: StreamId(1 << 31) };
            for (element, x) in rows.iter().enumerate() {
                if stream.uniform(step as u64, element as u64) >= P {
                    let count = rows.len() as f64 / 3.0;
                    w[element % 3] -= f64::from(*x) / (1.0 - f64::from(P)) / count;
                }
            }
            run_to(&mut trainer, step as u64 + 1);
            let weights = &trainer.weights()[0].data;
            for (found, expected) in weights.iter().zip(w) {
                let close = (f64::from(*found) - expected).abs() < 1e-6;
                assert!(close, "{isa}, step {step}: {weights:?} against {w:?}");
            }
        }
    }
}

/// Without training, all elements pass as they are.
#[test]
fn predictions_and_evaluations_drop_nothing() {
    let net = |dropout: &str| {
        format!(
            "net n {{ input x: [N, 3]  output y = x {dropout} |> dense(2) }}
             train {{
                target t: [N, 2]  loss = mse(y, t)  metric mae(y, t)  optimizer = sgd(lr: 0)
                epochs = 1  valid = 0.5
             }}"
        )
    };
    let run = |dropout| {
        let data = Dataset {
            rows: ROWS,
            inputs: vec![floats(3, uniform(0, ROWS * 3))],
            targets: vec![floats(2, uniform(1, ROWS * 2))],
            ..Dataset::default()
        };
        let mut trainer = Trainer::new(program(&net(dropout)), data, &Settings::default()).unwrap();
        let report = trainer.run_epoch(&mut |_| ControlFlow::Continue(())).unwrap().unwrap();
        let mut y = [0.0; 2];
        trainer.predict_into(&[0.5f32, -1.0, 2.0], &mut y).unwrap();
        (report.valid_loss, report.metrics, y, report.loss.to_bits())
    };
    let (plain, dropped) = (run(""), run("|> dropout(0.9)"));
    assert_eq!((plain.0, plain.1, plain.2), (dropped.0, dropped.1, dropped.2));
    assert_ne!(plain.3, dropped.3, "the loss of a step is that of training");
}

/// Mean and variance of the columns of some rows, the variance by their number less `free`.
fn statistics(rows: &[f32], free: f64) -> [Vec<f64>; 2] {
    let count = rows.len() as f64 / 3.0;
    let column = |j: usize| rows[j..].iter().step_by(3).map(|x| f64::from(*x));
    let mean: Vec<f64> = (0..3).map(|j| column(j).sum::<f64>() / count).collect();
    let square = |j: usize| column(j).map(|x| (x - mean[j]).powi(2)).sum::<f64>();
    let var = (0..3).map(|j| square(j) / (count - free)).collect();
    [mean, var]
}

fn close(what: &str, found: &[f32], expected: &[f64]) {
    let near = |(a, b): (&f32, &f64)| (f64::from(*a) - b).abs() <= 1e-6 * b.abs().max(1.0);
    assert!(found.iter().zip(expected).all(near), "{what}: {found:?}, not {expected:?}");
}

fn normed(rows: usize, net: &str, lr: f64) -> Trainer {
    let source = format!(
        "net normed {{ input x: [N, 3]  {net} }}
         train {{
            target t: [N, 3]  loss = mse(y, t)  optimizer = sgd(lr: {lr})
            metric rmse(y, t)  batch = 4  epochs = 1  shuffle = false
         }}"
    );
    let data = Dataset {
        rows,
        inputs: vec![floats(3, uniform(0, rows * 3))],
        targets: vec![floats(3, uniform(1, rows * 3))],
        ..Dataset::default()
    };
    Trainer::new(program(&source), data, &Settings::default()).unwrap()
}

/// Nine rows in steps of four: the last one of the epoch has one row.
#[test]
fn running_statistics_follow_batches_of_several_rows() {
    let mut trainer = normed(9, "output y = x |> batch_norm(momentum: 0.25)", 0.1);
    let names: Vec<String> = trainer.weights().into_iter().map(|tensor| tensor.name).collect();
    assert_eq!(names, ["y.w", "y.b", "y.mean", "y.var"]);
    let x = uniform(0, 27);
    let [mut mean, mut var] = [vec![0.0; 3], vec![1.0; 3]];
    for step in 0..3 {
        let bias = trainer.weights()[1].data.clone();
        run_to(&mut trainer, step as u64 + 1);
        let rows = &x[12 * step..27.min(12 * step + 12)];
        if step < 2 {
            let news = statistics(rows, 1.0);
            for (old, new) in [&mut mean, &mut var].into_iter().zip(news) {
                old.iter_mut().zip(new).for_each(|(old, new)| *old = 0.75 * *old + 0.25 * new);
            }
        } else {
            // The row is its own mean: y is the bias before the step.
            let t = &uniform(1, 27)[24..];
            let gradient = |(b, t): (&f32, &f32)| f64::from(b - 0.1 * 2.0 * (b - t) / 3.0);
            let stepped: Vec<f64> = bias.iter().zip(t).map(gradient).collect();
            close("the bias", &trainer.weights()[1].data, &stepped);
        }
        close("the mean", &trainer.weights()[2].data, &mean);
        close("the variance", &trainer.weights()[3].data, &var);
    }
    let mut y = [0.0; 3];
    trainer.predict_into(&x[..3], &mut y).unwrap();
    let weights = trainer.weights();
    let [w, b] = [0, 1].map(|i| &weights[i].data);
    let expected: Vec<f64> = (0..3)
        .map(|j| {
            let deviation = (var[j] + 1e-5).sqrt();
            (f64::from(x[j]) - mean[j]) / deviation * f64::from(w[j]) + f64::from(b[j])
        })
        .collect();
    close("a prediction", &y, &expected);
}

#[test]
fn a_layer_that_is_called_twice_updates_its_statistics_twice() {
    let net = "layer f(a) = a |> batch_norm(momentum: 0.5)
        z = x |> f  output y = z + f(2 * x)";
    let mut trainer = normed(4, net, 0.1);
    run_to(&mut trainer, 1);
    let [mean, var] = statistics(&uniform(0, 12), 1.0);
    let twice = |start: f64, first: f64, second: f64| (start / 2.0 + first / 2.0 + second) / 2.0;
    let mean: Vec<f64> = mean.iter().map(|mean| twice(0.0, *mean, 2.0 * mean)).collect();
    let var: Vec<f64> = var.iter().map(|var| twice(1.0, *var, 4.0 * var)).collect();
    close("the mean", &trainer.weights()[2].data, &mean);
    close("the variance", &trainer.weights()[3].data, &var);
}

/// It trains as it predicts: the losses of the steps are those of the net as it is evaluated.
#[test]
fn frozen_statistics_stay_and_are_used() {
    let net = |freeze: &str| {
        let net = format!("h = x |> dense(3) |> batch_norm  {freeze}  output y = h |> dense(3)");
        let mut trainer = normed(8, &net, 0.0);
        let report = trainer.run_epoch(&mut |_| ControlFlow::Continue(())).unwrap().unwrap();
        (trainer.weights(), report.loss, report.metrics[0].1.powi(2))
    };
    let (frozen, trained, evaluated) = net("freeze h");
    assert_eq!((&frozen[4].data, &frozen[5].data), (&vec![0.0; 3], &vec![1.0; 3]));
    assert!((trained - evaluated).abs() < 1e-6, "{trained} against {evaluated}");
    let (moving, trained, evaluated) = net("");
    assert_ne!(moving[5].data, [1.0; 3]);
    assert!((trained - evaluated).abs() > 1e-3, "{trained} against {evaluated}");
}

#[test]
fn batches_of_one_row_are_refused() {
    let source = "
        net n { input x: [N, 2]  output y = x |> dense(3) |> batch_norm }
        train { target t: [N, 3]  loss = mse(y, t)  optimizer = sgd  batch = 8 }";
    let options = |purpose| CompileOptions { batch: Some(1), purpose, ..CompileOptions::default() };
    let found = compile(source, &options(Purpose::Train)).err().unwrap().remove(0);
    assert_eq!(found.code, Code::BatchOfOne);
    assert_eq!(
        found.message,
        "`batch_norm` is trained on the mean and variance of a batch, and one row has none"
    );
    assert!(compile(source, &options(Purpose::Evaluate)).is_ok());
}
