//! Adam, and AdamW.

use super::{Entry, Optimizer, Update};
use crate::graph::Term;
use crate::signature::{Args, Kind, Param, Problem, Range, Signature, Value};
use arenet_program::{HostInput, HostNumber};

/// torch.optim.Adam and torch.optim.AdamW.
///
/// m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; with amsgrad x ← max(x, v), else x is v;
/// p ← p - lr / (1 - β₁ᵗ) m / (√x / √(1 - β₂ᵗ) + eps).
/// Adam adds weight_decay p to g; AdamW first scales p by 1 - lr weight_decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// β₁, the decay of the gradient's mean.
    pub beta1: f64,
    /// β₂, the decay of the squared gradient's mean.
    pub beta2: f64,
    /// Keeps the divisor from 0.
    pub eps: f64,
    /// The L2 penalty, or the decay of AdamW.
    pub weight_decay: f64,
    /// The decay is AdamW's, which the gradient does not see.
    pub decoupled: bool,
    /// Divides by the largest mean so far.
    pub amsgrad: bool,
    /// Ascends instead of descending.
    pub maximize: bool,
}

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

/// `adam(lr, beta1:, beta2:, eps:, weight_decay:, amsgrad:, maximize:)`
pub const ADAM: Entry = Entry {
    signature: Signature { name: "adam", positional: 1, params: &params(0.0) },
    build: |args| build(args, false),
};

/// `adamw(lr, beta1:, beta2:, eps:, weight_decay:, amsgrad:, maximize:)`
pub const ADAMW: Entry = Entry {
    signature: Signature { name: "adamw", positional: 1, params: &params(1e-2) },
    build: |args| build(args, true),
};

fn build(args: &Args, decoupled: bool) -> Result<Optimizer, Problem> {
    Ok(Optimizer::Adam(Adam {
        beta1: args.real("beta1"),
        beta2: args.real("beta2"),
        eps: args.real("eps"),
        weight_decay: args.real("weight_decay"),
        decoupled,
        amsgrad: args.flag("amsgrad"),
        maximize: args.flag("maximize"),
    }))
}

impl Adam {
    pub(super) fn slots(&self) -> Vec<&'static str> {
        if self.amsgrad { vec!["m", "v", "v_max"] } else { vec!["m", "v"] }
    }

    pub(super) fn update<'f>(
        &self,
        group: u16,
        p: Term<'f>,
        grad: Term<'f>,
        states: &[Term<'f>],
    ) -> Update<'f> {
        let f = p.formula();
        let lr = || HostNumber::from(HostInput::Rate(group));
        // 1 - βᵗ, t from 1
        let fading =
            |beta: f64| 1.0 - HostNumber::from(beta).power(HostNumber::from(HostInput::Step) + 1.0);
        let rate = f.host(lr() / fading(self.beta1));
        let correction = f.host(1.0 / fading(self.beta2).sqrt());
        let mut g = if self.maximize { -grad } else { grad };
        let mut decayed = p;
        if self.weight_decay != 0.0 && self.decoupled {
            decayed = p * (1.0 - f.host(lr()) * self.weight_decay);
        } else if self.weight_decay != 0.0 {
            g = g + p * self.weight_decay;
        }
        let m = states[0] * self.beta1 + g * (1.0 - self.beta1);
        let v = states[1] * self.beta2 + g * g * (1.0 - self.beta2);
        let mut news = vec![m, v];
        if self.amsgrad {
            news.push(states[2].max(v));
        }
        let divisor = news[news.len() - 1].sqrt() * correction + self.eps;
        Update { param: decayed - m * rate / divisor, states: news }
    }
}
