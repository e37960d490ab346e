//! Step decay.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature};
use arenet_program::HostNumber;

/// `step(base, every:, by:, warmup:, per:)`: base byᶠˡᵒᵒʳ⁽ᵗ ᐟ ᵉᵛᵉʳʸ⁾
///
/// torch.optim.lr_scheduler.StepLR(step_size=every, gamma=by)
pub const STEP: Entry<Rule> = Entry {
    signature: Signature {
        name: "step",
        about: "base, times `by` after every so many",
        positional: 1,
        params: &[
            BASE,
            Param::required("every", Kind::count(1)),
            Param::real("by", Range::AboveZero, 0.1),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule::rate(|args, time| {
        let every = args.count("every").expect("it is required") as f64;
        base() * HostNumber::from(args.real("by")).power((time.now / every).floor())
    })),
};
