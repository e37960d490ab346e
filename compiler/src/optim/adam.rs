//! Adam, and AdamW.

use super::{Rule, Step, Update};
use crate::entry::Entry;
use crate::graph::Term;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};
use arenet_program::{HostInput, HostNumber};

const fn params(weight_decay: f64) -> [Param; 7] {
    [
        Param::optional("lr", Kind::Schedule, Value::Real(1e-3)),
        Param::real("beta1", Range::Fraction, 0.9),
        Param::real("beta2", Range::Fraction, 0.999),
        Param::real("eps", Range::AtLeastZero, 1e-8),
        Param::real("weight_decay", Range::AtLeastZero, weight_decay),
        Param::flag("amsgrad"),
        Param::flag("maximize"),
    ]
}

/// torch.optim.Adam: adds weight_decay p to the gradient.
pub const ADAM: Entry<Rule> = Entry {
    signature: Signature { name: "adam", positional: 1, params: &params(0.0) },
    built: Some(Rule {
        check: |_| Ok(()),
        slots,
        update: |args, step| update(args, step, penalty),
    }),
};

/// torch.optim.AdamW: first scales p by 1 - lr weight_decay, which the gradient does not see.
pub const ADAMW: Entry<Rule> = Entry {
    signature: Signature { name: "adamw", positional: 1, params: &params(1e-2) },
    built: Some(Rule {
        check: |_| Ok(()),
        slots,
        update: |args, step| update(args, step, decoupled),
    }),
};

/// What is stepped from, and along which gradient.
type Decay = for<'f> fn(&Args, &Step<'f>) -> (Term<'f>, Term<'f>);

fn penalty<'f>(args: &Args, step: &Step<'f>) -> (Term<'f>, Term<'f>) {
    (step.param, step.descent(args))
}

fn decoupled<'f>(args: &Args, step: &Step<'f>) -> (Term<'f>, Term<'f>) {
    let (p, g, weight_decay) = (step.param, step.ascent(args), args.real("weight_decay"));
    let lr = || p.formula().host(step.lr.clone());
    (if weight_decay == 0.0 { p } else { p * (1.0 - lr() * weight_decay) }, g)
}

fn slots(args: &Args) -> Vec<&'static str> {
    if args.flag("amsgrad") { vec!["m", "v", "v_max"] } else { vec!["m", "v"] }
}

/// m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; with amsgrad x ← max(x, v), else x is v;
/// p ← p - lr / (1 - β₁ᵗ) m / (√x / √(1 - β₂ᵗ) + eps), of the p and the g that `decay` gives.
fn update<'f>(args: &Args, step: Step<'f>, decay: Decay) -> Update<'f> {
    let f = step.param.formula();
    let (beta1, beta2) = (args.real("beta1"), args.real("beta2"));
    // 1 - βᵗ, t from 1
    let fading =
        |beta: f64| 1.0 - HostNumber::from(beta).power(HostNumber::from(HostInput::Step) + 1.0);
    let rate = f.host(step.lr.clone() / fading(beta1));
    let correction = f.host(1.0 / fading(beta2).sqrt());
    let (p, g) = decay(args, &step);
    let m = step.states[0] * beta1 + g * (1.0 - beta1);
    let v = step.states[1] * beta2 + g * g * (1.0 - beta2);
    let mut news = vec![m, v];
    if args.flag("amsgrad") {
        news.push(step.states[2].max(v));
    }
    let divisor = news[news.len() - 1].sqrt() * correction + args.real("eps");
    Update { param: p - m * rate / divisor, states: news }
}
