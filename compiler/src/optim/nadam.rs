//! NAdam.

use super::{Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};
use arenet_program::HostNumber;
use arenet_program::host::real_power;

/// torch.optim.NAdam: Adam with Nesterov's momentum.
///
/// m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; μₜ = β₁ (1 - 0.96^(t momentum_decay) / 2);
/// p ← p - lr ((1 - μₜ) / (1 - μ₁ … μₜ) g + μₜ₊₁ / (1 - μ₁ … μₜ₊₁) m) / (√v / √(1 - β₂ᵗ) + eps).
pub const NADAM: Entry<Rule> = Entry {
    signature: Signature {
        name: "nadam",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(2e-3)),
            Param::real("beta1", Range::Fraction, 0.9),
            Param::real("beta2", Range::Fraction, 0.999),
            Param::real("eps", Range::AtLeastZero, 1e-8),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            Param::real("momentum_decay", Range::AtLeastZero, 4e-3),
            Param::flag("decoupled_weight_decay"),
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots: |_| vec!["m", "v"], update }),
};

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let f = step.param.formula();
    let (beta1, beta2) = (args.real("beta1"), args.real("beta2"));
    let (p, g) = step.decayed(args, args.flag("decoupled_weight_decay"));
    let m = step.states[0] * beta1 + g * (1.0 - beta1);
    let v = step.states[1] * beta2 + g * g * (1.0 - beta2);

    let factor = real_power(0.96, args.real("momentum_decay"));
    let mu = |t: HostNumber| beta1 * (1.0 - 0.5 * HostNumber::from(factor).power(t));
    // μ₁ … μₜ = β₁ᵗ (factor / 2; factor)ₜ
    let product = |t: HostNumber| {
        let powers = HostNumber::from(beta1).power(t.clone());
        powers * HostNumber::from(factor / 2.0).pochhammer(factor, t)
    };
    let (t, next) = (Step::number(), Step::number() + 1.0);
    let of_g = step.lr.clone() * (1.0 - mu(t.clone())) / (1.0 - product(t));
    let of_m = step.lr.clone() * mu(next.clone()) / (1.0 - product(next));
    let correction = f.host(1.0 / Step::correction(beta2).sqrt());
    let direction = g * f.host(of_g) + m * f.host(of_m);
    Update { param: p - direction / (v.sqrt() * correction + args.real("eps")), states: vec![m, v] }
}
