//! Axes of charts with round ticks.

/// Above this ratio of the largest to the least value a curve is drawn over powers of ten.
const WIDE: f64 = 50.0;
/// About how many steps between ticks an axis has.
const STEPS: f64 = 5.0;

/// The values that an axis goes over.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Where it begins, and where it ends.
    pub low: f64,
    pub high: f64,
    pub is_log: bool,
    /// Where it is labelled, in order.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// For these values, from one round number to another.
    pub fn round(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let (low, high) = bounds(values);
        let step = step((high - low) / STEPS);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let ticks = multiples(first, last, step);
        Axis { low: first * step, high: last * step, is_log: false, ticks }
    }

    /// [`Axis::round`], but over powers of ten where the values are above 0 and far apart.
    pub fn of_loss(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let (low, high) = bounds(values.clone());
        if low <= 0.0 || high / low < WIDE {
            return Axis::round(values);
        }
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let factors: &[f64] = if last - first > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let every = ((last - first) as usize).div_ceil(6);
        let decades = (first..=last).step_by(every);
        let all = decades.flat_map(|ten| factors.iter().map(move |f| f * 10f64.powi(ten)));
        let all: Vec<f64> = all.collect();
        let below = all.iter().rev().find(|tick| **tick <= low).copied().unwrap_or(low);
        let above = all.iter().find(|tick| **tick >= high).copied().unwrap_or(high);
        let ticks = all.into_iter().filter(|tick| (below..=above).contains(tick)).collect();
        Axis { low: below, high: above, is_log: true, ticks }
    }

    /// From 0 to a number of rows.
    pub fn of_counts(most: u64) -> Axis {
        let step = step(most as f64 / STEPS).max(1.0);
        let last = (most.max(1) as f64 / step).ceil();
        Axis { low: 0.0, high: last * step, is_log: false, ticks: multiples(0.0, last, step) }
    }

    /// For whole numbers, which it begins and ends with.
    pub fn of_epochs(first: u64, last: u64) -> Axis {
        let (low, high) = (first as f64, last as f64);
        let step = step((high - low) / STEPS).max(1.0);
        let ticks = multiples((low / step).ceil(), (high / step).floor(), step);
        let half = if low == high { 0.5 } else { 0.0 };
        Axis { low: low - half, high: high + half, is_log: false, ticks }
    }

    /// Where a value is, from 0 at the beginning to 1 at the end.
    pub fn place(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.is_log { value.ln() } else { value };
        let (low, high) = (scale(self.low), scale(self.high));
        ((scale(value) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// A tick in words: with as many decimals as all of them need.
    pub fn label(&self, tick: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        let least = match self.is_log {
            true => tick,
            false => self.ticks.windows(2).map(|two| two[1] - two[0]).fold(largest, f64::min),
        };
        let power = |value: f64| (value.abs().log10() + 1e-9).floor();
        let decimals = (-power(least)).max(0.0) as usize;
        if tick == 0.0 && largest >= 1e6 {
            return "0".to_string();
        }
        // Far from 1 an exponent is shorter.
        if tick != 0.0 && (largest >= 1e6 || decimals > 4) {
            let digits = (power(tick) - power(least)).max(0.0) as usize;
            return format!("{tick:.digits$e}");
        }
        let decimals = if decimals > 4 { 0 } else { decimals };
        format!("{tick:.decimals$}")
    }
}

/// The least and the largest of these values, apart from each other.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let wider = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), wider);
    match low {
        _ if low < high => (low, high),
        _ if !low.is_finite() => (0.0, 1.0),
        0.0 => (0.0, 1.0),
        _ => (low - 0.1 * low.abs(), low + 0.1 * low.abs()),
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below a number.
fn step(least: f64) -> f64 {
    let ten = 10f64.powf(least.max(f64::MIN_POSITIVE).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * ten);
    steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * ten)
}

/// The multiples of a step from the first to the last.
fn multiples(first: f64, last: f64, step: f64) -> Vec<f64> {
    let count = (last - first).max(0.0) as u64;
    (0..=count).map(|i| (first + i as f64) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(axis: &Axis, labels: &[&str]) {
        let told: Vec<String> = axis.ticks.iter().map(|tick| axis.label(*tick)).collect();
        assert_eq!(told, labels);
        assert!(axis.ticks.iter().all(|tick| (axis.low..=axis.high).contains(tick)), "{axis:?}");
    }

    #[test]
    fn ticks_are_round() {
        let round = |low: f64, high: f64| Axis::round([low, high].into_iter());
        check(&round(0.021, 0.59), &["0.0", "0.2", "0.4", "0.6"]);
        check(&round(91.3, 97.2), &["90", "92", "94", "96", "98"]);
        check(&round(0.18, 0.99), &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(&round(-3.0, 12.0), &["-5", "0", "5", "10", "15"]);
        check(&round(0.0, 0.0001), &["0", "2e-5", "4e-5", "6e-5", "8e-5", "1.0e-4"]);
        check(&round(0.0, 3e9), &["0", "1e9", "2e9", "3e9"]);
        check(&round(0.5, 0.5), &["0.44", "0.46", "0.48", "0.50", "0.52", "0.54", "0.56"]);
        check(&Axis::round(std::iter::empty()), &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    }

    #[test]
    fn values_far_apart_are_over_powers_of_ten() {
        let loss = |low: f64, high: f64| Axis::of_loss([low, high].into_iter());
        assert!(!loss(0.1, 1.0).is_log && !loss(-1.0, 1.0).is_log && !loss(0.0, 1.0).is_log);
        check(&loss(0.012, 0.9), &["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        check(&loss(3e-5, 2.0), &["1e-5", "0.0001", "0.001", "0.01", "0.1", "1", "10"]);
        let axis = loss(0.01, 1.0);
        assert!((axis.place(0.1) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn epochs_are_whole_numbers() {
        check(&Axis::of_epochs(1, 30), &["10", "20", "30"]);
        check(&Axis::of_epochs(1, 3), &["1", "2", "3"]);
        check(&Axis::of_epochs(7, 7), &["7"]);
        assert_eq!(Axis::of_epochs(7, 7).place(7.0), 0.5);
        check(&Axis::of_counts(23), &["0", "5", "10", "15", "20", "25"]);
        check(&Axis::of_counts(0), &["0", "1"]);
    }
}
