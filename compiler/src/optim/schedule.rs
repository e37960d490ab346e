//! Learning rates over time.

use crate::signature::{Args, Kind, Param, Range, Signature, Value};
use arenet_program::{Curve, Per, Schedule};

/// A schedule of the language.
pub struct Entry {
    /// Its settings.
    pub signature: Signature,
    /// Makes it.
    pub build: fn(&Args) -> Schedule,
}

/// The schedules of the language; each starts from `base`.
pub const SCHEDULES: &[Entry] = &[
    // torch.optim.lr_scheduler.StepLR(step_size=every, gamma=by)
    Entry {
        signature: Signature {
            name: "step",
            positional: 1,
            params: &[
                BASE,
                Param::required("every", Kind::count(1)),
                Param::real("by", Range::AboveZero, 0.1),
                WARMUP,
                PER,
            ],
        },
        build: |args| {
            let every = args.count("every").expect("it is required");
            schedule(args, Curve::Step { every, by: args.real("by") })
        },
    },
    // torch.optim.lr_scheduler.ExponentialLR(gamma=by)
    Entry {
        signature: Signature {
            name: "exponential",
            positional: 1,
            params: &[BASE, Param::required("by", Kind::Real(Range::AboveZero)), WARMUP, PER],
        },
        build: |args| schedule(args, Curve::Exponential { by: args.real("by") }),
    },
    // torch.optim.lr_scheduler.CosineAnnealingLR(T_max=over, eta_min=to)
    Entry {
        signature: Signature {
            name: "cosine",
            positional: 1,
            params: &[
                BASE,
                Param::real("to", Range::AtLeastZero, 0.0),
                Param::optional("over", Kind::count(1), Value::Absent),
                WARMUP,
                PER,
            ],
        },
        build: |args| {
            schedule(args, Curve::Cosine { to: args.real("to"), over: args.count("over") })
        },
    },
];

/// Schedules of the language that this version does not compile yet.
pub const NOT_YET: &[&str] =
    &["cosine_restarts", "linear", "multistep", "one_cycle", "polynomial", "reduce_on_plateau"];

const BASE: Param = Param::required("base", Kind::Real(Range::AtLeastZero));
const WARMUP: Param = Param::optional("warmup", Kind::count(0), Value::Count(0));
const PER: Param = Param::optional("per", Kind::Word(&["step", "epoch"]), Value::Word("step"));

/// A learning rate that stays the same.
pub const fn constant(base: f64) -> Schedule {
    Schedule { base, curve: Curve::Constant, warmup: 0, per: Per::Step }
}

fn schedule(args: &Args, curve: Curve) -> Schedule {
    let per = if args.word("per") == "epoch" { Per::Epoch } else { Per::Step };
    Schedule { base: args.real("base"), curve, warmup: args.count("warmup").unwrap_or(0), per }
}
