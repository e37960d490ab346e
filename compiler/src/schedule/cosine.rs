//! Cosine annealing.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};

/// `cosine(base, to:, over:, warmup:, per:)`: to + (base - to) (1 + cos(π t / over)) / 2, and `to`
/// from there on; without `over`, over the rest of the run.
///
/// torch.optim.lr_scheduler.CosineAnnealingLR(T_max=over, eta_min=to), which turns back at its end.
pub const COSINE: Entry<Rule> = Entry {
    signature: Signature {
        name: "cosine",
        about: "half a wave from base to `to`",
        positional: 1,
        params: &[
            BASE,
            Param::real("to", Range::AtLeastZero, 0.0),
            Param::optional("over", Kind::count(1), Value::Absent),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule::rate(|args, time| {
        let to = args.real("to");
        let over = args.count("over").map_or(time.total, |over| (over as f64).into());
        let cos = (time.now.clone() / over.clone() / 2.0).cos_turns();
        let wave = to + (base() - to) * (1.0 + cos) / 2.0;
        time.now.less(over).choose(wave, to)
    })),
};
