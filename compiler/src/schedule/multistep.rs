//! Stairs of any length.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature};
use arenet_program::HostNumber;

/// `multistep(base, at:, by:, warmup:, per:)`: base byⁿ, where n of the times `at` have passed.
///
/// torch.optim.lr_scheduler.MultiStepLR(milestones=at, gamma=by)
pub const MULTISTEP: Entry<Rule> = Entry {
    signature: Signature {
        name: "multistep",
        about: "base, times `by` at each of a list: `at: [30, 60]`",
        positional: 1,
        params: &[
            BASE,
            // Each takes three of the 64 instructions that a number of the host may have.
            Param::required("at", Kind::RisingCounts { most: 16 }),
            Param::real("by", Range::AboveZero, 0.1),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule::rate(|args, time| {
        let ahead = (args.counts("at").iter().map(|&at| time.now.clone().less(at as f64)))
            .fold(HostNumber::from(0.0), |sum, is_ahead| sum + is_ahead);
        let passed = args.counts("at").len() as f64 - ahead;
        base() * HostNumber::from(args.real("by")).power(passed)
    })),
};
