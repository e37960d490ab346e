//! Up, and down to next to nothing.

use super::{BASE, PER, Rate, WARMUP, base};
use crate::entry::Entry;
use crate::signature::{Kind, Param, Range, Signature, Value};
use arenet_program::HostNumber;

/// `one_cycle(base, pct_start:, div_factor:, final_div_factor:, anneal:, over:, warmup:, per:)`:
/// from base / div_factor up to base in the first `pct_start` of the time, then down to
/// base / div_factor / final_div_factor; without `over`, over the rest of the run.
///
/// torch.optim.lr_scheduler.OneCycleLR(max_lr=base, total_steps=over, cycle_momentum=False)
pub const ONE_CYCLE: Entry<Rate> = Entry {
    signature: Signature {
        name: "one_cycle",
        positional: 1,
        params: &[
            BASE,
            Param::real("pct_start", Range::Fraction, 0.3),
            Param::real("div_factor", Range::AboveZero, 25.0),
            Param::real("final_div_factor", Range::AboveZero, 1e4),
            Param::optional("anneal", Kind::Word(&["cos", "linear"]), Value::Word("cos")),
            Param::optional("over", Kind::count(2), Value::Absent),
            WARMUP,
            PER,
        ],
    },
    built: Some(|args, time| {
        let over = args.count("over").map_or(time.total, |over| (over as f64).into());
        let start = 1.0 / args.real("div_factor");
        let end = start / args.real("final_div_factor");
        // PyTorch's cycle ends with the last step, not after it.
        let top = over.clone() * args.real("pct_start") - 1.0;
        let last = over - 1.0;
        // From a to b, by the share of the way.
        let between = |a: f64, b: f64, share: HostNumber| match args.word("anneal") {
            "linear" => a + (b - a) * share,
            _ => b + (a - b) * (1.0 + (share / 2.0).cos_turns()) / 2.0,
        };
        let up = between(start, 1.0, time.now.clone() / top.clone());
        let down =
            between(1.0, end, (time.now.clone() - top.clone()) / (last.clone() - top.clone()));
        let factor = time.now.clone().less(top).choose(up, down);
        base() * time.now.less(last).choose(factor, end)
    }),
};
