//! What differs between training and prediction.

use crate::common::{Weights, floats, program, run_to, uniform};
use arenet::internals::prelude::*;
use arenet::internals::runtime::random::Stream;
use arenet::internals::runtime::simd::Isa;
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
    let x = uniform(0, ROWS * 3);
    for (isa, threads) in Isa::available().into_iter().flat_map(|isa| [(isa, 1), (isa, 2)]) {
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
