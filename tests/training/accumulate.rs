//! Gradients that are accumulated over several batches, beside those of one batch with all rows.

use crate::common::{
    CLASSIFIER, Scratch, bits, classes, finish, floats, line, program, program_for,
};
use crate::common::{Weights, trainer, uniform};
use arenet::internals::prelude::*;
use arenet::internals::runtime::simd::Isa;
use arenet::internals::runtime::train::Part;
use arenet_runtime::program::{EntryPoint, Verified};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A net with every kind of parameter, and how it is trained.
fn net(loss: &str, optimizer: &str, batches: &str) -> String {
    format!(
        "net classifier {{
            input x: [N, 12]
            h = x |> dense(20) |> layer_norm |> tanh
            output logits = h |> dense(3)
        }}
        train {{
            target label: i32[N] in 0..3
            loss = cross_entropy(logits, label{loss})
            optimizer = {optimizer}
            {batches}  epochs = 3  seed = 3
        }}"
    )
}

/// How far two runs end from each other, beside the largest weight.
fn distance(a: &Trainer, b: &Trainer) -> f32 {
    let values = |trainer: &Trainer| -> Vec<f32> {
        trainer.weights().into_iter().flat_map(|tensor| tensor.data).collect()
    };
    let (a, b) = (values(a), values(b));
    let largest = a.iter().fold(0.0f32, |largest, a| largest.max(a.abs()));
    a.iter().zip(&b).fold(0.0f32, |far, (a, b)| far.max((a - b).abs())) / largest
}

#[test]
fn accumulated_batches_step_as_one_batch_of_all_their_rows() {
    // 90 rows: two steps of 32 and one of 26, whose last batch has 2 rows.
    let optimizers = [
        "sgd(lr: 0.5, momentum: 0.9, nesterov: true, weight_decay: 0.01)",
        "adam(lr: cosine(0.01))",
        "adamw(lr: step(0.01, every: 4), amsgrad: true)",
        "rmsprop(lr: 0.003, centered: true)",
    ];
    for optimizer in optimizers {
        let slower = optimizer.replace("lr: 0.5", "lr: 0.01");
        for clip in ["", "clip_norm = 0.05", "clip_value = 0.001"] {
            for loss in ["", ", reduction: sum"] {
                let of = |batches: &str| {
                    // A step along a sum is longer.
                    let optimizer = if loss.is_empty() { optimizer } else { &slower };
                    let net = net(loss, optimizer, &format!("{batches}  {clip}"));
                    let mut trainer = trainer(&net, classes(90, 12), &Settings::default());
                    let reports = finish(&mut trainer);
                    assert_eq!(trainer.steps(), 9, "schedules count steps, not batches");
                    (trainer, reports)
                };
                let (whole, expected) = of("batch = 32");
                let (parts, reports) = of("batch = 8  accumulate = 4");
                let far = distance(&whole, &parts);
                assert!(far < 2e-4, "{optimizer}, {clip}{loss}: {far:e}");
                for (report, expected) in reports.iter().zip(expected) {
                    assert_eq!((report.step, report.lr), (expected.step, expected.lr));
                    let off = (report.loss - expected.loss).abs() / expected.loss;
                    assert!(
                        !loss.is_empty() || off < 1e-5,
                        "{optimizer}, {clip}: loss off by {off:e}"
                    );
                }
            }
        }
    }
}

/// A line that starts at zero, with these settings.
fn from_zero(settings: &str) -> String {
    let net = "net line { input x: [N, 2]  output y = x |> dense(1, init: zeros) }";
    format!("{net} train {{ target t: [N, 1]  loss = mse(y, t)  {settings} }}")
}

