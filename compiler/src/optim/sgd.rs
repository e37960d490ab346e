//! Stochastic gradient descent.

use super::{Entry, Optimizer, Update};
use crate::graph::Term;
use crate::signature::{Args, Kind, Param, Problem, Range, Signature, Value};
use arenet_program::{HostInput, HostNumber};

/// torch.optim.SGD.
///
/// g ← g + weight_decay p; b ← momentum b + (1 - dampening) g, but b ← g at the first step;
/// p ← p - lr b, or with Nesterov's momentum p ← p - lr (g + momentum b).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The share of the last step's direction that is kept.
    pub momentum: f64,
    /// The share of the gradient that momentum leaves out.
    pub dampening: f64,
    /// The L2 penalty.
    pub weight_decay: f64,
    /// Looks ahead along the momentum.
    pub nesterov: bool,
    /// Ascends instead of descending.
    pub maximize: bool,
}

/// `sgd(lr, momentum:, dampening:, weight_decay:, nesterov:, maximize:)`
pub const SGD: Entry = Entry {
    signature: Signature {
        name: "sgd",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-3)),
            Param::real("momentum", Range::AtLeastZero, 0.0),
            Param::real("dampening", Range::Any, 0.0),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            Param::flag("nesterov"),
            Param::flag("maximize"),
        ],
    },
    build,
};

fn build(args: &Args) -> Result<Optimizer, Problem> {
    let sgd = Sgd {
        momentum: args.real("momentum"),
        dampening: args.real("dampening"),
        weight_decay: args.real("weight_decay"),
        nesterov: args.flag("nesterov"),
        maximize: args.flag("maximize"),
    };
    if sgd.nesterov && (sgd.momentum == 0.0 || sgd.dampening != 0.0) {
        let message = "Nesterov's momentum needs a momentum and no dampening";
        let help = "write `momentum: 0.9, nesterov: true`, without `dampening`";
        return Err(Problem::new("nesterov-dampening", message).at("nesterov").help(help));
    }
    Ok(Optimizer::Sgd(sgd))
}

impl Sgd {
    pub(super) fn slots(&self) -> Vec<&'static str> {
        if self.momentum == 0.0 { vec![] } else { vec!["momentum"] }
    }

    pub(super) fn update<'f>(
        &self,
        group: u16,
        p: Term<'f>,
        grad: Term<'f>,
        states: &[Term<'f>],
    ) -> Update<'f> {
        let f = p.formula();
        let mut g = if self.maximize { -grad } else { grad };
        if self.weight_decay != 0.0 {
            g = g + p * self.weight_decay;
        }
        let lr = f.host(HostInput::Rate(group).into());
        let &[b] = states else {
            return Update { param: p - g * lr, states: vec![] };
        };
        // The buffer starts as zero, so the first step makes it g if its factor is then 1.
        let fresh = if self.dampening == 0.0 {
            g
        } else {
            let is_first = HostNumber::from(HostInput::Step).less(1.0);
            g * f.host(is_first.choose(1.0, 1.0 - self.dampening))
        };
        let b = b * self.momentum + fresh;
        let direction = if self.nesterov { g + b * self.momentum } else { b };
        Update { param: p - direction * lr, states: vec![b] }
    }
}
