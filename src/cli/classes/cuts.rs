//! Two classes by the probability of one of them, the positive class: what is found of it from
//! which threshold on, and the curves and areas that follow. All is exact, over all rows, and by
//! the formulas of scikit-learn.

use super::OfClass;

/// The rows by their probabilities, cut at each of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cuts {
    /// The rows of the positive class, and of the other.
    pub positives: u64,
    pub negatives: u64,
    /// From the largest threshold on; each finds more rows than the one before.
    cuts: Vec<Cut>,
}

/// What is found from a threshold on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    pub threshold: f32,
    /// The rows of the positive class, and those of the other, that are found to be positive.
    pub right: u64,
    pub wrong: u64,
}

impl Cuts {
    /// Of the probabilities of rows, and whether each is of the positive class.
    pub fn new(mut rows: Vec<(f32, bool)>) -> Cuts {
        rows.retain(|(probability, _)| !probability.is_nan());
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut right, mut wrong) = (0, 0);
        let mut cut = |equal: &[(f32, bool)]| {
            let own = equal.iter().filter(|(_, is_positive)| *is_positive).count() as u64;
            right += own;
            wrong += equal.len() as u64 - own;
            Cut { threshold: equal[0].0, right, wrong }
        };
        let cuts: Vec<Cut> = rows.chunk_by(|a, b| a.0 == b.0).map(&mut cut).collect();
        Cuts { positives: right, negatives: wrong, cuts }
    }

    /// What is found from any threshold on.
    pub fn at(&self, threshold: f32) -> Cut {
        let from = self.cuts.partition_point(|cut| cut.threshold >= threshold);
        let none = Cut { threshold, right: 0, wrong: 0 };
        from.checked_sub(1).map_or(none, |last| Cut { threshold, ..self.cuts[last] })
    }

    /// The figures of the positive class at a cut.
    pub fn figures(&self, cut: Cut) -> OfClass {
        let (found, support) = (cut.right + cut.wrong, self.positives);
        OfClass {
            precision: ratio(cut.right, found),
            recall: ratio(cut.right, support),
            f1: ratio(2 * cut.right, found + support),
            support,
            found,
        }
    }

    /// The cut with the best F1, of several the one with the least threshold.
    pub fn best(&self) -> Option<Cut> {
        let f1 = |cut: &Cut| self.figures(*cut).f1;
        self.cuts.iter().copied().max_by(|a, b| f1(a).total_cmp(&f1(b)))
    }

    /// A threshold in as few digits as find the same rows.
    pub fn short(&self, cut: Cut) -> String {
        let next = self.cuts.partition_point(|other| other.threshold >= cut.threshold);
        let below = self.cuts.get(next).map_or(f32::NEG_INFINITY, |next| next.threshold);
        let rounded = |digits: i32| {
            let scale = 10f64.powi(digits);
            let text = format!("{}", (f64::from(cut.threshold) * scale).floor() / scale);
            let value: f32 = text.parse().ok()?;
            (below < value && value <= cut.threshold).then_some(text)
        };
        (0..10).find_map(rounded).unwrap_or_else(|| cut.threshold.to_string())
    }

    /// The points of the curve ROC: the share of the other class that is found to be positive, and
    /// the recall.
    pub fn roc(&self) -> Vec<[f64; 2]> {
        let of = |cut: &Cut| [ratio(cut.wrong, self.negatives), ratio(cut.right, self.positives)];
        [[0.0, 0.0]].into_iter().chain(self.cuts.iter().map(of)).collect()
    }

    /// The points of the precision over the recall, from the largest threshold on.
    pub fn precision_recall(&self) -> Vec<[f64; 2]> {
        let of = |cut: &Cut| {
            let OfClass { precision, recall, .. } = self.figures(*cut);
            [recall, precision]
        };
        [[0.0, 1.0]].into_iter().chain(self.cuts.iter().map(of)).collect()
    }

    /// The area under the curve ROC; none where all rows are of one class.
    pub fn auc(&self) -> Option<f64> {
        let pairs = (self.positives > 0 && self.negatives > 0)
            .then_some(2.0 * self.positives as f64 * self.negatives as f64)?;
        let (mut halves, mut before) = (0u128, (0, 0));
        for cut in &self.cuts {
            halves += u128::from(cut.wrong - before.0) * u128::from(cut.right + before.1);
            before = (cut.wrong, cut.right);
        }
        Some(halves as f64 / pairs)
    }

    /// The mean of the precisions, each counted by what it adds to the recall.
    pub fn average_precision(&self) -> Option<f64> {
        let mut before = 0;
        let add = |cut: &Cut| {
            let gained = cut.right - std::mem::replace(&mut before, cut.right);
            gained as f64 * ratio(cut.right, cut.right + cut.wrong)
        };
        let sum: f64 = self.cuts.iter().map(add).sum();
        (self.positives > 0).then(|| sum / self.positives as f64)
    }
}

fn ratio(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}
