//! Lower where a figure no longer gets better.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};
use arenet_program::Plateau;

/// `reduce_on_plateau(base, factor:, patience:, threshold:, threshold_mode:, cooldown:, min_lr:,
/// metric:, warmup:, per:)`: base, times `factor` after more than `patience` epochs whose figure
/// was no better, by `threshold`, than the best before.
///
/// torch.optim.lr_scheduler.ReduceLROnPlateau; its mode follows from the figure.
pub const REDUCE_ON_PLATEAU: Entry<Rule> = Entry {
    signature: Signature {
        name: "reduce_on_plateau",
        about: "base, times `factor` after more than `patience` epochs without a better figure",
        positional: 1,
        params: &[
            BASE,
            Param::real("factor", Range::Fraction, 0.1),
            Param::optional("patience", Kind::count(0), Value::Count(10)),
            Param::real("threshold", Range::AtLeastZero, 1e-4),
            Param::optional("threshold_mode", Kind::Word(&["rel", "abs"]), Value::Word("rel")),
            Param::optional("cooldown", Kind::count(0), Value::Count(0)),
            Param::real("min_lr", Range::AtLeastZero, 0.0),
            Param::optional("metric", Kind::Watched, Value::Absent),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule {
        plateau: |args| {
            Some(Plateau {
                figure: args.watched("metric").unwrap_or_default(),
                factor: args.real("factor"),
                patience: args.count("patience").unwrap_or_default(),
                threshold: args.real("threshold"),
                is_relative: args.word("threshold_mode") == "rel",
                cooldown: args.count("cooldown").unwrap_or_default(),
                min_lr: args.real("min_lr"),
            })
        },
        ..Rule::rate(|_, _| base())
    }),
};
