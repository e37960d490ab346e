//! A rate that is scaled at first.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};

/// `constant(base, by:, over:, warmup:, per:)`: base by for so many units, then base.
///
/// torch.optim.lr_scheduler.ConstantLR(factor=by, total_iters=over). A rate that always stays the
/// same is merely a number.
pub const CONSTANT: Entry<Rule> = Entry {
    signature: Signature {
        name: "constant",
        about: "base times `by` for the first `over`, then base",
        positional: 1,
        params: &[
            BASE,
            Param::real("by", Range::AtLeastZero, 1.0 / 3.0),
            Param::optional("over", Kind::count(1), Value::Count(5)),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule::rate(|args, time| {
        let over = args.count("over").expect("it has a default") as f64;
        time.now.less(over).choose(base() * args.real("by"), base())
    })),
};
