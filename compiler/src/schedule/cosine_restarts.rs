//! Half waves, one after the other.

use super::{BASE, PER, Rule, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};
use arenet_program::HostNumber;

/// `cosine_restarts(base, every:, growth:, to:, warmup:, per:)`: like `cosine` from base to `to`
/// over the first `every` units, then again from base over `growth` times as many, and so on.
///
/// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(T_0=every, T_mult=growth, eta_min=to)
pub const COSINE_RESTARTS: Entry<Rule> = Entry {
    signature: Signature {
        name: "cosine_restarts",
        about: "half waves, each `growth` times as long as the one before",
        positional: 1,
        params: &[
            BASE,
            Param::required("every", Kind::count(1)),
            Param::optional("growth", Kind::count(1), Value::Count(1)),
            Param::real("to", Range::AtLeastZero, 0.0),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule::rate(|args, time| {
        let (every, to) = (args.count("every").expect("it is required") as f64, args.real("to"));
        let growth = args.count("growth").expect("it has a default") as f64;
        // How much of its wave has passed. Wave n begins at every (growthⁿ - 1) / (growth - 1).
        let passed = match growth {
            1.0 => {
                let waves = time.now / every;
                waves.clone() - waves.floor()
            }
            _ => {
                let waves = time.now * ((growth - 1.0) / every) + 1.0;
                let times = HostNumber::from(growth).power(waves.clone().whole_log(growth));
                (waves / times - 1.0) / (growth - 1.0)
            }
        };
        to + (base() - to) * (1.0 + (passed / 2.0).cos_turns()) / 2.0
    })),
};
