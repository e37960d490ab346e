//! Classes that the net finds beside the true ones: a confusion matrix, figures of each class, and
//! how far its probabilities can be trusted.

use arenet::internals::runtime::program::{Domain, Program, Scale};
use arenet::internals::runtime::train::Look;
use serde::{Deserialize, Serialize};

use super::looks::Found;

/// Probabilities are looked at in so many parts of the range from 0 to 1.
pub const BINS: usize = 10;
/// From here on a probability is that of class 1, of a target of one share.
const HALF: f32 = 0.5;

/// An output that tells the classes of a target.
pub struct Judge {
    output: usize,
    pub target: usize,
    scale: Scale,
    /// Whether the target is one share from 0 to 1, so that its classes are 0 and 1.
    is_share: bool,
}

/// The true class of a row, and that found with its probability.
pub struct Verdict {
    truth: usize,
    found: usize,
    probability: Option<f64>,
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
    pub support: u64,
}

impl Judge {
    /// For each target of classes, or of one share, the last output that tells them.
    pub fn all(program: &Program) -> Vec<Judge> {
        let of = |(target, port): (usize, &arenet::internals::runtime::program::Port)| {
            let outputs = program.outputs.iter().enumerate().rev();
            let scores = |own: &arenet::internals::runtime::program::Output| {
                own.scores.filter(|scores| scores.target as usize == target)
            };
            let (output, scores) =
                outputs.filter_map(|(at, own)| Some((at, scores(own)?))).next()?;
            let is_share = port.domain.classes().is_none();
            let is_told = !is_share || port.width == 1 && scores.scale != Scale::Order;
            is_told.then_some(Judge { output, target, scale: scores.scale, is_share })
        };
        program.targets.iter().enumerate().filter_map(of).collect()
    }

    /// No rows of its target.
    pub fn classes(&self, program: &Program) -> Classes {
        let port = &program.targets[self.target];
        let share = Domain::Range(0, 2);
        let domain = if self.is_share { &share } else { &port.domain };
        let all = 0..domain.classes().unwrap_or(0);
        let bins = if self.scale == Scale::Order { 0 } else { BINS };
        Classes {
            target: port.name.clone(),
            output: program.outputs[self.output].name.clone(),
            names: all.filter_map(|class| Some(domain.label(class)?.to_string())).collect(),
            counts: Vec::new(),
            bins: vec![Bin::default(); bins],
        }
    }

    /// Judges a row; nothing where its target does not count, or is no class.
    pub fn judge(&self, program: &Program, look: &Look) -> Option<Verdict> {
        let (scores, &truth) = (&look.outputs[self.output], look.targets[self.target].first()?);
        if self.is_share {
            let one = self.scale.of_element(*scores.first()?)?;
            let truth = [0.0, 1.0].into_iter().position(|class| truth == class)?;
            let found = usize::from(one >= HALF);
            let probability = if found == 1 { one } else { 1.0 - one };
            return Some(Verdict { truth, found, probability: Some(probability.into()) });
        }
        let truth = truth.to_bits() as usize;
        let classes = program.targets[self.target].domain.classes()?;
        // The first one at ties, as everywhere.
        let better = |best: usize, class| if scores[class] > scores[best] { class } else { best };
        let found = (0..scores.len()).reduce(better)?;
        let mut probabilities = Vec::new();
        let are_known = self.scale.of_classes(scores, &mut probabilities);
        let probability = are_known.then(|| probabilities[found].into());
        ((truth as u64) < classes).then_some(Verdict { truth, found, probability })
    }
}

impl Classes {
    /// Counts a row, and says in words what was found.
    pub fn add(&mut self, verdict: Option<Verdict>) -> Found {
        let Some(Verdict { truth, found, probability }) = verdict else { return Found::default() };
        match self.counts.binary_search_by_key(&(truth, found), |&(a, b, _)| (a, b)) {
            Ok(at) => self.counts[at].2 += 1,
            Err(at) => self.counts.insert(at, (truth, found, 1)),
        }
        if let Some(probability) = probability.filter(|_| !self.bins.is_empty()) {
            let bin = &mut self.bins[((probability * BINS as f64) as usize).min(BINS - 1)];
            bin.rows += 1;
            bin.right += u64::from(truth == found);
            bin.sum += probability;
        }
        let name = |class: usize| self.names.get(class).cloned().unwrap_or_default();
        Found { truth: name(truth), found: name(found), probability }
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
        };
        (0..self.names.len()).map(of).collect()
    }

    /// The mean distance of probability and share of right rows over the bins, each counted by its
    /// rows: the expected calibration error.
    pub fn calibration_error(&self) -> f64 {
        let rows: u64 = self.bins.iter().map(|bin| bin.rows).sum();
        let distance = |bin: &Bin| (bin.sum - bin.right as f64).abs();
        self.bins.iter().map(distance).sum::<f64>() / rows.max(1) as f64
    }
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
            classes.add(Some(Verdict { truth, found, probability: Some(probability) }));
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
        assert!((classes.calibration_error() - (1.05 + 0.14) / 5.0).abs() < 1e-12);
    }
}
