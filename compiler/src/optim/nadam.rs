//! NAdam.

use super::{DECAY, Rule, Step, Update, is_moved};
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
        about: "Adam with Nesterov's momentum; lr is 2e-3",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(2e-3)),
            Param::real("beta1", Range::Fraction, 0.9),
            Param::real("beta2", Range::Fraction, 0.999),
            Param::real("eps", Range::AtLeastZero, 1e-8),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::real("momentum_decay", Range::AtLeastZero, 4e-3),
            Param::flag("decoupled_weight_decay"),
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots, update }),
};

/// Where β₁ moves, the product of all μ is kept beside each element; else it has a closed form.
fn slots(args: &Args) -> Vec<&'static str> {
    if is_moved(args) { vec!["m", "v", "mu_product"] } else { vec!["m", "v"] }
}

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let f = step.param.formula();
    let (beta1, beta2) = (step.momentum(args, "beta1"), args.real("beta2"));
    let (p, g) = step.decayed(args, args.flag("decoupled_weight_decay"));
    let m = step.states[0] * step.factor(beta1.clone()) + g * step.factor(1.0 - beta1.clone());
    let v = step.states[1] * beta2 + g * g * (1.0 - beta2);

    let factor = real_power(0.96, args.real("momentum_decay"));
    let mu = |t: HostNumber| beta1.clone() * (1.0 - 0.5 * HostNumber::from(factor).power(t));
    // μ₁ … μₜ = β₁ᵗ (factor / 2; factor)ₜ
    let product = |t: HostNumber| {
        let powers = beta1.clone().power(t.clone());
        powers * HostNumber::from(factor / 2.0).pochhammer(factor, t)
    };
    let (t, next) = (Step::number(), Step::number() + 1.0);
    let of_g = step.lr.clone() * (1.0 - mu(t.clone()));
    let of_m = step.lr.clone() * mu(next.clone());
    let correction = f.host(1.0 / Step::correction(beta2).sqrt());
    let mut states = vec![m, v];
    let direction = match is_moved(args) {
        false => g * f.host(of_g / (1.0 - product(t))) + m * f.host(of_m / (1.0 - product(next))),
        true => {
            let product = step.starting(2, 1.0.into()) * f.host(mu(t));
            states.push(product);
            let ahead = product * f.host(mu(next));
            g * f.host(of_g) / (1.0 - product) + m * f.host(of_m) / (1.0 - ahead)
        }
    };
    Update { param: p - direction / (v.sqrt() * correction + args.real("eps")), states }
}