/// The gradient of a line is a sum over its rows, computed here in 64 bits.
#[test]
fn a_step_is_along_the_gradient_over_all_rows() {
    for rows in [1, 3, 11, 12, 13, 100] {
        let (x, t) = (uniform(5, 2 * rows), uniform(6, rows));
        let mut w = [0.0f64; 3];
        for (x, t) in x.chunks(24).zip(t.chunks(12)) {
            let row = |i: usize| [x[2 * i].into(), x[2 * i + 1].into(), 1.0];
            let mut grad = [0.0; 3];
            for (i, &t) in t.iter().enumerate() {
                let y: f64 = row(i).iter().zip(w).map(|(x, w)| x * w).sum();
                let grads = row(i).map(|x: f64| 2.0 * (y - f64::from(t)) * x);
                grad.iter_mut().zip(grads).for_each(|(sum, g)| *sum += g);
            }
            let count = t.len() as f64;
            w.iter_mut().zip(grad).for_each(|(w, grad)| *w -= 0.25 * grad / count);
        }
        let inputs = vec![floats(2, x)];
        let data = Dataset { rows, inputs, targets: vec![floats(1, t)], ..Dataset::default() };
        let mut trainer = trainer(
            &from_zero(
                "optimizer = sgd(lr: 0.25) batch = 3  accumulate = 4  epochs = 1  shuffle = false",
            ),
            data,
            &Settings::default(),
        );
        finish(&mut trainer);
        let found = trainer.weights().into_iter().flat_map(|tensor| tensor.data);
        for (found, expected) in found.zip(w) {
            assert!((f64::from(found) - expected).abs() < 1e-6, "{rows} rows");
        }
    }
}

fn accumulating() -> String {
    CLASSIFIER.replace("batch = 8", "batch = 8  accumulate = 4")
}

#[test]
fn a_run_that_is_resumed_within_a_step_ends_with_the_same_bits() {
    let new = || trainer(&accumulating(), classes(60, 12), &Settings::default());
    let mut whole = new();
    let reports = finish(&mut whole);
    // 48 rows to train on: steps of 4 and of 2 batches.
    assert_eq!((whole.steps_per_epoch(), whole.batches_per_epoch(), whole.steps()), (2, 6, 8));
    for batches in [1, 3, 4, 5, 6, 7, 9, 11, 20, 23] {
        let mut left = batches;
        let mut first = new();
        while left > 0 {
            let mut on_batch = |_| {
                left -= 1;
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            first.run_epoch(&mut on_batch).unwrap();
        }
        let checkpoint = Scratch::new("within");
        first.save_checkpoint(&checkpoint.0).unwrap();
        let mut second = new();
        second.resume(&checkpoint.0).unwrap();
        assert_eq!(second.steps(), first.steps());
        let done = second.epoch() as usize;
        assert_eq!(finish(&mut second), reports[done..], "resumed after {batches} batches");
        assert!(bits(&second.weights()) == bits(&whole.weights()), "after {batches} batches");
    }
}

#[test]
fn accumulated_gradients_have_the_same_bits_everywhere() {
    let wide = "
net wide {
    input x: [N, 12]
    h = x |> dense(256) |> relu |> dense(250) |> relu
    output logits = h |> dense(3)
}
train {
    target label: i32[N] in 0..3
    loss = cross_entropy(logits, label)
    optimizer = adam(lr: 0.01)
    batch = 64  accumulate = 3  epochs = 2  clip_norm = 1
}";
    let run = |isa, threads| {
        let run = RunOptions { isa: Some(isa), threads: Some(threads), max_memory: None };
        let mut trainer = trainer(wide, classes(300, 12), &Settings { run, ..Settings::default() });
        finish(&mut trainer);
        bits(&trainer.weights())
    };
    let expected = run(Isa::Portable, 1);
    for isa in Isa::available() {
        for threads in 1..=4 {
            assert!(run(isa, threads) == expected, "{isa}, {threads} threads");
        }
    }
}

/// For so many rows, in one piece where that fits.
fn full(source: &str, rows: Option<u64>) -> Arc<Verified> {
    let options = CompileOptions { batch: rows, full: true, ..CompileOptions::default() };
    compile(source, &options).unwrap_or_else(|found| panic!("{found:#?}")).program
}

#[test]
fn a_full_batch_of_more_rows_than_fit_is_computed_in_pieces() {
    let net = |limit: &str| {
        let net = net("", "adam(lr: 0.01)", "batch = full");
        net.replace("input x", &format!("{limit}\n input x"))
    };
    let run = |program: Arc<Verified>, rows| {
        let mut trainer = Trainer::new(program, classes(rows, 12), &Settings::default()).unwrap();
        finish(&mut trainer);
        assert_eq!((trainer.steps_per_epoch(), trainer.steps()), (1, 3));
        trainer
    };
    let whole = run(full(&net(""), Some(9_000)), 9_000);
    assert_eq!(whole.batches_per_epoch(), 1);
    for (limit, batches) in [("4 MiB", 3), ("100 KiB", 141)] {
        let program = full(&net(&format!("limit memory = {limit}")), Some(9_000));
        assert!(!program.routines[EntryPoint::Update].steps.is_empty());
        let pieces = run(program, 9_000);
        assert_eq!(pieces.batches_per_epoch(), batches, "{limit}");
        let far = distance(&whole, &pieces);
        assert!(far < 2e-5, "{limit}: {far:e}");
    }
    // A program that was compiled without the data takes any number of rows.
    let program = full(&net(""), None);
    assert_eq!(run(program.clone(), 9_000).batches_per_epoch(), 3);
    assert_eq!(run(program, 50).batches_per_epoch(), 1);
}

/// Equal terms in 32 bits: each addition rounds in the same direction.
#[test]
fn a_sum_over_many_batches_keeps_its_digits() {
    let rows = 50_000;
    let (inputs, targets) =
        (vec![floats(2, vec![0.1; 2 * rows])], vec![floats(1, vec![0.1; rows])]);
    let data = Dataset { rows, inputs, targets, ..Dataset::default() };
    let mut trainer = trainer(
        &from_zero("optimizer = sgd(lr: 1) batch = 1  accumulate = 50_000  epochs = 1"),
        data,
        &Settings::default(),
    );
    finish(&mut trainer);
    assert_eq!(trainer.steps(), 1);
    for (tensor, expected) in trainer.weights().iter().zip([0.02, 0.2]) {
        for &found in &tensor.data {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} against {expected}");
        }
    }
}

