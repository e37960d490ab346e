//! What an output says of the classes of a target, and the probabilities that follow from it.

use crate::host::exp;

/// That the elements of a row are scores of the classes of a target, one for each class; or where
/// the target is of shares from 0 to 1, one for each of its elements: how certainly it is 1. The
/// loss or a metric compares them, or what they are made of, with that target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scores {
    /// The target, by its place.
    pub target: u32,
    /// What the scores are.
    pub scale: Scale,
}

/// What scores are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Larger for what is more likely; nothing says how likely that is.
    Order,
    /// Probabilities.
    Probability,
    /// Their logarithms.
    Log,
    /// Softmax makes probabilities of them; or sigmoid, where each is of an element of its own.
    Logit,
}

impl Scale {
    /// The probabilities of all classes, by their scores; nothing where these do not say them.
    pub fn of_classes(self, scores: &[f32], to: &mut Vec<f32>) -> bool {
        to.clear();
        match self {
            Scale::Order => return false,
            Scale::Probability => to.extend(scores),
            Scale::Log => to.extend(scores.iter().map(|&score| exp(score.into()) as f32)),
            Scale::Logit => {
                let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let power = |&score: &f32| exp(f64::from(score) - f64::from(largest));
                let total: f64 = scores.iter().map(power).sum();
                to.extend(scores.iter().map(|score| (power(score) / total) as f32));
            }
        }
        true
    }

    /// The probability that an element is 1, by its score.
    pub fn of_element(self, score: f32) -> Option<f32> {
        match self {
            Scale::Order => None,
            Scale::Probability => Some(score),
            Scale::Log => Some(exp(score.into()) as f32),
            Scale::Logit => Some((1.0 / (1.0 + exp(-f64::from(score)))) as f32),
        }
    }
}
