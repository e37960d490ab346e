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
    metric("accuracy", SIDES, classes::accuracy, CLASSES),
    metric("balanced_accuracy", SIDES, classes::balanced_accuracy, CLASSES),
    metric("precision", AVERAGE, classes::precision, CLASSES),
    metric("recall", AVERAGE, classes::recall, CLASSES),
    metric("f1", AVERAGE, classes::f1, CLASSES),
    metric("auc", PLAIN, counts::auc, CLASSES),
    metric("confusion_matrix", PLAIN, counts::confusion_matrix, CLASSES),
    metric("top_k", TOP_K, classes::top_k, CLASSES),
    Entry {
        signature: Signature { name: "log_loss", positional: 2, params: PLAIN },
        built: Some(Function {
            target: Some(Target::Classes(Scale::Probability)),
            lint: Some(classes::no_softmax_before),
            ..Function::metric(classes::log_loss)
        }),
    },
    error("rmse", PLAIN, regression::rmse),
    error("mape", PLAIN, regression::mape),
    metric("r2", PLAIN, regression::r2, None),
];

/// A figure that is better the larger it is.
const fn metric(
    name: &'static str,
    params: &'static [Param],
    figure: Metric,
    target: Option<Target>,
) -> Entry<Function> {
    Entry {
        signature: Signature { name, positional: 2, params },
        built: Some(Function { target, rises: true, ..Function::metric(figure) }),
    }
}

/// A figure that is better the smaller it is.
const fn error(name: &'static str, params: &'static [Param], figure: Metric) -> Entry<Function> {
    let built = Some(Function::metric(figure));
    Entry { signature: Signature { name, positional: 2, params }, built }
}
