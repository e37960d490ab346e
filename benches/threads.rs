//! Training steps and predictions on one thread and on two:
//! `cargo bench -p arenet-benches --bench threads`.
//!
//! A sweep over widths and batches of nets of three dense layers, then two large nets of `steps`.
//! At the end it prints, for each, the best time on one thread over that on two: above 1, the
//! second thread pays.

use arenet_benches::shared::Stepper;
use arenet_benches::workloads::{Workload, workloads};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use std::time::{Duration, Instant};

/// Widths and batches: 1, 2, 4 up to 512.
const POWERS: u32 = 10;

/// A net of three dense layers of one width.
fn dense(width: usize, batch: usize, training: bool) -> Workload {
    let kind = if training { "train" } else { "infer" };
    Workload {
        name: format!("{kind} {width} b{batch}"),
        sizes: vec![width; 4],
        activation: "sigmoid".to_string(),
        loss: "mse".to_string(),
        optimizer: training.then(|| "sgd".to_string()),
        batch,
    }
}

/// The time on one thread over that on two; `None` where the filter leaves one of them out.
fn ratio(group: &mut BenchmarkGroup<WallTime>, workload: &Workload) -> Option<f64> {
    let [one, two] = [1, 2].map(|threads| best_time(group, workload, threads));
    Some(one? / two?)
}

/// What is timed at once to find the best time: so short that nothing may come between.
const STRETCH: Duration = Duration::from_micros(100);

/// The time of a step in the fastest stretch of steps, in seconds: what else the machine does only
/// slows, and a thread that waits for a busy core more than one that has a core.
fn best_time(
    group: &mut BenchmarkGroup<WallTime>,
    workload: &Workload,
    threads: usize,
) -> Option<f64> {
    let (training, rows) = (workload.optimizer.is_some(), workload.batch as u64);
    let mut stepper = None;
    let (mut best, mut stretch) = (None, 1);
    group.bench_function(BenchmarkId::new(&workload.name, threads), |bencher| {
        let make = || Stepper::on(threads, &workload.source(), training, rows);
        let stepper = stepper.get_or_insert_with(make);
        bencher.iter_custom(|steps| {
            let (mut left, mut total) = (steps, Duration::ZERO);
            while left > 0 {
                let part = left.min(stretch);
                let start = Instant::now();
                for _ in 0..part {
                    stepper.step();
                }
                let time = start.elapsed();
                if part == stretch && time < STRETCH {
                    stretch *= 2;
                }
                let mean = time.as_secs_f64() / part as f64;
                best = Some(best.map_or(mean, |best: f64| best.min(mean)));
                (left, total) = (left - part, total + time);
            }
            total
        });
    });
    best
}

fn cell(ratio: Option<f64>) -> String {
    ratio.map_or("-".to_string(), |ratio| format!("{ratio:.2}"))
}

fn threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("threads");
    let powers: Vec<usize> = (0..POWERS).map(|power| 1 << power).collect();
    let mut text = String::new();
    for training in [true, false] {
        let what = if training { "training" } else { "prediction" };
        let batches: String = powers.iter().map(|batch| format!(" b{batch} |")).collect();
        text.push_str(&format!("\n| {what}: width |{batches}\n"));
        text.push_str(&format!("| ---: |{}\n", " ---: |".repeat(powers.len())));
        for &width in &powers {
            let ratios = powers.iter().map(|&batch| {
                format!(" {} |", cell(ratio(&mut group, &dense(width, batch, training))))
            });
            text.push_str(&format!("| {width} |{}\n", ratios.collect::<String>()));
        }
    }
    text.push_str("\n| step | 1 thread over 2 |\n| --- | ---: |\n");
    let large = |workload: &Workload| ["wide-b256", "huge-b512"].contains(&workload.name.as_str());
    for workload in workloads().iter().filter(|workload| large(workload)) {
        let ratio = cell(ratio(&mut group, workload));
        text.push_str(&format!("| {} | {ratio} |\n", workload.name));
    }
    group.finish();
    println!("{text}");
}

criterion_group! {
    name = benches;
    // Very short, as there are four hundred of them.
    config = Criterion::default()
        .sample_size(10)
        .nresamples(1_000)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(150));
    targets = threads
}
criterion_main!(benches);
