//! Classes that a net finds beside the true ones: a confusion matrix, figures of each class, and
//! how far its probabilities can be trusted; of two classes, what becomes of them by the threshold.

pub mod cuts;
pub mod told;

use arenet::internals::runtime::data::output::{Judge, Judgement, all_judges};
use arenet::internals::runtime::program::Program;
use arenet::internals::runtime::train::Look;
use serde::{Deserialize, Serialize};

/// Probabilities are looked at in so many parts of the range from 0 to 1.
pub const BINS: usize = 10;

/// The true class of a row, and that found with its probability.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    pub truth: usize,
    pub found: usize,
    pub probability: Option<f32>,
    /// Of two classes, how probable the second one is.
    pub of_second: Option<f32>,
}

/// What was found of a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Classes {
    pub target: String,
    pub output: String,
    /// What the classes are called.
    pub names: Vec<String>,
    /// The pairs of a true class and the one found that there are, with their rows, in order.
    pub counts: Vec<(usize, usize, u64)>,
    /// The rows by how probable the class found was; none where that is not known.
    pub bins: Vec<Bin>,
}

/// Rows whose class found had such a probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bin {
    pub rows: u64,
    pub right: u64,
    /// The sum of the probabilities.
    pub sum: f64,
}

/// The figures of a class, by the formulas of scikit-learn; what divides by 0 is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OfClass {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// Its rows.
    pub support: u64,
    /// The rows that were found to be of it.
    pub found: u64,
}

/// The judges of all targets of classes, and of those that are one share from 0 to 1.
pub fn judges(program: &Program) -> Vec<Judge> {
    let mut judges = all_judges(program);
    let is_told = |judge: &Judge| {
        judge.elements.is_none() || judge.elements == Some(1) && judge.has_probabilities()
    };
    judges.retain(is_told);
    judges
}

impl Verdict {
    /// Judges a row; nothing where its target is no class, or its scores are no numbers.
    pub fn of(judge: &Judge, look: &Look, judgement: &mut Judgement) -> Option<Verdict> {
        judge.judge(&look.outputs[judge.output], judgement);
        let truth = judge.truth(*look.targets[judge.target].first()?)? as usize;
        let found = judgement.found.first()?;
        let is_one_of_two = judge.labels().count() == 2;
        Some(Verdict {
            truth,
            found: found.class? as usize,
            probability: found.probability,
            of_second: judgement.probabilities.last().copied().filter(|_| is_one_of_two),
        })
    }
}

impl Classes {
    /// No rows of the target of a judge.
    pub fn new(program: &Program, judge: &Judge) -> Classes {
        let bins = if judge.has_probabilities() { BINS } else { 0 };
        Classes {
            target: judge.name.clone(),
            output: program.outputs[judge.output].name.clone(),
            names: judge.labels().map(|label| label.to_string()).collect(),
            counts: Vec::new(),
            bins: vec![Bin::default(); bins],
        }
    }

    /// Counts a row.
    pub fn add(&mut self, verdict: Verdict) {
        let Verdict { truth, found, probability, .. } = verdict;
        match self.counts.binary_search_by_key(&(truth, found), |&(a, b, _)| (a, b)) {
            Ok(at) => self.counts[at].2 += 1,
            Err(at) => self.counts.insert(at, (truth, found, 1)),
        }
        if let Some(probability) = probability.map(f64::from) {
            let bin = &mut self.bins[((probability * BINS as f64) as usize).min(BINS - 1)];
            bin.rows += 1;
            bin.right += u64::from(truth == found);
            bin.sum += probability;
        }
    }

    /// How many rows of a class were found to be of one.
    pub fn count(&self, truth: usize, found: usize) -> u64 {
        let at = self.counts.binary_search_by_key(&(truth, found), |&(a, b, _)| (a, b));
        at.map_or(0, |at| self.counts[at].2)
    }

