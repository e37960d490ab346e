//! Whole training steps and predictions of dense nets, on one thread: `cargo bench --bench steps`.

mod shared;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared::Stepper;

/// A dense net and what is done with it.
struct Workload {
    name: &'static str,
    sizes: &'static [u32],
    activation: &'static str,
    loss: &'static str,
    /// None where it only predicts.
    optimizer: Option<&'static str>,
    batch: u32,
}

const SGD: Option<&str> = Some("sgd(lr: 0.01)");
const MOMENTUM: Option<&str> = Some("sgd(lr: 0.01, momentum: 0.9)");
const ADAM: Option<&str> = Some("adam(lr: 0.001)");

const SEED: &[u32] = &[3, 3, 2];
const DIGITS: &[u32] = &[64, 32, 10];
const MNIST: &[u32] = &[784, 128, 10];
const MNIST_DEEP: &[u32] = &[784, 512, 256, 10];
const WIDE: &[u32] = &[1024, 1024, 1024, 1024, 1000];
const HUGE: &[u32] = &[2048, 4096, 4096, 1000];

const fn workload(
    name: &'static str,
    sizes: &'static [u32],
    activation: &'static str,
    loss: &'static str,
    optimizer: Option<&'static str>,
    batch: u32,
) -> Workload {
    Workload { name, sizes, activation, loss, optimizer, batch }
}

const WORKLOADS: [Workload; 12] = [
    workload("seed-b1", SEED, "sigmoid", "mse", SGD, 1),
    workload("seed-b32", SEED, "sigmoid", "mse", SGD, 32),
    workload("digits-b32", DIGITS, "sigmoid", "cross_entropy", MOMENTUM, 32),
    workload("mnist-b64", MNIST, "sigmoid", "cross_entropy", MOMENTUM, 64),
    workload("mnist-adam-b128", MNIST_DEEP, "relu", "cross_entropy", ADAM, 128),
    workload("wide-b256", WIDE, "sigmoid", "cross_entropy", ADAM, 256),
    workload("huge-b512", HUGE, "relu", "cross_entropy", SGD, 512),
    workload("seed-infer-b1", SEED, "sigmoid", "mse", None, 1),
    workload("mnist-infer-b1", MNIST, "sigmoid", "cross_entropy", None, 1),
    workload("mnist-infer-b64", MNIST, "sigmoid", "cross_entropy", None, 64),
    workload("wide-infer-b1", WIDE, "sigmoid", "cross_entropy", None, 1),
    workload("wide-infer-b256", WIDE, "sigmoid", "cross_entropy", None, 256),
];

impl Workload {
    /// It as a .net file. The last layer has an activation only where the loss does not bring one.
    fn source(&self) -> String {
        let last = self.sizes.len() - 1;
        let (width, outputs) = (self.sizes[0], self.sizes[last]);
        let mut text = format!("net bench {{\n    input x: f32[N, {width}]\n");
        let mut previous = "x".to_string();
        for (index, size) in self.sizes.iter().enumerate().skip(1) {
            let end = index == last;
            let name = if end { "y".to_string() } else { format!("h{index}") };
            let keyword = if end { "output " } else { "" };
            text.push_str(&format!("    {keyword}{name} = {previous} |> dense({size})"));
            if !end || self.loss == "mse" {
                text.push_str(&format!(" |> {}", self.activation));
            }
            text.push('\n');
            previous = name;
        }
        let target = match self.loss {
            "mse" => format!("f32[N, {outputs}]"),
            _ => format!("i32[N] in 0..{outputs}"),
        };
        let optimizer = self.optimizer.unwrap_or("sgd(lr: 0.01)");
        text.push_str(&format!(
            "}}\ntrain {{\n    target t: {target}\n    loss = {}(y, t)\n    \
             optimizer = {optimizer}\n    batch = {}\n}}\n",
            self.loss, self.batch
        ));
        text
    }
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("steps");
    for workload in &WORKLOADS {
        // Made when it is measured, so that no two large nets are in memory at once.
        let mut stepper = None;
        let (training, rows) = (workload.optimizer.is_some(), u64::from(workload.batch));
        let make = || Stepper::new(&workload.source(), training, rows);
        group.throughput(Throughput::Elements(rows));
        group.bench_function(workload.name, |bencher| {
            let stepper = stepper.get_or_insert_with(make);
            bencher.iter(|| stepper.step());
        });
    }
}

criterion_group! {
    name = benches;
    config = shared::short();
    targets = steps
}
criterion_main!(benches);
