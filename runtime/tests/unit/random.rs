//! Random numbers and the order of rows.

use arenet_runtime::program::StreamId;
use arenet_runtime::program::host::sin_cos_turn;
use arenet_runtime::random::normal::{Truncated, quantile, share_below};
use arenet_runtime::random::{SHUFFLE_STREAM, Stream, ln, philox4x32, shuffle};

/// The order of `n` rows in an epoch.
fn permutation(seed: u64, epoch: u64, n: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).collect();
    shuffle(Stream { seed, stream: SHUFFLE_STREAM }, epoch, &mut order);
    order
}

const STREAM: Stream = Stream { seed: 7, stream: StreamId(3) };

/// The known answers of the Random123 distribution (kat_vectors, philox4x32 10).
#[test]
fn philox_gives_the_known_answers() {
    let check = |counter, key, expected| assert_eq!(philox4x32(counter, key), expected);
    check([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    check([!0; 4], [!0; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    check(
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
        [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
    );
}

#[test]
fn every_part_of_the_address_changes_the_value() {
    let base = STREAM.block(5, 9);
    let others = [
        STREAM.block(6, 9),
        STREAM.block(5 | 1 << 32, 9),
        STREAM.block(5 | 1 << 47, 9),
        STREAM.block(5, 10),
        STREAM.block(5, 9 | 1 << 32),
        STREAM.block(5, 9 | 1 << 47),
        Stream { seed: 7 | 1 << 32, ..STREAM }.block(5, 9),
        Stream { seed: 8, ..STREAM }.block(5, 9),
        Stream { stream: StreamId(4), ..STREAM }.block(5, 9),
    ];
    assert!(others.iter().all(|other| *other != base));
}

#[test]
fn uniform_values_fill_the_unit_interval() {
    const N: u64 = 100_000;
    let values: Vec<f32> = (0..N).map(|e| STREAM.uniform(0, e)).collect();
    assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / N as f64;
    let square = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / N as f64;
    assert!((mean - 0.5).abs() < 0.005, "mean {mean}");
    assert!((square - 1.0 / 3.0).abs() < 0.005, "mean square {square}");
}

#[test]
fn normal_values_have_the_moments_of_the_standard_normal() {
    const N: u64 = 100_000;
    let values: Vec<f64> = (0..N).map(|e| f64::from(STREAM.normal(1, e))).collect();
    let moment = |k| values.iter().map(|v| v.powi(k)).sum::<f64>() / N as f64;
    for (k, expected, tolerance) in [(1, 0.0, 0.02), (2, 1.0, 0.02), (3, 0.0, 0.05)] {
        assert!((moment(k) - expected).abs() < tolerance, "moment {k} is {}", moment(k));
    }
    assert!((moment(4) - 3.0).abs() < 0.1, "moment 4 is {}", moment(4));
    let neighbours = values.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / N as f64;
    assert!(neighbours.abs() < 0.02, "neighbours correlate by {neighbours}");
}

/// scipy.stats.norm's cdf and ppf.
#[test]
fn shares_of_the_normal_distribution_are_those_of_scipy() {
    for (x, share) in [
        (-8.0, 6.22096057427174e-16),
        (-4.5, 3.3976731247300535e-06),
        (-2.0, 0.022750131948179195),
        (-0.3, 0.3820885778110474),
        (0.0, 0.5),
        (1.0, 0.8413447460685429),
        (3.7, 0.9998922002665226),
    ] {
        let error = (share_below(x) - share).abs();
        assert!(error <= 4e-16, "{x}: {} is off by {error}", share_below(x));
    }
    for (share, x) in [
        (1e-12, -7.034483825301131f64),
        (1e-6, -4.753424308822899),
        (0.01, -2.3263478740408408),
        (0.2, -0.8416212335729142),
        (0.5, 0.0),
        (0.9, 1.2815515655446004),
        (0.9999, 3.719016485455709),
    ] {
        let error = (quantile(share) - x).abs();
        assert!(error <= 1e-14 * x.abs(), "{share}: {} is off by {error}", quantile(share));
    }
}

/// Mean, deviation and the quantiles 0.1, 0.5 and 0.9 of scipy.stats.truncnorm.
#[test]
fn truncated_values_are_distributed_as_those_of_scipy() {
    const N: usize = 100_000;
    let cases = [
        ([0.0, 1.0, -2.0, 2.0], [0.0, 0.87962566, -1.18403247, 0.0, 1.18403247]),
        ([0.0, 0.02, -2.0, 2.0], [0.0, 0.02, -0.02563103, 0.0, 0.02563103]),
        ([1.0, 2.0, 0.0, 1.5], [0.76149888, 0.42887071, 0.16170636, 0.76696865, 1.35116715]),
        ([0.0, 1.0, 3.0, 4.0], [3.26045429, 0.22198602, 3.0311613, 3.19847413, 3.59292411]),
    ];
    for ([mean, deviation, low, high], expected) in cases {
        let truncated = Truncated::new(mean, deviation, low, high);
        let mut values: Vec<f64> =
            (0..N as u64).map(|e| f64::from(truncated.draw(STREAM, 0, e))).collect();
        values.sort_by(f64::total_cmp);
        let ends = f64::from(low)..=f64::from(high);
        assert!(ends.contains(&values[0]) && ends.contains(&values[N - 1]));
        let found = values.iter().sum::<f64>() / N as f64;
        let spread = values.iter().map(|v| (v - found).powi(2)).sum::<f64>() / N as f64;
        let quantiles = [0.1, 0.5, 0.9].map(|share| values[(share * N as f64) as usize]);
        let found = [[found, spread.sqrt()].as_slice(), &quantiles].concat();
        for (found, expected) in found.iter().zip(expected) {
            let close = (found - expected).abs() < 0.02 * f64::from(deviation.min(high - low));
            assert!(close, "{mean} {deviation} {low} {high}: {found} against {expected}");
        }
    }
}

#[test]
fn own_functions_agree_with_the_system() {
    for i in 0..100_000u64 {
        let x = (i * 42_949 + 1) as f64 / (1u64 << 32) as f64;
        assert!((ln(x) - x.ln()).abs() <= 4e-16 * x.ln().abs().max(1e-3), "ln {x}");
        let (sin, cos) = sin_cos_turn(x);
        let angle = x * std::f64::consts::TAU;
        assert!((sin - angle.sin()).abs() < 1e-15, "sin of {x} turns");
        assert!((cos - angle.cos()).abs() < 1e-15, "cos of {x} turns");
    }
    assert_eq!(ln(1.0), 0.0);
    assert_eq!(sin_cos_turn(0.0), (0.0, 1.0));
    assert_eq!(sin_cos_turn(0.25), (1.0, 0.0));
}

#[test]
fn below_is_even_and_stays_below() {
    for n in [1, 2, 3, 7, 1 << 31, (1 << 31) + 1, u32::MAX] {
        assert!((0..1000).all(|e| STREAM.below(0, e, n) < n), "below {n}");
    }
    let mut counts = [0u32; 7];
    (0..70_000).for_each(|e| counts[STREAM.below(2, e, 7) as usize] += 1);
    assert!(counts.iter().all(|c| c.abs_diff(10_000) < 500), "{counts:?}");
}

#[test]
fn a_permutation_holds_every_row_once_and_depends_on_seed_and_epoch() {
    for n in [0, 1, 2, 3, 1000] {
        let mut order = permutation(1, 2, n);
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..n));
    }
    let order = permutation(1, 2, 1000);
    assert_eq!(order, permutation(1, 2, 1000));
    assert_ne!(order, permutation(1, 3, 1000));
    assert_ne!(order, permutation(2, 2, 1000));
    let mut counts = std::collections::BTreeMap::new();
    (0..6000).for_each(|epoch| *counts.entry(permutation(0, epoch, 3)).or_insert(0u32) += 1);
    assert_eq!(counts.len(), 6);
    assert!(counts.values().all(|c| c.abs_diff(1000) < 150), "{counts:?}");
}

/// Pinned, and confirmed by a second implementation: a change of these numbers changes every
/// trained weight.
#[test]
fn values_never_change() {
    let uniform: Vec<f32> = (0..4).map(|e| STREAM.uniform(0, e)).collect();
    let normal: Vec<f32> = (0..4).map(|e| STREAM.normal(0, e)).collect();
    assert_eq!(uniform, [0.66264725, 0.45306182, 0.37499976, 0.9976683]);
    assert_eq!(normal, [-0.86803854, 0.26369286, 1.4004424, -0.020518007]);
    let truncated = Truncated::new(0.5, 1.0, -1.0, 1.0);
    let truncated: Vec<f32> = (0..4).map(|e| truncated.draw(STREAM, 0, e)).collect();
    assert_eq!(truncated, [0.4516868, 0.114179105, -0.021374999, 0.9958674]);
    assert_eq!(permutation(0, 0, 8), [0, 4, 1, 5, 7, 3, 2, 6]);
    assert_eq!(permutation(5, 2, 8), [7, 6, 2, 4, 0, 5, 3, 1]);
}
