//! What a caller wants to be written of predictions.

use std::fmt;

use super::Format;
use crate::data::choice::{Choice, Words, methods};
use crate::program::text::quoted;

/// What is written of predictions, and how.
///
/// Where an output has scores for the classes of a target, the class follows it, as `species`, and
/// its probability, as `species.probability`. That is so where the loss or a metric compares the
/// output with the target, and softmax makes the probability where these are logits.
///
/// ```
/// use arenet_runtime::data::output::{Form, Format};
///
/// let form = Form::new(Format::Jsonl).only(["species"]).top(3);
/// ```
#[derive(Clone, Debug)]
pub struct Form {
    /// How it is written.
    pub format: Format,
    /// The outputs, and the targets whose classes are predicted, that are written; without any,
    /// all of them.
    pub only: Vec<String>,
    /// How many classes are written, the most probable first.
    pub top: Option<usize>,
    /// From which probability on a class is predicted, where there are two.
    pub threshold: Option<Threshold>,
    /// How errors write the caller's choices.
    pub words: Words,
}

/// The probability from which on one of two classes is predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The class; where classes are the numbers 0 and 1, it may be left out and is 1.
    pub class: Option<String>,
    /// The probability.
    pub probability: f32,
}

/// A form that the outputs of a program do not have: what is wrong, and a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Form {
    /// Everything, in this format.
    pub fn new(format: Format) -> Form {
        Form { format, only: Vec::new(), top: None, threshold: None, words: methods }
    }

    /// Only these outputs, and targets whose classes are predicted, in this order.
    #[must_use]
    pub fn only(self, names: impl IntoIterator<Item = impl Into<String>>) -> Form {
        Form { only: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// So many classes, the most probable first: `species`, `species.2` and so on.
    #[must_use]
    pub fn top(self, count: usize) -> Form {
        Form { top: Some(count), ..self }
    }

    /// Of the classes 0 and 1, the class 1 where its probability is at least this. Then a target of
    /// shares from 0 to 1, as binary cross-entropy compares, has these classes too.
    #[must_use]
    pub fn threshold(self, probability: f32) -> Form {
        Form { threshold: Some(Threshold { class: None, probability }), ..self }
    }

    /// Of two classes, the one of this name where its probability is at least this.
    #[must_use]
    pub fn threshold_of(self, class: impl Into<String>, probability: f32) -> Form {
        Form { threshold: Some(Threshold { class: Some(class.into()), probability }), ..self }
    }

    /// Whether it is for numbers alone.
    pub(super) fn is_npy(&self) -> bool {
        self.format == Format::Npy
    }

    /// Whether it asks for something of classes.
    pub(super) fn chooses_classes(&self) -> bool {
        !self.only.is_empty() || self.top.is_some() || self.threshold.is_some()
    }

    /// A choice as the caller writes it.
    pub(super) fn say(&self, choice: Choice<'_>) -> String {
        (self.words)(choice)
    }
}

impl Threshold {
    /// Reads `0.7`, or `yes=0.7` with the name of the class.
    ///
    /// # Errors
    /// A probability that is not from 0 to 1.
    pub fn parse(text: &str) -> Result<Threshold, String> {
        let (class, probability) = match text.rsplit_once('=') {
            Some((class, probability)) => (Some(class.to_string()), probability),
            None => (None, text),
        };
        match probability.trim().parse::<f32>() {
            Ok(probability) if (0.0..=1.0).contains(&probability) => {
                Ok(Threshold { class, probability })
            }
            _ => Err(format!("{} is no probability from 0 to 1", quoted(probability))),
        }
    }
}

impl Misfit {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Misfit {
        Misfit { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}
