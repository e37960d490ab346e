//! What a run does about a figure of the held-out rows: which weights it keeps, and when it stops.

use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};
use arenet_program::Watch;

/// Sets what the arguments say.
pub type Set = fn(&Args, &mut Watch);

const FIGURE: Param = Param::optional("metric", Kind::Watched, Value::Absent);

/// The weights that a run may keep.
pub const KEEPS: &[Entry<Set>] = &[
    Entry::plain("last", "the weights at the end, also of a run that stops early", |_, watch| {
        watch.keeps_best = false
    }),
    // `best(metric:)`: those with the best figure, which is the loss or a metric.
    Entry {
        signature: Signature {
            name: "best",
            about: "the weights with the best figure",
            positional: 0,
            params: &[FIGURE],
        },
        built: Some(|args, watch| {
            watch.keeps_best = true;
            watch.figure = args.watched("metric").unwrap_or(watch.figure);
        }),
    },
];

/// The reasons to stop a run.
pub const STOPS: &[Entry<Set>] = &[
    // `early_stop(patience:, min_delta:, metric:)`: the figure was no better, by more than
    // min_delta, than it had been so many validations before. The best weights are kept.
    Entry {
        signature: Signature {
            name: "early_stop",
            about: "the figure was no better, by more than min_delta, than so many validations \
                before; the best weights are kept",
            positional: 0,
            params: &[
                Param::required("patience", Kind::count(1)),
                Param::real("min_delta", Range::AtLeastZero, 0.0),
                FIGURE,
            ],
        },
        built: Some(|args, watch| {
            watch.patience = args.count("patience");
            watch.min_delta = args.real("min_delta");
            watch.keeps_best = true;
            watch.figure = args.watched("metric").unwrap_or(watch.figure);
        }),
    },
];
