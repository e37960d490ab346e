//! Predictors that share one copy of their weights: the same outputs, at the same time.

use crate::common::weights::{Weights, predictor_of};
use arenet::internals::prelude::*;
use arenet::internals::runtime::exec::{EntryPoint, Executor};
use arenet::internals::runtime::program::Param;

/// Narrow enough to be straight-line code, or wide enough that threads share its steps.
fn source(width: usize) -> String {
    format!(
        "net shared {{ input x: [N, 7]  h = x |> dense({width}) |> tanh
                       g = h |> dense({width}) |> relu
                       output y = g |> dense(3) |> softmax }}
         train {{ target t: i32[N] in 0..3  loss = cross_entropy(y, t)
                  optimizer = adam(lr: 0.01)  batch = 16 }}"
    )
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn rows(count: usize, seed: usize) -> Vec<f32> {
    (0..7 * count).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
}

/// A predictor with the initial weights.
fn predictor(source: &str, options: CompileOptions, threads: usize) -> Predictor {
    let program = |options: &CompileOptions| {
        compile(source, options).unwrap_or_else(|e| panic!("{e:?}")).program
    };
    let run = RunOptions { threads: Some(threads), ..RunOptions::default() };
    let trained = program(&CompileOptions::default());
    let trainer = Trainer::without_data(trained, &Settings { run, ..Settings::default() }).unwrap();
    predictor_of(program(&options), &trainer.weights(), run).unwrap()
}

#[test]
fn shared_predictors_run_at_once_and_give_the_bits_of_one() {
    for (width, threads) in [(5, 1), (64, 1), (256, 2)] {
        for weights in Precision::ALL {
            for purpose in [Purpose::Evaluate, Purpose::Train] {
                if weights != Precision::F32 && purpose == Purpose::Train {
                    continue;
                }
                let options = CompileOptions { purpose, weights, ..CompileOptions::default() };
                let mut one = predictor(&source(width), options, threads);
                let expected: Vec<_> =
                    (0..4).map(|seed| bits(&one.predict(&rows(40, seed)).unwrap()[0])).collect();
                let shared = one.share(4).unwrap();
                std::thread::scope(|scope| {
                    for (seed, (mut own, expected)) in shared.into_iter().zip(expected).enumerate()
                    {
                        scope.spawn(move || {
                            for _ in 0..20 {
                                let outputs = own.predict(&rows(40, seed)).unwrap();
                                assert_eq!(bits(&outputs[0]), expected, "{width}, {weights:?}");
                                let mut first = [0.0; 3];
                                own.predict_into(&rows(1, seed), &mut first).unwrap();
                                assert_eq!(bits(&first), expected[..3]);
                            }
                        });
                    }
                });
            }
        }
    }
}

#[test]
fn weights_are_there_once() {
    let options = CompileOptions { purpose: Purpose::Evaluate, ..CompileOptions::default() };
    let wide = || predictor(&source(1024), options.clone(), 1);
    let elements = |param: &Param| 4 * param.shape.iter().product::<u64>();
    let weights: u64 = wide().program().params.iter().map(elements).sum();
    let bytes = |own: &Predictor| own.executor().arena_bytes() as u64;
    // Each counts the weights, and has more than half as much of its own.
    let each: Vec<u64> = wide().share(3).unwrap().iter().map(bytes).collect();
    assert!(each.iter().all(|bytes| (weights..2 * weights).contains(bytes)), "{each:?}");
    let error = wide().share(1 << 40).err().unwrap();
    assert!(matches!(error, RunError::Memory { .. }), "{error}");
}

#[test]
fn shared_predictors_evaluate_alike_and_never_train() {
    let options = CompileOptions { purpose: Purpose::Evaluate, ..CompileOptions::default() };
    let mut one = predictor(&source(20), options.clone(), 1);
    let data = Dataset {
        rows: 40,
        inputs: vec![Array { width: 7, data: Values::F32(rows(40, 1)) }],
        targets: vec![Array { width: 1, data: Values::I32((0..40).map(|row| row % 3).collect()) }],
        ..Dataset::default()
    };
    let expected = one.evaluate(&data).unwrap();
    for mut own in one.share(3).unwrap() {
        assert_eq!(own.evaluate(&data).unwrap(), expected);
    }

    let program = compile(&source(20), &CompileOptions::default()).unwrap().program;
    let run = RunOptions { threads: Some(1), ..RunOptions::default() };
    let shared = Executor::new(program, run).unwrap().share(2, run).unwrap();
    for mut own in shared {
        assert!(own.run(EntryPoint::Init, 1).is_err() && own.run(EntryPoint::Train, 1).is_err());
        assert!(own.run(EntryPoint::Predict, 1).is_ok());
    }
}
