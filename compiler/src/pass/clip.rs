//! Limits of gradients, between their derivation and the updates.

use crate::graph::{Formula, NodeId, OriginId, Term};

/// How far gradients are limited before an optimizer sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clip {
    /// The largest norm of all gradients together.
    pub norm: Option<Limit>,
    /// The largest absolute value of an element, after the norm.
    pub value: Option<Limit>,
}

/// A limit, and the setting that it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The limit.
    pub most: f64,
    /// The setting.
    pub origin: OriginId,
}

impl Clip {
    /// The gradients within the limits.
    ///
    /// torch.nn.utils.clip_grad_norm_: all g ← g min(1, norm / (√Σ g² + 10⁻⁶)), and
    /// clip_grad_value_: g ← min(max(g, -value), value).
    pub fn apply<'f>(self, f: &'f Formula<'f>, grads: &mut [NodeId]) {
        if let Some(Limit { most, origin }) = self.norm {
            f.come_from(origin);
            let square = |&id: &NodeId| (f.term(id) * f.term(id)).sum();
            let squares = grads.iter().map(square).reduce(|sum, square| sum + square);
            if let Some(squares) = squares {
                let factor = f.number(1.0).min(most / (squares.sqrt() + 1e-6));
                each(f, grads, |grad| grad * factor);
            }
        }
        if let Some(Limit { most, origin }) = self.value {
            f.come_from(origin);
            each(f, grads, |grad| grad.max(f.number(-most)).min(f.number(most)));
        }
    }
}

fn each<'f>(f: &'f Formula<'f>, grads: &mut [NodeId], change: impl Fn(Term<'f>) -> Term<'f>) {
    for grad in grads.iter_mut() {
        *grad = change(f.term(*grad)).id;
    }
}
