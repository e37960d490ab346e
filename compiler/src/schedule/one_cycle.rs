//! Up, and down to next to nothing; the momentum goes the other way.

use super::{BASE, PER, Rule, Time, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};
use arenet_program::HostNumber;

/// `one_cycle(base, pct_start:, div_factor:, final_div_factor:, anneal:, over:, cycle_momentum:,
/// base_momentum:, max_momentum:, warmup:, per:)`: from base / div_factor up to base in the first
/// `pct_start` of the time, then down to base / div_factor / final_div_factor; without `over`, over
/// the rest of the run. The momentum of the optimizer goes from `max_momentum` down to
/// `base_momentum`, and back.
///
/// torch.optim.lr_scheduler.OneCycleLR(max_lr=base, total_steps=over)
pub const ONE_CYCLE: Entry<Rule> = Entry {
    signature: Signature {
        name: "one_cycle",
        about: "up to base, then down to next to nothing; the momentum goes from `max_momentum`, \
            0.95, down to `base_momentum`, 0.85, and back",
        positional: 1,
        params: &[
            BASE,
            Param::real("pct_start", Range::Fraction, 0.3),
            Param::real("div_factor", Range::AboveZero, 25.0),
            Param::real("final_div_factor", Range::AboveZero, 1e4),
            Param::optional("anneal", Kind::Word(&["cos", "linear"]), Value::Word("cos")),
            Param::optional("over", Kind::count(2), Value::Absent),
            Param::optional(OF_MOMENTUM[0], Kind::Flag, Value::Flag(true)),
            Param::real(OF_MOMENTUM[1], Range::Fraction, 0.85),
            Param::real(OF_MOMENTUM[2], Range::Fraction, 0.95),
            WARMUP,
            PER,
        ],
    },
    built: Some(Rule {
        rate: |args, time| {
            let start = 1.0 / args.real("div_factor");
            let end = start / args.real("final_div_factor");
            base() * cycle(args, time, [start, 1.0, end])
        },
        momentum: |args, time| {
            let [low, high] = ["base_momentum", "max_momentum"].map(|name| args.real(name));
            args.flag("cycle_momentum").then(|| cycle(args, time, [high, low, high]))
        },
        plateau: |_| None,
    }),
};

/// The settings about the momentum.
pub const OF_MOMENTUM: [&str; 3] = ["cycle_momentum", "base_momentum", "max_momentum"];

/// From the first number to the second before the cycle turns, and then to the third.
fn cycle(args: &Args, time: Time, [start, middle, end]: [f64; 3]) -> HostNumber {
    let over = args.count("over").map_or(time.total, |over| (over as f64).into());
    // PyTorch's cycle ends with the last step, not after it.
    let top = over.clone() * args.real("pct_start") - 1.0;
    let last = over - 1.0;
    // From a to b, by the share of the way.
    let between = |a: f64, b: f64, share: HostNumber| match args.word("anneal") {
        "linear" => a + (b - a) * share,
        _ => b + (a - b) * (1.0 + (share / 2.0).cos_turns()) / 2.0,
    };
    let up = between(start, middle, time.now.clone() / top.clone());
    let down =
        between(middle, end, (time.now.clone() - top.clone()) / (last.clone() - top.clone()));
    let number = time.now.clone().less(top).choose(up, down);
    time.now.less(last).choose(number, end)
}
