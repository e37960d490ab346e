//! RAdam.

use super::{DECAY, Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};
use arenet_program::HostNumber;

/// torch.optim.RAdam: Adam that is plain momentum until its second moment can be trusted.
///
/// m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; ρ∞ = 2 / (1 - β₂) - 1;
/// ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ); r = √((ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ));
/// p ← p - lr m / (1 - β₁ᵗ), and where ρ > 5 times r √(1 - β₂ᵗ) / (√v + eps).
pub const RADAM: Entry<Rule> = Entry {
    signature: Signature {
        name: "radam",
        about: "Adam that waits for its second moment; lr is 1e-3",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-3)),
            Param::real("beta1", Range::Fraction, 0.9),
            Param::real("beta2", Range::Fraction, 0.999),
            Param::real("eps", Range::AtLeastZero, 1e-8),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::flag("decoupled_weight_decay"),
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots: |_| vec!["m", "v"], update }),
};

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let f = step.param.formula();
    let (beta1, beta2) = (step.momentum(args, "beta1"), args.real("beta2"));
    let (p, g) = step.decayed(args, args.flag("decoupled_weight_decay"));
    let m = step.states[0] * step.factor(beta1.clone()) + g * step.factor(1.0 - beta1.clone());
    let v = step.states[1] * beta2 + g * g * (1.0 - beta2);

    let longest = 2.0 / (1.0 - beta2) - 1.0;
    let length = || {
        let t = Step::number();
        longest - 2.0 * t.clone() * HostNumber::from(beta2).power(t) / Step::correction(beta2)
    };
    let most = (longest - 4.0) * (longest - 2.0) / longest;
    let square = (length() - 4.0) * (length() - 2.0) / (length() * most);
    let is_trusted = || HostNumber::from(5.0).less(length());
    let rate = || step.lr.clone() / Step::correction(beta1.clone());
    // The root of a negative number would be one that is then not chosen.
    let rectified = (square.max(0.0) * Step::correction(beta2)).sqrt() * rate();
    let rectified = f.host(is_trusted().choose(rectified, 0.0));
    let plain = f.host(is_trusted().choose(0.0, rate()));
    let direction = m * rectified / (v.sqrt() + args.real("eps")) + m * plain;
    Update { param: p - direction, states: vec![m, v] }
}
