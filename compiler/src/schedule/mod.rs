//! Learning rates over time, as torch.optim.lr_scheduler has them: one file each, and one line of
//! the list. A schedule is a tape that the host evaluates, so a rate never recompiles.

mod constant;
mod cosine;
mod cosine_restarts;
mod exponential;
mod linear;
mod multistep;
mod one_cycle;
mod polynomial;
mod reduce_on_plateau;
mod step;

use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Value};
use arenet_program::{HostInput, HostNumber, Plateau, Schedule};

/// What a schedule does after the warm-up, by its settings; `base`, `warmup` and `per` are among
/// them.
pub struct Rule {
    /// The rate.
    rate: fn(&Args, Time) -> HostNumber,
    /// The momentum, of a schedule that may move it.
    momentum: fn(&Args, Time) -> Option<HostNumber>,
    /// When the base falls, of a schedule that looks at a figure.
    plateau: fn(&Args) -> Option<Plateau>,
}

impl Rule {
    /// Of a rate alone.
    const fn rate(rate: fn(&Args, Time) -> HostNumber) -> Rule {
        Rule { rate, momentum: |_, _| None, plateau: |_| None }
    }
}

/// The time of a schedule, in steps or epochs from the end of its warm-up.
#[derive(Clone)]
pub struct Time {
    /// How much has passed.
    pub now: HostNumber,
    /// How much there is in the whole run, at least 1.
    pub total: HostNumber,
}

/// The schedules of the language.
pub const SCHEDULES: &[Entry<Rule>] = &[
    step::STEP,
    exponential::EXPONENTIAL,
    cosine::COSINE,
    polynomial::POLYNOMIAL,
    cosine_restarts::COSINE_RESTARTS,
    linear::LINEAR,
    one_cycle::ONE_CYCLE,
    constant::CONSTANT,
    multistep::MULTISTEP,
    reduce_on_plateau::REDUCE_ON_PLATEAU,
];

pub use one_cycle::OF_MOMENTUM;

/// The rate that a schedule starts from; its tape calls it [`base`].
const BASE: Param = Param::required("base", Kind::Real(Range::AtLeastZero));
/// The rate grows linearly over so many first units, before the schedule starts.
const WARMUP: Param = Param::optional("warmup", Kind::count(0), Value::Count(0));
/// What is counted.
const PER: Param = Param::optional("per", Kind::Word(&["step", "epoch"]), Value::Word("step"));

fn base() -> HostNumber {
    HostInput::Base.into()
}

/// The schedule with these settings: base (t + 1) / warmup for the first units, and what its rule
/// says from there on; the momentum begins with the run, and waits.
pub fn schedule(rule: &Rule, args: &Args) -> Schedule {
    let (now, total) = match args.word("per") {
        "epoch" => (HostInput::Epoch, HostInput::Epochs),
        _ => (HostInput::Step, HostInput::Steps),
    };
    let (now, total) = (HostNumber::from(now), HostNumber::from(total));
    let (rate, momentum) = match args.count("warmup").unwrap_or(0) as f64 {
        0.0 => {
            let time = Time { now, total: total.max(1.0) };
            ((rule.rate)(args, time.clone()), (rule.momentum)(args, time))
        }
        warmup => {
            let rest = Time { now: now.clone() - warmup, total: (total - warmup).max(1.0) };
            let warm = base() * (now.clone() + 1.0) / warmup;
            let rate = now.less(warmup).choose(warm, (rule.rate)(args, rest.clone()));
            (rate, (rule.momentum)(args, Time { now: rest.now.max(0.0), ..rest }))
        }
    };
    Schedule { base: args.real("base"), rate, momentum, plateau: (rule.plateau)(args) }
}
