//! ASGD, averaged stochastic gradient descent.

use super::{DECAY, Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};

/// torch.optim.ASGD. The average is the state `ax`; the parameter itself is not averaged.
///
/// g ← g + weight_decay p; η = lr / (1 + λ lr (t - 1))^α; p ← (1 - λ η) p - η g;
/// ax ← ax + μ (p - ax) with μ = 1 / max(1, t - 1 - t0).
pub const ASGD: Entry<Rule> = Entry {
    signature: Signature {
        name: "asgd",
        about: "gradient descent that also keeps an average; lr is 0.01",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-2)),
            Param::real("lambd", Range::AtLeastZero, 1e-4),
            Param::real("alpha", Range::AtLeastZero, 0.75),
            Param::real("t0", Range::AtLeastZero, 1e6),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots: |_| vec!["ax"], update }),
};

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let f = step.param.formula();
    let lambda = args.real("lambd");
    let (p, g) = (step.param, step.descent(args));
    let slowing = 1.0 + Step::index() * step.lr.clone() * lambda;
    let eta = step.lr.clone() / slowing.real_power(args.real("alpha"));
    let share = || 1.0 / (Step::index() - args.real("t0")).max(1.0);
    let p = p * f.host(1.0 - eta.clone() * lambda) - g * f.host(eta);
    // A share of 1 gives the parameter itself.
    let average = step.states[0] * f.host(1.0 - share()) + p * f.host(share());
    Update { param: p, states: vec![average] }
}
