//! Adagrad.

use super::{DECAY, Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};

/// torch.optim.Adagrad.
///
/// g ← g + weight_decay p; s ← s + g², from initial_accumulator_value on;
/// p ← p - lr / (1 + (t - 1) lr_decay) g / (√s + eps).
pub const ADAGRAD: Entry<Rule> = Entry {
    signature: Signature {
        name: "adagrad",
        about: "Adagrad; lr is 0.01",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-2)),
            Param::real("lr_decay", Range::AtLeastZero, 0.0),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::real("initial_accumulator_value", Range::AtLeastZero, 0.0),
            Param::real("eps", Range::AtLeastZero, 1e-10),
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots: |_| vec!["sum"], update }),
};

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let f = step.param.formula();
    let (p, g) = (step.param, step.descent(args));
    let before = step.starting(0, args.real("initial_accumulator_value").into());
    let rate = f.host(step.lr.clone() / (1.0 + Step::index() * args.real("lr_decay")));
    let sum = before + g * g;
    Update { param: p - g * rate / (sum.sqrt() + args.real("eps")), states: vec![sum] }
}
