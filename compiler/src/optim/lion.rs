//! Lion.

use super::{DECAY, Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};

/// Lion, of Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), algorithm 2.
///
/// c = β₁ m + (1 - β₁) g; m ← β₂ m + (1 - β₂) g; p ← p (1 - lr weight_decay) - lr sign(c).
pub const LION: Entry<Rule> = Entry {
    signature: Signature {
        name: "lion",
        about: "Lion, of Chen et al. (2023); lr is 1e-4, betas are 0.9 and 0.99",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-4)),
            Param::real("beta1", Range::Fraction, 0.9),
            Param::real("beta2", Range::Fraction, 0.99),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots: |_| vec!["m"], update }),
};

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let (beta1, beta2) = (step.momentum(args, "beta1"), args.real("beta2"));
    let (p, g) = step.decayed(args, true);
    let lr = p.formula().host(step.lr.clone());
    let mixed = step.states[0] * step.factor(beta1.clone()) + g * step.factor(1.0 - beta1);
    let m = step.states[0] * beta2 + g * (1.0 - beta2);
    Update { param: p - mixed.sign() * lr, states: vec![m] }
}
