//! Adadelta.

use super::{DECAY, Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};

/// torch.optim.Adadelta.
///
/// g ← g + weight_decay p; s ← ρ s + (1 - ρ) g²; d ← √(a + eps) / √(s + eps) g;
/// a ← ρ a + (1 - ρ) d²; p ← p - lr d.
pub const ADADELTA: Entry<Rule> = Entry {
    signature: Signature {
        name: "adadelta",
        about: "Adadelta; lr is 1, rho 0.9",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1.0)),
            Param::real("rho", Range::Fraction, 0.9),
            Param::real("eps", Range::AtLeastZero, 1e-6),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots: |_| vec!["square_avg", "acc_delta"], update }),
};

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let (rho, eps) = (args.real("rho"), args.real("eps"));
    let (p, g) = (step.param, step.descent(args));
    let lr = p.formula().host(step.lr);
    let square = step.states[0] * rho + g * g * (1.0 - rho);
    let delta = (step.states[1] + eps).sqrt() / (square + eps).sqrt() * g;
    let acc_delta = step.states[1] * rho + delta * delta * (1.0 - rho);
    Update { param: p - delta * lr, states: vec![square, acc_delta] }
}
