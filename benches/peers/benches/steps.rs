//! Arenet beside candle and burn, step for step: `cargo bench`.

use arenet_peers::shared::short;
use arenet_peers::workloads::{Workload, workloads};
use arenet_peers::{Net, Start, start, with_arenet, with_burn, with_candle};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

type Make = fn(&Workload, &Start) -> Box<dyn Net>;

const FRAMEWORKS: [(&str, Make); 3] = [
    ("arenet", |workload, start| Box::new(with_arenet::net(workload, start))),
    ("candle", |workload, start| Box::new(with_candle::net(workload, start))),
    ("burn", |workload, start| Box::new(with_burn::net(workload, start))),
];

fn steps(criterion: &mut Criterion) {
    for workload in workloads() {
        let mut group = criterion.benchmark_group(&workload.name);
        group.throughput(Throughput::Elements(workload.batch as u64));
        for (name, make) in FRAMEWORKS {
            // Made when it is measured, so that no two large nets are in memory at once.
            let mut net = None;
            group.bench_function(name, |bencher| {
                let net = net.get_or_insert_with(|| make(&workload, &start(&workload)));
                bencher.iter(|| net.step());
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = steps
}
criterion_main!(benches);
