//! From text to an executor that is ready to run: `cargo bench -p arenet-benches --bench compile`.

use arenet_benches::shared;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const DIGITS: &str = include_str!("../models/digits.net");
const TRAIN: &str =
    "train {\n    target t: [N, 1]\n    loss = mse(y, t)\n    optimizer = adam()\n}\n";

/// A net of so many dense layers, with its training.
fn chain(layers: usize) -> String {
    let mut text =
        String::from("net chain {\n    input x: [N, 8]\n    h0 = x |> dense(8) |> tanh\n");
    for layer in 1..layers - 1 {
        text.push_str(&format!("    h{layer} = h{} |> dense(8) |> tanh\n", layer - 1));
    }
    format!("{text}    output y = h{} |> dense(1)\n}}\n{TRAIN}", layers - 2)
}

/// A net of so many layers side by side, each an output, with its training.
fn outputs(layers: usize) -> String {
    let mut text = String::from("net outputs {\n    input x: [N, 8]\n");
    for layer in 1..layers {
        text.push_str(&format!("    output y{layer} = x |> dense(1) |> tanh\n"));
    }
    format!("{text}    output y = x |> dense(1)\n}}\n{TRAIN}")
}

/// A net whose one layer is used so many times, so that its gradients are sums of as many terms.
fn uses(count: usize) -> String {
    let mut text = String::from("net uses {\n    input x: [N, 1]\n");
    text.push_str("    layer f(a) = a |> dense(1) |> tanh\n    h0 = f(x)\n");
    for i in 1..count {
        text.push_str(&format!("    h{i} = h{} + f(x * {i})\n", i - 1));
    }
    format!("{text}    output y = h{}\n}}\n{TRAIN}", count - 1)
}

/// A net of so many inputs, of which it uses one.
fn inputs(count: usize) -> String {
    let mut text = String::from("net inputs {\n");
    for i in 0..count {
        text.push_str(&format!("    input x{i}: [N, 1]\n"));
    }
    text + "    output y = x0 |> dense(1)\n}\n" + TRAIN
}

/// A net of so many dense layers, ten in each block of blocks.
fn blocks(layers: usize) -> String {
    let mut text = String::from("block one(a) { return a |> dense(1) }\n");
    let calls = " |> one".repeat(10);
    text.push_str(&format!("block ten(a) {{ b = a{calls}  return b }}\n"));
    text.push_str("net blocks {\n    input x: [N, 1]\n    h0 = x |> ten\n");
    for i in 1..layers / 10 {
        text.push_str(&format!("    h{i} = h{} |> ten\n", i - 1));
    }
    format!("{text}    output y = h{}\n}}\n{TRAIN}", layers / 10 - 1)
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    let mut measure = |name: BenchmarkId, source: &str| {
        group.bench_with_input(name, source, |bencher, source| {
            bencher.iter(|| shared::executor(black_box(source), true, None));
        });
    };
    measure(BenchmarkId::from_parameter("digits.net"), DIGITS);
    for count in [10, 100, 1_000] {
        measure(BenchmarkId::new("dense layers", count), &chain(count));
        let amsgrad = chain(count).replace("adam()", "adam(amsgrad: true)");
        measure(BenchmarkId::new("dense layers, amsgrad", count), &amsgrad);
        measure(BenchmarkId::new("layers in blocks", count), &blocks(count));
        measure(BenchmarkId::new("outputs", count), &outputs(count));
        measure(BenchmarkId::new("uses of a layer", count), &uses(count));
        measure(BenchmarkId::new("inputs", count), &inputs(count));
    }
}

criterion_group! {
    name = benches;
    config = shared::short();
    targets = compile
}
criterion_main!(benches);
