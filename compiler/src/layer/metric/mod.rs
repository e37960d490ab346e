//! Metrics: figures shown beside the loss, of all rows and not of a mean over batches.
//!
//! Names, defaults and definitions are those of sklearn.metrics.

mod classes;
mod counts;
mod regression;
mod sums;

pub(super) use sums::ratio_of_sums;

use super::{Function, Metric, Target};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};
use arenet_program::Scale;

const Y: Param = Param::tensor("y");
const T: Param = Param::tensor("t");
const PLAIN: &[Param] = &[Y, T];
/// Of numbers for one of two sides; `y` is on the upper side above the threshold.
const SIDES: &[Param] =
    &[Y, T, Param::optional("threshold", Kind::Real(Range::Any), Value::Real(0.5))];
/// Of classes as well, with their average, or a figure for each of them.
const AVERAGE: &[Param] = &[
    Y,
    T,
    Param::optional("threshold", Kind::Real(Range::Any), Value::Real(0.5)),
    Param::optional(
        "average",
        Kind::Word(&["macro", "weighted", "micro", "none"]),
        Value::Word("macro"),
    ),
];
const TOP_K: &[Param] = &[Y, T, Param::optional("k", Kind::count(1), Value::Count(2))];

/// Of classes, only the order of the scores counts.
const CLASSES: Option<Target> = Some(Target::Classes(Scale::Order));

/// The metrics; every loss is one as well.
pub const METRICS: &[Entry<Function>] = &[
    metric(
        "accuracy",
        "the share of rows that are right: the largest logit, or for floats the side of the \
            threshold",
        SIDES,
        classes::accuracy,
        CLASSES,
    ),
    metric(
        "balanced_accuracy",
        "the mean over the classes, or both sides, of the share that is right",
        SIDES,
        classes::balanced_accuracy,
        CLASSES,
    ),
    metric(
        "precision",
        "of what is found, the share that belongs there; of floats on the upper side",
        AVERAGE,
        classes::precision,
        CLASSES,
    ),
    metric(
        "recall",
        "of what belongs there, the share that is found",
        AVERAGE,
        classes::recall,
        CLASSES,
    ),
    metric("f1", "the harmonic mean of precision and recall", AVERAGE, classes::f1, CLASSES),
    metric(
        "auc",
        "of all pairs of rows of two classes, the share whose scores are in the right order",
        PLAIN,
        counts::auc,
        CLASSES,
    ),
    metric(
        "confusion_matrix",
        "for each class, how many of its rows are found to be of each; a table, which `arenet \
            eval` prints",
        PLAIN,
        counts::confusion_matrix,
        CLASSES,
    ),
    metric(
        "top_k",
        "the share of rows whose class is among the k largest logits",
        TOP_K,
        classes::top_k,
        CLASSES,
    ),
    Entry {
        signature: Signature {
            name: "log_loss",
            about: "the mean of -ln of the probability given to the target, of probabilities \
                such as `softmax(y)`",
            positional: 2,
            params: PLAIN,
        },
        built: Some(Function {
            target: Some(Target::Classes(Scale::Probability)),
            lint: Some(classes::no_softmax_before),
            ..Function::metric(classes::log_loss)
        }),
    },
    error("rmse", "the root of the mean squared error", PLAIN, regression::rmse),
    error("mape", "the mean absolute error relative to the target", PLAIN, regression::mape),
    metric("r2", "the coefficient of determination", PLAIN, regression::r2, None),
];

/// A figure that is better the larger it is.
const fn metric(
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
    figure: Metric,
    target: Option<Target>,
) -> Entry<Function> {
    Entry {
        signature: Signature { name, about, positional: 2, params },
        built: Some(Function { target, rises: true, ..Function::metric(figure) }),
    }
}

/// A figure that is better the smaller it is.
const fn error(
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
    figure: Metric,
) -> Entry<Function> {
    let built = Some(Function::metric(figure));
    Entry { signature: Signature { name, about, positional: 2, params }, built }
}
