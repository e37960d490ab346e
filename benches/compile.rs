//! From text to an executor that is ready to run: `cargo bench --bench compile`.

mod shared;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const DIGITS: &str = include_str!("../models/digits.net");

/// A net of so many dense layers, with its training.
fn chain(layers: usize) -> String {
    let mut text =
        String::from("net chain {\n    input x: [N, 8]\n    h0 = x |> dense(8) |> tanh\n");
    for layer in 1..layers - 1 {
        text.push_str(&format!("    h{layer} = h{} |> dense(8) |> tanh\n", layer - 1));
    }
    text.push_str(&format!("    output y = h{} |> dense(1)\n}}\n", layers - 2));
    text.push_str(
        "train {\n    target t: [N, 1]\n    loss = mse(y, t)\n    optimizer = adam()\n}\n",
    );
    text
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    let mut measure = |name: BenchmarkId, source: &str| {
        group.bench_with_input(name, source, |bencher, source| {
            bencher.iter(|| shared::executor(black_box(source), true, None));
        });
    };
    measure(BenchmarkId::from_parameter("digits.net"), DIGITS);
    for layers in [10, 100, 1_000] {
        measure(BenchmarkId::new("dense layers", layers), &chain(layers));
    }
}

criterion_group! {
    name = benches;
    config = shared::short();
    targets = compile
}
criterion_main!(benches);
