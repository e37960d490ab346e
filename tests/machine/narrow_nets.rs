//! Whole nets with narrow weights: what they are compiled to, what they take, how well they
//! predict, and that the bits do not depend on the machine.

use crate::common::weights::{Tensor, Weights, predictor_of};
use arenet::internals::prelude::*;
use arenet::internals::runtime::exec::{EntryPoint, Executor};
use arenet::internals::runtime::program::{DType, Layout, StreamId};
use arenet::internals::runtime::random::Stream;
use arenet::internals::runtime::simd::Isa;
use std::ops::ControlFlow;
use std::sync::Arc;

const NARROW: [Precision; 2] = [Precision::Bf16, Precision::Int8];

const NET: &str = "
net classifier {
    input x: [N, 37]
    h = x / 2 |> dense(50) |> relu
    output logits = h |> dense(21) |> tanh |> dense(3)
    output probs = softmax(logits)
}
train {
    target label: i32[N] in 0..3
    loss = cross_entropy(logits, label)
    metric accuracy(logits, label)
    optimizer = adam(lr: 0.01)
    batch = 8  epochs = 2
}";

fn program(source: &str, batch: Option<u64>, weights: Precision) -> Arc<Verified> {
    let options = CompileOptions { batch, weights, ..CompileOptions::default() };
    compile(source, &options).unwrap_or_else(|found| panic!("{found:#?}")).program
}

fn numbers(stream: u32, count: usize) -> Vec<f32> {
    let stream = Stream { seed: 5, stream: StreamId(stream) };
    (0..count as u64).map(|element| stream.normal(0, element)).collect()
}

/// Random values for all parameters.
fn weights(program: &Program) -> Vec<Tensor> {
    let tensor = |(index, param): (usize, &arenet::internals::runtime::program::Param)| {
        let shape: Vec<usize> = param.shape.iter().map(|&dim| dim as usize).collect();
        let count: usize = shape.iter().product();
        let data = numbers(index as u32, count).into_iter().map(|w| w * 0.3).collect();
        Tensor { name: param.name.clone(), shape, data }
    };
    program.params.iter().enumerate().map(tensor).collect()
}

fn rows(count: usize) -> Array {
    Array { width: 37, data: Values::F32(numbers(100, count * 37)) }
}

fn predictor(program: Arc<Verified>, options: RunOptions) -> Predictor {
    let weights = weights(program.program());
    predictor_of(program, &weights, options).unwrap()
}

#[test]
fn only_the_weights_of_products_are_narrow() {
    for (weights, dtype) in NARROW.into_iter().zip([DType::Bf16, DType::I8]) {
        let program = program(NET, None, weights);
        let program = program.program();
        assert_eq!(program.precision(), dtype);
        for param in &program.params {
            let found = program.buffers[param.buffer.0 as usize].dtype;
            let expected = if param.name.ends_with('w') { dtype } else { DType::F32 };
            assert_eq!(found, expected, "{}", param.name);
        }
        assert!(program.training.is_none() && program.routines[EntryPoint::Train].steps.is_empty());
        assert!(program.loss.is_some() && !program.routines[EntryPoint::Eval].steps.is_empty());
    }
    // A weight may be used by several products, but if in another way too, it stays as it is.
    let net = |last: &str| {
        format!("net n {{ input x: [N, 4]  param w: [4, 4]  h = x @ w  output y = h @ {last} }}")
    };
    assert_eq!(program(&net("w"), None, Precision::Int8).program().precision(), DType::I8);
    assert_eq!(program(&net("(w * 2)"), None, Precision::Int8).program().precision(), DType::F32);
}

#[test]
fn a_narrow_arena_is_smaller_by_what_the_weights_lose() {
    let net = "net n { input x: [N, 256]  output y = x |> dense(512) |> relu |> dense(64) }";
    let [full, half, quarter] = Precision::ALL.map(|precision| {
        let options = CompileOptions {
            batch: Some(4),
            weights: precision,
            purpose: Purpose::Predict,
            ..CompileOptions::default()
        };
        compile(net, &options).unwrap().program
    });
    let elements = 256 * 512 + 512 * 64;
    let bytes = |program: &Program| -> u64 {
        let weights = program.params.iter().filter(|param| param.name.ends_with('w'));
        weights.map(|p| program.buffers[p.buffer.0 as usize].bytes(4).unwrap()).sum()
    };
    assert_eq!(bytes(&full), 4 * elements);
    assert_eq!(bytes(&half), 2 * elements);
    assert_eq!(bytes(&quarter), elements + 4 * (512 + 64), "and a scale for each column");
    // No copy of the weights beside them: all else is as in f32, where initial values took more.
    let rest = |program: &Program| program.routines[EntryPoint::Predict].bytes - bytes(program);
    assert_eq!(rest(&half), rest(&full));
    assert_eq!(rest(&quarter), rest(&full));
    assert_eq!(half.arena_bytes, half.routines[EntryPoint::Predict].bytes);
    assert_eq!(quarter.arena_bytes, quarter.routines[EntryPoint::Predict].bytes);
}

