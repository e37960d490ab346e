//! Single kernels on one thread, beside what the machine can do and what others make of it:
//! `cargo bench -p arenet-benches --bench kernels`.
//!
//! The throughput of `machine/fma peak` and of the products is in FLOP/s (criterion writes elem/s),
//! that of `machine/read` and of the updates in bytes. A kernel of ours runs as the one step of a
//! program made by hand.

mod maps;
mod peers;
mod products;
mod single;
mod updates;

use arenet::internals::runtime::arena::Arena;
use arenet::internals::runtime::machine::{Chains, Read, caches};
use arenet::internals::runtime::simd::Isa;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

/// More than the caches hold.
const MEMORY_BYTES: u64 = 128 << 20;

fn machine(criterion: &mut Criterion) {
    let isa = Isa::detect();
    let mut group = criterion.benchmark_group("machine");
    let chains = Chains { rounds: 1_000 };
    let mut peak = |name: &str, isa: Isa| {
        group.throughput(Throughput::Elements(isa.dispatch(chains) as u64));
        group.bench_function(name, |bencher| bencher.iter(|| isa.dispatch(chains)));
    };
    peak("fma peak", isa);
    if isa > Isa::Avx2 {
        peak("fma peak avx2", Isa::Avx2);
    }
    // Half a cache stays in it beside what else runs.
    let mut sizes: Vec<u64> = caches().iter().map(|cache| cache.bytes / 2).collect();
    sizes.dedup();
    sizes.push(MEMORY_BYTES);
    for bytes in sizes {
        let floats = bytes as usize / 4;
        let mut arena = Arena::new(4 * floats).expect("it is small"); // aligned as buffers are
        arena.floats_mut(0, floats).fill(1.0);
        let block = arena.floats(0, floats);
        let rounds = (1 << 20) / bytes.min(1 << 20) as usize;
        group.throughput(Throughput::Bytes(bytes * rounds as u64));
        group.bench_function(BenchmarkId::new("read", format!("{} KiB", bytes >> 10)), |bencher| {
            bencher.iter(|| isa.dispatch(Read { block, rounds }));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = machine, products::products, maps::maps, updates::updates
}
criterion_main!(benches);
