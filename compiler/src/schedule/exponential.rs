//! Exponential decay.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature};
use arenet_program::HostNumber;

/// `exponential(base, by:, warmup:, per:)`: base byᵗ
///
/// torch.optim.lr_scheduler.ExponentialLR(gamma=by)
pub const EXPONENTIAL: Entry<Rule> = Entry {
    signature: Signature {
        name: "exponential",
        about: "base byᵗ",
        positional: 1,
        params: &[BASE, Param::required("by", Kind::Real(Range::AboveZero)), WARMUP, PER],
    },
    built: Some(Rule::rate(|args, time| {
        base() * HostNumber::from(args.real("by")).power(time.now)
    })),
};
