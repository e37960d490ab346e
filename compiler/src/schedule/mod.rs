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
mod step;

use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Value};
use arenet_program::{HostInput, HostNumber, Schedule};

/// The rate after the warm-up, by the settings; `base`, `warmup` and `per` are among them.
pub type Rate = fn(&Args, Time) -> HostNumber;

/// The time of a schedule, in steps or epochs from the end of its warm-up.
pub struct Time {
    /// How much has passed.
    pub now: HostNumber,
    /// How much there is in the whole run, at least 1.
    pub total: HostNumber,
}

/// The schedules of the language.
pub const SCHEDULES: &[Entry<Rate>] = &[
    step::STEP,
    exponential::EXPONENTIAL,
    cosine::COSINE,
    polynomial::POLYNOMIAL,
    cosine_restarts::COSINE_RESTARTS,
    linear::LINEAR,
    one_cycle::ONE_CYCLE,
    constant::CONSTANT,
    multistep::MULTISTEP,
    Entry::planned("reduce_on_plateau"),
];

/// The rate that a schedule starts from; its tape calls it [`base`].
const BASE: Param = Param::required("base", Kind::Real(Range::AtLeastZero));
/// The rate grows linearly over so many first units, before the schedule starts.
const WARMUP: Param = Param::optional("warmup", Kind::count(0), Value::Count(0));
/// What is counted.
const PER: Param = Param::optional("per", Kind::Word(&["step", "epoch"]), Value::Word("step"));

fn base() -> HostNumber {
    HostInput::Base.into()
}

/// The schedule with these settings: base (t + 1) / warmup for the first units, and what `after`
/// says from there on.
pub fn schedule(after: Rate, args: &Args) -> Schedule {
    let (now, total) = match args.word("per") {
        "epoch" => (HostInput::Epoch, HostInput::Epochs),
        _ => (HostInput::Step, HostInput::Steps),
    };
    let (now, total) = (HostNumber::from(now), HostNumber::from(total));
    let rate = match args.count("warmup").unwrap_or(0) as f64 {
        0.0 => after(args, Time { now, total: total.max(1.0) }),
        warmup => {
            let rest = Time { now: now.clone() - warmup, total: (total - warmup).max(1.0) };
            let warm = base() * (now.clone() + 1.0) / warmup;
            now.less(warmup).choose(warm, after(args, rest))
        }
    };
    Schedule { base: args.real("base"), rate }
}
