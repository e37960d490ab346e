//! Adam, and AdamW.

use super::{DECAY, Rule, Step, Update};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};

const fn params(weight_decay: f64) -> [Param; 8] {
    [
        Param::optional("lr", Kind::Schedule, Value::Real(1e-3)),
        Param::real("beta1", Range::Fraction, 0.9),
        Param::real("beta2", Range::Fraction, 0.999),
        Param::real("eps", Range::AtLeastZero, 1e-8),
        Param::real("weight_decay", Range::AtLeastZero, weight_decay),
        DECAY,
        Param::flag("amsgrad"),
        Param::flag("maximize"),
    ]
}

/// torch.optim.Adam: adds weight_decay p to the gradient.
pub const ADAM: Entry<Rule> = Entry {
    signature: Signature {
        name: "adam",
        about: "Adam; lr is 1e-3, betas are 0.9 and 0.999",
        positional: 1,
        params: &params(0.0),
    },
    built: Some(Rule { check: |_| Ok(()), slots, update: |args, step| update(args, step, false) }),
};

/// torch.optim.AdamW: first scales p by 1 - lr weight_decay, which the gradient does not see.
pub const ADAMW: Entry<Rule> = Entry {
    signature: Signature {
        name: "adamw",
        about: "Adam with decoupled weight decay, which is 0.01",
        positional: 1,
        params: &params(1e-2),
    },
    built: Some(Rule { check: |_| Ok(()), slots, update: |args, step| update(args, step, true) }),
};

fn slots(args: &Args) -> Vec<&'static str> {
    if args.flag("amsgrad") { vec!["m", "v", "v_max"] } else { vec!["m", "v"] }
}

/// m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; with amsgrad x ← max(x, v), else x is v;
/// p ← p - lr / (1 - β₁ᵗ) m / (√x / √(1 - β₂ᵗ) + eps), of the decayed p and g.
fn update<'f>(args: &Args, step: Step<'f>, is_decoupled: bool) -> Update<'f> {
    let f = step.param.formula();
    let (beta1, beta2) = (step.momentum(args, "beta1"), args.real("beta2"));
    let rate = f.host(step.lr.clone() / Step::correction(beta1.clone()));
    let correction = f.host(1.0 / Step::correction(beta2).sqrt());
    let (p, g) = step.decayed(args, is_decoupled);
    let m = step.states[0] * step.factor(beta1.clone()) + g * step.factor(1.0 - beta1);
    let v = step.states[1] * beta2 + g * g * (1.0 - beta2);
    let mut news = vec![m, v];
    if args.flag("amsgrad") {
        news.push(step.states[2].max(v));
    }
    let divisor = news[news.len() - 1].sqrt() * correction + args.real("eps");
    Update { param: p - m * rate / divisor, states: news }
}
