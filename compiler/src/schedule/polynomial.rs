//! Polynomial decay.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};

/// `polynomial(base, power:, over:, warmup:, per:)`: base (1 - t / over)ᵖᵒʷᵉʳ, and 0 from there on;
/// without `over`, over the rest of the run.
///
/// torch.optim.lr_scheduler.PolynomialLR(total_iters=over, power=power)
pub const POLYNOMIAL: Entry<Rule> = Entry {
    signature: Signature {
        name: "polynomial",
        about: "base (1 - t / over)ᵖᵒʷᵉʳ",
        positional: 1,
        params: &[
            BASE,
            Param::real("power", Range::AboveZero, 1.0),
            Param::optional("over", Kind::count(1), Value::Absent),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule::rate(|args, time| {
        let over = args.count("over").map_or(time.total, |over| (over as f64).into());
        let left = (1.0 - time.now / over).max(0.0);
        base() * left.real_power(args.real("power"))
    })),
};
