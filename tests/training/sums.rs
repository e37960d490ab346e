//! Sums over many rows, as a full batch of a large table has them: losses, metrics and gradients
//! beside the same sums in 64 bits.

use crate::common::{Weights, bits, finish, floats, program_for, uniform};
use arenet::internals::prelude::*;
use arenet::internals::runtime::simd::Isa;

/// Starts at zero, so that its gradients are sums over the targets. After a step at rate 1 the bias
/// is their mean, twice, and the weights are the means of their products with the inputs.
const NET: &str = "
net line {
    input x: [N, 2]
    output y = x |> dense(1, init: zeros)
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    metric mae(y, t)
    metric rmse(y, t)
    optimizer = sgd(lr: 1)
    batch = full
    epochs = 1
}";

/// The sum of the terms over the sum of their sizes, both divided by their number.
fn means(terms: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = terms.clone().count() as f64;
    (terms.clone().sum::<f64>() / count, terms.map(f64::abs).sum::<f64>() / count)
}

/// Runs `epochs` epochs over all rows at once.
fn trained(net: &str, data: &Dataset, epochs: u64, options: RunOptions) -> (Trainer, EpochReport) {
    let program = program_for(net, Some(data.rows as u64));
    let settings = Settings { epochs: Some(epochs), shuffle: Some(false), ..Settings::default() };
    let mut trainer =
        Trainer::new(program, data.clone(), &Settings { run: options, ..settings }).unwrap();
    let report = finish(&mut trainer).pop().unwrap();
    (trainer, report)
}

/// What a step over all rows gives beside the sums in 64 bits. Chains of equal terms round alike,
/// and those of a weight's gradient are the longest.
fn check(what: &str, x: Vec<f32>, t: Vec<f32>) {
    let rows = t.len();
    let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    let (x64, t64) = (wide(&x), wide(&t));
    let data = Dataset {
        rows,
        inputs: vec![floats(2, x)],
        targets: vec![floats(1, t)],
        ..Dataset::default()
    };
    let (trainer, report) = trained(NET, &data, 1, RunOptions::default());
    let near = |name: &str, found: f64, (expected, size): (f64, f64), tolerance: f64| {
        let error = (found - expected).abs() / size;
        assert!(error <= tolerance, "{what}, {rows} rows: {name} is off by {error:e}");
    };
    near("loss", report.loss, means(t64.iter().map(|t| t * t)), 5e-7);
    let weights = trainer.weights();
    for (i, &w) in weights[0].data.iter().enumerate() {
        let terms = t64.iter().zip(x64.iter().skip(i).step_by(2)).map(|(t, x)| 2.0 * t * x);
        near("a weight", w.into(), means(terms), 1e-6);
    }
    near("the bias", weights[1].data[0].into(), means(t64.iter().map(|t| 2.0 * t)), 7e-7);
    let [w0, w1] = [0, 1].map(|i| f64::from(weights[0].data[i]));
    let bias = f64::from(weights[1].data[0]);
    let misses = x64.chunks_exact(2).zip(&t64).map(|(x, t)| w0 * x[0] + w1 * x[1] + bias - t);
    // The misses themselves are rounded to 32 bits.
    let (mae, _) = means(misses.clone().map(f64::abs));
    near("mae", report.metrics[0].1, (mae, mae), 2e-6);
    let (mse, _) = means(misses.map(|miss| miss * miss));
    near("rmse", report.metrics[1].1, (mse.sqrt(), mse.sqrt()), 2e-6);
}

#[test]
fn sums_over_many_rows_keep_their_digits() {
    // In columns up to 65,536 rows, in rows beyond.
    for rows in [1_000, 10_000, 65_536, 150_000, 1_000_000] {
        check("all equal", vec![0.1; 2 * rows], vec![0.1; rows]);
        check("of mixed signs", uniform(5, 2 * rows), uniform(6, rows));
        let positive = |stream, count| uniform(stream, count).iter().map(|v| v.abs()).collect();
        check("of one sign", positive(5, 2 * rows), positive(6, rows));
    }
    let rows = 10_000_000;
    check("all equal", vec![0.1; 2 * rows], vec![0.1; rows]);
}