    /// The figures of each class.
    pub fn of_classes(&self) -> Vec<OfClass> {
        let (mut right, mut support, mut found) =
            (vec![0; self.names.len()], vec![0; self.names.len()], vec![0; self.names.len()]);
        for &(truth, class, rows) in &self.counts {
            support[truth] += rows;
            found[class] += rows;
            right[truth] += if truth == class { rows } else { 0 };
        }
        let ratio = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 / all as f64 };
        let of = |class: usize| OfClass {
            precision: ratio(right[class], found[class]),
            recall: ratio(right[class], support[class]),
            f1: ratio(2 * right[class], found[class] + support[class]),
            support: support[class],
            found: found[class],
        };
        (0..self.names.len()).map(of).collect()
    }

    /// The mean of the figures of the classes that there are, true or found; and that by the rows
    /// of each.
    pub fn means(&self) -> [OfClass; 2] {
        let of_classes = self.of_classes();
        let rows: u64 = of_classes.iter().map(|of| of.support).sum();
        let mean = |weight: &dyn Fn(&OfClass) -> f64| {
            let all: f64 = of_classes.iter().map(weight).sum();
            let sum = |figure: fn(&OfClass) -> f64| {
                let sum: f64 = of_classes.iter().map(|of| weight(of) * figure(of)).sum();
                if all == 0.0 { 0.0 } else { sum / all }
            };
            OfClass {
                precision: sum(|of| of.precision),
                recall: sum(|of| of.recall),
                f1: sum(|of| of.f1),
                support: rows,
                found: rows,
            }
        };
        let is_there = |of: &OfClass| f64::from(u8::from(of.support + of.found > 0));
        [mean(&is_there), mean(&|of| of.support as f64)]
    }

    /// The mean distance of probability and share of right rows over the bins, each counted by its
    /// rows: the expected calibration error.
    pub fn calibration_error(&self) -> f64 {
        let rows: u64 = self.bins.iter().map(|bin| bin.rows).sum();
        let distance = |bin: &Bin| (bin.sum - bin.right as f64).abs();
        self.bins.iter().map(distance).sum::<f64>() / rows.max(1) as f64
    }
}

/// The pairs of a class and another that it was found to be, the most frequent first.
pub fn confusions(counts: &[(usize, usize, u64)]) -> Vec<(usize, usize, u64)> {
    let wrong = counts.iter().filter(|(truth, found, _)| truth != found);
    let mut wrong: Vec<_> = wrong.copied().collect();
    wrong.sort_by_key(|(.., rows)| std::cmp::Reverse(*rows));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of classes a, b and c, computed by hand.
    #[test]
    fn figures_of_classes() {
        let names = ["a", "b", "c"].map(String::from).to_vec();
        let bins = vec![Bin::default(); BINS];
        let mut classes = Classes { names, bins, ..Classes::default() };
        let rows = [(0, 0, 0.95), (0, 0, 0.91), (0, 1, 0.5), (1, 1, 1.0), (1, 0, 0.55)];
        for (truth, found, probability) in rows {
            let probability = Some(probability);
            classes.add(Verdict { truth, found, probability, of_second: None });
        }
        assert_eq!(classes.counts, [(0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, 1)]);
        assert_eq!((classes.count(0, 1), classes.count(2, 2)), (1, 0));
        let [a, b, c] = classes.of_classes()[..] else { panic!("three classes") };
        // Of a: 2 of 3 found are right, 2 of 3 rows are found. Of b: 1 of 2, 1 of 2.
        assert_eq!((a.precision, a.recall, a.f1, a.support), (2.0 / 3.0, 2.0 / 3.0, 4.0 / 6.0, 3));
        assert_eq!((b.precision, b.recall, b.f1, b.support), (0.5, 0.5, 0.5, 2));
        assert_eq!((c.precision, c.recall, c.f1, c.support), (0.0, 0.0, 0.0, 0));
        // |0.5 + 0.55 - 0| from 0.5 on, and |0.95 + 0.91 + 1 - 3| from 0.9 on, of 5 rows.
        assert_eq!((classes.bins[5].rows, classes.bins[9].rows), (2, 3));
        assert!((classes.calibration_error() - (1.05 + 0.14) / 5.0).abs() < 1e-7);
    }
}
