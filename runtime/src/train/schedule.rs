//! Learning rates over time, as torch.optim.lr_scheduler has them.
//!
//! Nothing here calls the system's mathematical library, whose last bit differs between machines.

use crate::program::{Curve, Per, Schedule};
use crate::random::sin_cos_turn;

/// The rate at unit `t` from 0, of a run of `total` units: steps or epochs, as the schedule counts.
///
/// A half wave that gives no length of its own spans what the warm-up leaves of the run.
pub(crate) fn rate(schedule: &Schedule, t: u64, total: u64) -> f64 {
    let Schedule { base, curve, warmup, per: _ } = *schedule;
    if t < warmup {
        return base * (t + 1) as f64 / warmup as f64;
    }
    let t = t - warmup;
    match curve {
        Curve::Constant => base,
        Curve::Step { every, by } => base * power(by, t / every),
        Curve::Exponential { by } => base * power(by, t),
        Curve::Cosine { to, over } => {
            let over = over.unwrap_or(total.saturating_sub(warmup)).max(1);
            if t >= over {
                return to;
            }
            let (_, cos) = sin_cos_turn(t as f64 / over as f64 / 2.0);
            to + (base - to) * (1.0 + cos) / 2.0
        }
    }
}

/// The unit that a schedule has reached.
pub(crate) fn unit(schedule: &Schedule, step: u64, epoch: u64) -> u64 {
    match schedule.per {
        Per::Step => step,
        Per::Epoch => epoch,
    }
}

/// xⁿ by repeated squaring, with n x 2⁻⁵² as the bound of its relative error.
pub(crate) fn power(x: f64, mut n: u64) -> f64 {
    let (mut result, mut square) = (1.0, x);
    while n > 0 {
        if n & 1 == 1 {
            result *= square;
        }
        square *= square;
        n >>= 1;
    }
    result
}

/// xⁿ for an n that grows by one again and again: one multiplication most times.
///
/// A value depends on n alone, not on those asked for before, so that a resumed run repeats it.
pub(crate) struct Powers {
    x: f64,
    /// x⁰ to x⁶³
    low: [f64; Powers::BLOCK as usize],
    /// The last n without its low bits, and x to that power.
    high: (u64, f64),
}

impl Powers {
    const BLOCK: u64 = 64;

    pub(crate) fn new(x: f64) -> Powers {
        Powers { x, low: std::array::from_fn(|n| power(x, n as u64)), high: (0, 1.0) }
    }

    #[inline]
    pub(crate) fn at(&mut self, n: u64) -> f64 {
        let start = n - n % Powers::BLOCK;
        if start != self.high.0 {
            self.high = (start, power(self.x, start));
        }
        self.high.1 * self.low[(n % Powers::BLOCK) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn schedule(base: f64, curve: Curve) -> Schedule {
        Schedule { base, curve, warmup: 0, per: Per::Step }
    }

    /// PyTorch's own rates; its half wave turns back at its end, where this one stays.
    #[test]
    fn rates_are_those_of_pytorch() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference/schedules.json");
        let text = std::fs::read_to_string(path).unwrap();
        let reference: Value = serde_json::from_str(&text).unwrap();
        let mut checked = 0;
        for case in reference["cases"].as_array().unwrap() {
            let arg = |name: &str| case["args"][name].as_f64().unwrap();
            let curve = match case["schedule"].as_str().unwrap() {
                "step" => Curve::Step { every: arg("step_size") as u64, by: arg("gamma") },
                "exponential" => Curve::Exponential { by: arg("gamma") },
                "cosine" => Curve::Cosine { to: arg("eta_min"), over: Some(arg("T_max") as u64) },
                _ => continue,
            };
            let schedule = schedule(case["base_lr"].as_f64().unwrap(), curve);
            let last = if let Curve::Cosine { over, .. } = curve { over } else { None };
            for (t, expected) in case["lr"].as_array().unwrap().iter().enumerate() {
                let (t, expected) = (t as u64, expected.as_f64().unwrap());
                if last.is_some_and(|last| t > last) {
                    break;
                }
                let found = rate(&schedule, t, 1_000_000);
                let close = (found - expected).abs() <= 1e-13 * expected;
                assert!(close, "{schedule:?} at {t}: {found} against {expected}");
            }
            checked += 1;
        }
        assert_eq!(checked, 3);
    }

    #[test]
    fn a_warm_up_comes_before_the_curve() {
        let curve = Curve::Step { every: 2, by: 0.5 };
        let schedule = Schedule { warmup: 4, ..schedule(1.0, curve) };
        let rates: Vec<f64> = (0..9).map(|t| rate(&schedule, t, 9)).collect();
        assert_eq!(rates, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn a_half_wave_without_a_length_spans_the_run() {
        let curve = Curve::Cosine { to: -0.5, over: None };
        let schedule = Schedule { warmup: 2, ..schedule(1.0, curve) };
        let rates = [1, 2, 6, 10, 11].map(|t| rate(&schedule, t, 10));
        assert_eq!(rates, [1.0, 1.0, 0.25, -0.5, -0.5]);
        assert_eq!(rate(&schedule, 5, 2), -0.5, "a run of the warm-up alone");
    }

    #[test]
    fn powers_are_those_of_the_system() {
        for n in (0..2000).chain([100_000, 1 << 40]) {
            let (own, system) = (power(0.999, n), 0.999f64.powf(n as f64));
            assert!((own - system).abs() <= 1e-11 * system, "{n}: {own} against {system}");
            let step = Powers::new(0.999).at(n);
            assert!((step - system).abs() <= 1e-11 * system, "{n}: {step} against {system}");
        }
        let mut powers = Powers::new(0.9);
        let in_order: Vec<f64> = (0..200).map(|n| powers.at(n)).collect();
        assert!((0..200).all(|n| Powers::new(0.9).at(n) == in_order[n as usize]));
    }
}
