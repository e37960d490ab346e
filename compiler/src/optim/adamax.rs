//! Adamax.

use super::{DECAY, Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};

/// torch.optim.Adamax: Adam with the largest gradient instead of the mean of squares.
///
/// g ← g + weight_decay p; m ← β₁ m + (1 - β₁) g; u ← max(β₂ u, |g| + eps);
/// p ← p - lr / (1 - β₁ᵗ) m / u.
pub const ADAMAX: Entry<Rule> = Entry {
    signature: Signature {
        name: "adamax",
        about: "Adam by the largest gradient; lr is 2e-3",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(2e-3)),
            Param::real("beta1", Range::Fraction, 0.9),
            Param::real("beta2", Range::Fraction, 0.999),
            Param::real("eps", Range::AtLeastZero, 1e-8),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots: |_| vec!["m", "u"], update }),
};

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let (beta1, beta2) = (step.momentum(args, "beta1"), args.real("beta2"));
    let (p, g) = (step.param, step.descent(args));
    let rate = p.formula().host(step.lr.clone() / Step::correction(beta1.clone()));
    let m = step.states[0] * step.factor(beta1.clone()) + g * step.factor(1.0 - beta1);
    let u = (step.states[1] * beta2).max(g.abs() + args.real("eps"));
    Update { param: p - m * rate / u, states: vec![m, u] }
}
