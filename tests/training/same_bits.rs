//! The same bits on every instruction set, at any number of threads, in any batch.

use crate::common::{CLASSIFIER, bits, classes, finish, program, program_for, trainer, uniform};
use crate::common::{Weights, line, predictor_of};
use arenet::internals::prelude::*;
use arenet::internals::runtime::simd::Isa;

/// Large enough that its matrix products are shared between threads.
const SHARED: &str = "
net shared {
    input x: [N, 66]
    h = x |> dense(130) |> sigmoid
    output logits = h |> dense(3)
}
train {
    target label: i32[N] in 0..3
    loss = cross_entropy(logits, label)
    optimizer = sgd(lr: 0.1, momentum: 0.9)
    batch = 64  epochs = 2
}";

#[test]
fn threads_and_instruction_sets_do_not_change_the_weights() {
    let normed = CLASSIFIER
        .replace("|> relu", "|> layer_norm |> prelu |> rms_norm")
        .replace("batch = 8", "clip_norm = 0.5  clip_value = 0.1  batch = 8");
    let dropped = SHARED.replace("|> sigmoid", "|> batch_norm |> sigmoid |> dropout(0.3)");
    let shaped = SHARED
        .replace("|> sigmoid", "|> sigmoid |> mixed")
        .replace("logits, label", "logits, label, class_weight: [1, 2, 0.5], label_smoothing: 0.1")
        .replace("optimizer", "metric f1(logits, label)  optimizer");
    let shaped = format!(
        "block mixed(x) {{
            most = concat(slice(x, to: 50), slice(x, from: 64), max(x), one_hot(argmax(x), 131))
            return most |> reshape([62, 4]) |> flatten
        }} {shaped}"
    );
    let nets = [(SHARED, 66), (CLASSIFIER, 12), (&normed, 12), (&dropped, 66), (&shaped, 66)];
    for (source, width) in nets {
        let mut all = Vec::new();
        for isa in Isa::available() {
            for threads in 1..=4 {
                let options =
                    RunOptions { isa: Some(isa), threads: Some(threads), ..RunOptions::default() };
                let settings = Settings::default();
                let data = classes(200, width);
                let mut trainer =
                    Trainer::new(program(source), data, &Settings { run: options, ..settings })
                        .unwrap();
                let reports = finish(&mut trainer);
                all.push((bits(&trainer.weights()), reports));
            }
        }
        assert!(all.iter().all(|run| *run == all[0]), "{source}");
    }
}

#[test]
fn the_seed_decides_the_run_and_nothing_else_does() {
    let run = |seed, shuffle| {
        let settings = Settings { seed: Some(seed), shuffle: Some(shuffle), ..Settings::default() };
        let mut trainer = trainer(CLASSIFIER, classes(60, 12), &settings);
        finish(&mut trainer);
        bits(&trainer.weights())
    };
    assert_eq!(run(1, true), run(1, true));
    assert_ne!(run(1, true), run(2, true));
    assert_ne!(run(1, true), run(1, false));
}

#[test]
fn the_plan_may_be_larger_than_the_batch() {
    let small = Settings::default();
    let full = crate::common::LINE.replace("batch = 4", "batch = full");
    let run = |planned| {
        let program = program_for(&full, Some(planned));
        let mut trainer = Trainer::new(program, line(30), &small).unwrap();
        finish(&mut trainer);
        bits(&trainer.weights())
    };
    assert_eq!(run(30), run(100));
}

#[test]
fn a_row_is_predicted_alike_in_every_batch() {
    const ROWS: usize = 37;
    let x = uniform(5, ROWS * 12);
    let program = program_for(CLASSIFIER, Some(16));
    let data = classes(60, 12);
    let weights = trainer(CLASSIFIER, data, &Settings::default()).weights();
    let mut first = None;
    for isa in Isa::available() {
        let options = RunOptions { isa: Some(isa), ..RunOptions::default() };
        let mut predictor = predictor_of(program.clone(), &weights, options).unwrap();
        let together = predictor.predict(&x).unwrap().remove(0);
        let mut alone = Vec::new();
        for row in x.chunks_exact(12) {
            let mut logits = [0.0; 3];
            predictor.predict_into(row, &mut logits).unwrap();
            alone.extend(logits);
        }
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&together), bits(&alone), "{isa}");
        let mut at_once = vec![0.0; ROWS * 3];
        predictor.predict_into(&x, &mut at_once).unwrap();
        assert_eq!(bits(&together), bits(&at_once), "{isa}");
        assert_eq!(*first.get_or_insert_with(|| bits(&together)), bits(&together), "{isa}");
    }
}