#[test]
fn a_step_on_own_rows_updates_at_once_and_never_within_another_step() {
    let mut one = trainer(&accumulating(), classes(60, 12), &Settings::default());
    let mut other = trainer(CLASSIFIER, classes(60, 12), &Settings::default());
    let (x, label) = (uniform(3, 5 * 12), [0, 1, 2, 0, 1]);
    for trainer in [&mut one, &mut other] {
        trainer.step(&x[..], &label[..]).unwrap();
        assert_eq!(trainer.steps(), 1);
    }
    assert!(distance(&one, &other) < 1e-6);
    one.run_epoch(&mut |_| ControlFlow::Break(())).unwrap();
    let error = one.step(&x[..], &label[..]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an epoch has stopped between batches of one optimizer step: go on with it before you take \
         steps on other rows"
    );
}

#[test]
fn a_gradient_or_an_update_that_overflows_is_found_in_its_batch() {
    let net = |lr: &str, t: &str| {
        format!(
            "net n {{ input x: [N, 2]  output y = x |> dense(1, init: ones) }}\n\
             train {{ target t: [N, 1]  loss = {t}  optimizer = sgd(lr: {lr})\n\
             batch = 2  accumulate = 2  epochs = 1 }}"
        )
    };
    let diverged = |source: &str| {
        let mut trainer = trainer(source, line(8), &Settings::default());
        let before = bits(&trainer.weights());
        let mut epoch = || trainer.run_epoch(&mut |_| ControlFlow::Continue(()));
        let Err(TrainError::Diverged(found)) = epoch() else { panic!("{source}") };
        assert_eq!(bits(&trainer.weights()), before);
        found
    };
    let found = diverged(&net("3e38", "mse(y, t) * 100"));
    assert_eq!((found.step, found.part), (1, Part::Update), "{found:?}");
    let found = diverged(&net("0.1", "mean(exp((y - t) * (y - t) * 60))"));
    assert_eq!(found.part, Part::Value, "{found:?}");
    // The gradient alone: ln(1e-39) is finite, and its derivative is not.
    let found = diverged(&net("0.1", "mean(log(y * 0 + 1e-38) * 1e3)"));
    assert_eq!(found.part, Part::Gradient, "{found:?}");
}

#[test]
fn a_program_that_does_not_accumulate_has_no_update() {
    for source in [CLASSIFIER, &CLASSIFIER.replace("epochs", "accumulate = 1  epochs")] {
        let program = program(source);
        assert!(program.routines[EntryPoint::Update].steps.is_empty());
        assert!(program_for(source, Some(3)).routines[EntryPoint::Update].steps.is_empty());
    }
}

#[test]
fn a_validation_every_so_many_steps_counts_steps() {
    let source = accumulating().replace("valid = 0.2", "valid = 0.2  validate = 1");
    let mut trainer = trainer(&source, classes(60, 12), &Settings::default());
    let mut validated = Vec::new();
    let mut on_batch = |progress: Progress| {
        validated.extend(progress.held_out.map(|_| progress.step_in_epoch));
        ControlFlow::Continue(())
    };
    trainer.run_epoch(&mut on_batch).unwrap();
    assert_eq!(validated, [4], "of 6 batches, and after the last the epoch ends");
}