#[test]
fn the_bits_are_the_same_on_every_machine_and_in_every_batch() {
    const ROWS: usize = 61;
    for weights in NARROW {
        let predict = |batch: u64, isa: Isa, threads: usize| {
            let options = RunOptions { isa: Some(isa), threads: Some(threads), max_memory: None };
            let program = program(NET, Some(batch), weights);
            let outputs = predictor(program, options).predict(&rows(ROWS)).unwrap();
            let values = outputs.into_iter().flatten();
            values.map(f32::to_bits).collect::<Vec<u32>>()
        };
        let expected = predict(ROWS as u64, Isa::Portable, 1);
        for isa in Isa::available() {
            for (batch, threads) in [(1, 1), (7, 2), (61, 1), (61, 3), (256, 2)] {
                let same = predict(batch, isa, threads) == expected;
                assert!(same, "{weights:?}, batch {batch}, {isa}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_tiny_net_is_right_as_straight_line_code() {
    let net = "net n { input x: [N, 3]  output y = x |> dense(3) |> sigmoid |> dense(2) }";
    for weights in NARROW {
        // The full batch of one is written out; of 40 rows it is not.
        let predict = |batch| {
            let program = program(net, Some(batch), weights);
            let x = Array { width: 3, data: Values::F32(numbers(7, 120)) };
            predictor(program, RunOptions::default()).predict(&x).unwrap()
        };
        assert_eq!(predict(1), predict(40), "{weights:?}");
    }
}

#[test]
fn what_is_read_is_what_was_rounded_and_rounds_to_itself() {
    for precision in NARROW {
        let program = program(NET, None, precision);
        let first = predictor(program.clone(), RunOptions::default());
        let rounded = first.executor().weights();
        for (given, rounded) in weights(program.program()).iter().zip(&rounded) {
            let largest = given.data.iter().fold(0.0f32, |largest, w| largest.max(w.abs()));
            for (given, rounded) in given.data.iter().zip(&rounded.data) {
                assert!((given - rounded).abs() <= largest / 250.0, "{given} became {rounded}");
            }
        }
        let options = RunOptions::default();
        let again = predictor_of(program.clone(), &rounded, options).unwrap();
        for (once, twice) in rounded.iter().zip(again.executor().weights()) {
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= a.abs() * 3.0 * f32::EPSILON;
            assert!(once.data.iter().zip(&twice.data).all(near), "{}", once.name);
        }
    }
}

#[test]
fn a_narrow_program_is_not_trained() {
    let narrow = program(NET, None, Precision::Int8);
    let data = Dataset { rows: 8, inputs: vec![rows(8)], ..Dataset::default() };
    let settings = Settings::default();
    let error = Trainer::new(narrow.clone(), data, &settings);
    let message = "the program cannot be trained: its weights are not of f32";
    assert_eq!(error.err().map(|error| error.to_string()).as_deref(), Some(message));
    let mut executor = Executor::new(narrow, RunOptions::default()).unwrap();
    let error = executor.run(EntryPoint::Train, 1).unwrap_err();
    assert_eq!(error, RunError::Precision);
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_weight_with_too_many_rows_for_integers_stays_f32() {
    let net = "net n { input x: [N, 140000]  output y = x |> dense(1) }";
    let program = program(net, Some(1), Precision::Int8);
    let weight = program.program().buffers[program.program().params[0].buffer.0 as usize];
    assert_eq!(weight.dtype, DType::F32);
    assert!(!matches!(weight.layout, Layout::Quads { .. }));
}

/// Digits, every fifth row held out.
fn digits() -> (Dataset, Dataset) {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/models/digits.csv")).unwrap();
    let pick = |held_out: bool| {
        let lines = text.lines().enumerate();
        let chosen = lines.filter(|&(at, _)| at == 0 || (at % 5 == 0) == held_out);
        let table: Vec<&str> = chosen.map(|(_, line)| line).collect();
        let program = program_of_digits(Precision::F32);
        let (inputs, targets) =
            (PortSpec::inputs(program.program()), PortSpec::targets(program.program()));
        let spec = TableSpec::new(&inputs, &targets);
        read_csv(table.join("\n").as_bytes(), "digits", &spec).unwrap()
    };
    (pick(false), pick(true))
}

fn program_of_digits(weights: Precision) -> Arc<Verified> {
    let root = env!("CARGO_MANIFEST_DIR");
    let source = std::fs::read_to_string(format!("{root}/models/digits.net")).unwrap();
    program(&source, None, weights)
}

#[test]
fn digits_are_told_apart_as_well_as_in_f32() {
    let (training, held_out) = digits();
    let settings = Settings { epochs: Some(12), valid: Some(0.0), ..Settings::default() };
    let options = RunOptions::default();
    let mut trainer = Trainer::new(
        program_of_digits(Precision::F32),
        training,
        &Settings { run: options, ..settings },
    )
    .unwrap();
    while trainer.epoch() < trainer.epochs() {
        trainer.run_epoch(&mut |_| ControlFlow::Continue(())).unwrap();
    }
    let [full, half, quarter] = Precision::ALL.map(|precision| {
        let program = program_of_digits(precision);
        let mut predictor = predictor_of(program, &trainer.weights(), options).unwrap();
        predictor.evaluate(&held_out).unwrap().metrics[0].1
    });
    assert!(full > 0.95, "{full}");
    assert!((full - half).abs() <= 0.005, "{full} and {half}");
    assert!((full - quarter).abs() <= 0.005, "{full} and {quarter}");
}
