//! Whole training steps and predictions of dense nets, on one thread:
//! `cargo bench -p arenet-benches --bench steps`.

use arenet_benches::shared::{self, Stepper};
use arenet_benches::workloads::workloads;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("steps");
    for workload in workloads() {
        // Made when it is measured, so that no two large nets are in memory at once.
        let mut stepper = None;
        let (training, rows) = (workload.optimizer.is_some(), workload.batch as u64);
        let make = || Stepper::new(&workload.source(), training, rows);
        group.throughput(Throughput::Elements(rows));
        group.bench_function(&workload.name, |bencher| {
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
