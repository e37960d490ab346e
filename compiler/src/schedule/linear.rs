//! A straight line.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};

/// `linear(base, to:, over:, warmup:, per:)`: base + (to - base) t / over, and `to` from there on;
/// without `over`, over the rest of the run.
///
/// torch.optim.lr_scheduler.LinearLR(start_factor=1, end_factor=to / base, total_iters=over)
pub const LINEAR: Entry<Rule> = Entry {
    signature: Signature {
        name: "linear",
        about: "a straight line from base to `to`",
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
        let way = base() + (to - base()) * (time.now.clone() / over.clone());
        time.now.less(over).choose(way, to)
    })),
};