#[test]
fn long_sums_have_the_same_bits_everywhere() {
    const CLASSES: &str = "
net classes {
    input x: [N, 50]
    h = x |> dense(60) |> relu
    output y = h |> dense(3)
}
train {
    target c: i32[N] in 0..3
    loss = cross_entropy(y, c)
    metric accuracy(y, c)
    optimizer = adam(lr: 0.1)
    batch = full
}";
    // Weights of 50 rows keep sums between blocks of terms, those of 60 x 3 do not; one thread and
    // several, at a number of rows that leaves a last chain of one term.
    for (net, rows, width) in [(CLASSES, 1_281, 50), (NET, 2_049, 2)] {
        let data = match width {
            50 => Dataset {
                rows,
                inputs: vec![floats(50, uniform(5, 50 * rows))],
                targets: vec![Array { width: 1, data: Values::I32(vec![1; rows]) }],
                ..Dataset::default()
            },
            _ => Dataset {
                rows,
                inputs: vec![floats(2, uniform(5, 2 * rows))],
                targets: vec![floats(1, uniform(6, rows))],
                ..Dataset::default()
            },
        };
        let run = |isa, threads| {
            let options = RunOptions { isa: Some(isa), threads: Some(threads), max_memory: None };
            let (trainer, report) = trained(net, &data, 2, options);
            (bits(&trainer.weights()), report.loss, report.metrics)
        };
        let expected = run(Isa::Portable, 1);
        for isa in Isa::available() {
            for threads in [1, 2, 3] {
                assert!(run(isa, threads) == expected, "{isa}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_share_is_a_count_over_a_count() {
    // Classes, and elements that lie on a side of a threshold, over batches with a rest.
    const SIDES: &str = "
net sides {
    input x: [N, 3]
    output y = x + dense(x, 3, init: zeros)
}
train {
    target t: [N, 3]
    loss = mse(y, t)
    metric accuracy(y, t, threshold: 0)
    optimizer = sgd(lr: 0.1)
}";
    const LARGEST: &str = "
net largest {
    input x: [N, 3]
    output y = x + dense(x, 3, init: zeros)
}
train {
    target c: i32[N] in 0..3
    loss = cross_entropy(y, c)
    metric accuracy(y, c)
    optimizer = sgd(lr: 0.1)
}";
    let rows = 29_989;
    let x = uniform(5, 3 * rows);
    let t: Vec<f32> = uniform(6, 3 * rows);
    let sides = x.iter().zip(&t).filter(|(x, t)| (**x > 0.0) == (**t > 0.5)).count();
    let largest = x.chunks_exact(3).filter(|x| x[1] > x[0] && x[1] >= x[2]).count();
    let sides = (SIDES, floats(3, t), sides as f64 / (3 * rows) as f64);
    let classes = Array { width: 1, data: Values::I32(vec![1; rows]) };
    for (net, target, share) in [sides, (LARGEST, classes, largest as f64 / rows as f64)] {
        let inputs = vec![floats(3, x.clone())];
        let data = Dataset { rows, inputs, targets: vec![target], ..Dataset::default() };
        for batch in [1, 7, 1_000, 29_989] {
            let program = program_for(net, Some(batch));
            let settings = Settings::default();
            let options = RunOptions::default();
            let mut trainer = Trainer::validated(
                program,
                data.clone(),
                data.clone(),
                &Settings { run: options, ..settings },
            )
            .unwrap();
            assert_eq!(trainer.evaluate().unwrap().unwrap().metrics[0].1, share, "batch {batch}");
        }
    }
}

#[test]
fn a_sum_is_of_all_rows_whatever_the_batches() {
    let net = NET.replace("mae(y, t)", "mae(y, t, reduction: sum)").replace("lr: 1", "lr: 0");
    let t: Vec<f32> = (1..=10).map(|t| t as f32).collect();
    let (inputs, targets) = (vec![floats(2, vec![0.0; 20])], vec![floats(1, t)]);
    let data = Dataset { rows: 10, inputs, targets, ..Dataset::default() };
    for batch in [1, 3, 10] {
        let net = net.replace("batch = full", &format!("batch = {batch}"));
        let program = program_for(&net, None);
        let mut trainer =
            Trainer::validated(program, data.clone(), data.clone(), &Settings::default()).unwrap();
        let found = trainer.evaluate().unwrap().unwrap().metrics[0].1;
        assert_eq!(found, 55.0, "batches of {batch}");
    }
}

/// Beside the textbook in 64 bits, and scikit-learn's convention for targets that are all the same.
#[test]
fn r2_is_of_all_rows_whatever_the_batches() {
    const SAME: &str = "
net same {
    input x: [N, 1]
    output y = x + dense(x, 1, init: zeros)
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    metric r2(y, t)
    optimizer = sgd(lr: 0.1)
}";
    let rows = 2_999;
    let textbook = |y: &[f32], t: &[f32]| {
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let (y, t) = (wide(y), wide(t));
        let mean = t.iter().sum::<f64>() / t.len() as f64;
        let square = |(a, b): (&f64, f64)| (a - b) * (a - b);
        let left: f64 = y.iter().zip(t.clone()).map(square).sum();
        1.0 - left / t.iter().map(|t| square((t, mean))).sum::<f64>()
    };
    let noise = uniform(8, rows);
    let around = |mean: f32| uniform(7, rows).into_iter().map(|u| mean + 3.0 * u).collect();
    let near = |t: &[f32]| t.iter().zip(&noise).map(|(t, u)| t + u).collect();
    let mut cases: Vec<(Vec<f32>, Vec<f32>, f64)> = Vec::new();
    for mean in [0.0, 1e3, -1e4] {
        let t: Vec<f32> = around(mean);
        let y: Vec<f32> = near(&t);
        let expected = textbook(&y, &t);
        assert!((0.8..0.95).contains(&expected), "{expected}");
        cases.push((y, t, expected));
    }
    cases.push((uniform(8, rows), vec![7.3; rows], 0.0));
    cases.push((vec![7.3; rows], vec![7.3; rows], 1.0));
    for (y, t, expected) in cases {
        let (inputs, targets) = (vec![floats(1, y)], vec![floats(1, t)]);
        let data = Dataset { rows, inputs, targets, ..Dataset::default() };
        for batch in [1, 7, 1_000, 2_999] {
            let program = program_for(SAME, Some(batch));
            let settings = Settings::default();
            let mut trainer =
                Trainer::validated(program, data.clone(), data.clone(), &settings).unwrap();
            let found = trainer.evaluate().unwrap().unwrap().metrics[0].1;
            assert!((found - expected).abs() <= 1e-6, "batch {batch}: {found}, not {expected}");
        }
    }
}
