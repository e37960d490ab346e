//! Numbers that the net estimates beside the true ones.

use arenet::internals::runtime::data::output::Judge;
use arenet::internals::runtime::program::Program;
use arenet::internals::runtime::train::Look;
use serde::{Deserialize, Serialize};

use super::looks::Found;
use crate::plot::axis::Axis;
use crate::units;

/// The most points of a chart.
const MOST_POINTS: usize = 500;
/// Errors are counted in so many bars.
const BARS: usize = 20;

/// An output that estimates a target of one number.
pub struct Estimate {
    output: usize,
    target: usize,
}

/// What was estimated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Numbers {
    pub target: String,
    pub output: String,
    pub rows: u64,
    /// Some rows at equal distances.
    pub points: Vec<Point>,
    /// Of the distances of the estimate from the truth: their mean, the mean of their sizes, and
    /// the root of the mean of their squares.
    pub mean: f64,
    pub mae: f64,
    pub rmse: f64,
    pub bars: Bars,
    /// One row in so many is a point.
    every: u64,
    /// The error of each row, until they are counted.
    #[serde(skip)]
    errors: Vec<f64>,
}

/// How many rows have an error of which size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bars {
    pub low: f64,
    pub high: f64,
    pub rows: Vec<u64>,
}

/// A row as a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Point {
    pub row: u64,
    pub truth: f64,
    pub found: f64,
}

impl Estimate {
    /// For each target of one number an output that estimates it, of those that do.
    pub fn all(program: &Program, judges: &[Judge], pairs: &[(usize, usize)]) -> Vec<Estimate> {
        let of = |target: usize| {
            let port = &program.targets[target];
            let is_number = port.width == 1 && port.domain.classes().is_none();
            let is_judged = judges.iter().any(|judge| judge.target == target);
            let own = pairs
                .iter()
                .find(|&&(output, own)| own == target && program.outputs[output].width == 1);
            own.filter(|_| is_number && !is_judged)
                .map(|&(output, target)| Estimate { output, target })
        };
        (0..program.targets.len()).filter_map(of).collect()
    }

    /// No rows of its target.
    pub fn numbers(&self, program: &Program) -> Numbers {
        Numbers {
            target: program.targets[self.target].name.clone(),
            output: program.outputs[self.output].name.clone(),
            every: 1,
            ..Numbers::default()
        }
    }

    /// The truth and the estimate of a row.
    pub fn of(&self, look: &Look) -> Option<(f64, f64)> {
        let first = |values: &[f32]| values.first().copied().filter(|x| x.is_finite());
        let truth = first(&look.targets[self.target])?;
        Some((truth.into(), first(&look.outputs[self.output])?.into()))
    }
}

impl Numbers {
    /// Counts a row, and says in words what was estimated.
    pub fn add(&mut self, row: u64, pair: Option<(f64, f64)>) -> Found {
        let Some((truth, found)) = pair else { return Found::default() };
        if self.rows.is_multiple_of(self.every) {
            self.points.push(Point { row, truth, found });
        }
        if self.points.len() > MOST_POINTS {
            self.every *= 2;
            let mut at = 0..;
            self.points.retain(|_| at.next().is_some_and(|at: u64| at.is_multiple_of(2)));
        }
        self.rows += 1;
        let error = found - truth;
        self.mean += error;
        self.mae += error.abs();
        self.rmse += error * error;
        self.errors.push(error);
        // The truth as the table has it, which is a float of 32 bits.
        Found { truth: (truth as f32).to_string(), found: units::figure(found), probability: None }
    }

    /// Sums become means, and errors are counted.
    pub fn finish(&mut self) {
        let rows = self.rows.max(1) as f64;
        self.mean /= rows;
        self.mae /= rows;
        self.rmse = (self.rmse / rows).sqrt();
        self.bars = Bars::of(&std::mem::take(&mut self.errors));
    }
}

impl Bars {
    /// Between round numbers, 0 among them.
    fn of(errors: &[f64]) -> Bars {
        let Axis { low, high, .. } = Axis::round(errors.iter().copied().chain([0.0]));
        let mut rows = vec![0; BARS];
        for error in errors {
            let bar = (error - low) / (high - low) * BARS as f64;
            rows[(bar as usize).min(BARS - 1)] += 1;
        }
        Bars { low, high, rows }
    }

    /// Where a bar begins.
    pub fn start(&self, bar: usize) -> f64 {
        self.low + (self.high - self.low) * bar as f64 / self.rows.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors of 1, -3 and 2.
    #[test]
    fn figures_of_numbers() {
        let mut numbers = Numbers { every: 1, ..Numbers::default() };
        for (row, (truth, found)) in [(2.0, 3.0), (5.0, 2.0), (0.0, 2.0)].into_iter().enumerate() {
            numbers.add(row as u64 + 1, Some((truth, found)));
        }
        numbers.add(4, None);
        numbers.finish();
        assert_eq!((numbers.rows, numbers.mean, numbers.mae), (3, 0.0, 2.0));
        assert!((numbers.rmse - (14.0f64 / 3.0).sqrt()).abs() < 1e-12);
        // From -3 to 2 in twenty bars.
        let bars = &numbers.bars;
        assert_eq!((bars.low, bars.high, bars.start(4)), (-3.0, 2.0, -2.0));
        let full: Vec<usize> = (0..20).filter(|&bar| bars.rows[bar] > 0).collect();
        assert_eq!(full, [0, 16, 19]);
    }

    #[test]
    fn points_are_thinned_evenly() {
        let mut numbers = Numbers { every: 1, ..Numbers::default() };
        (1..=2001).for_each(|row| drop(numbers.add(row, Some((0.0, 0.0)))));
        let rows: Vec<u64> = numbers.points.iter().map(|point| point.row).collect();
        assert!(rows.windows(2).all(|two| two[1] - two[0] == 8), "{rows:?}");
        assert_eq!((rows[0], rows.len()), (1, 251));
    }
}
