//! What parameters are held by beside the loss: penalties of their size, and limits of it.

use crate::entry::Entry;
use crate::graph::{OriginId, Term};

/// Some parameters, and what they are held by.
#[derive(Clone, Debug)]
pub struct Hold {
    /// What it is called.
    pub name: &'static str,
    /// What is done.
    pub rule: &'static Rule,
    /// How much a penalty counts, or the limit.
    pub factor: f64,
    /// The parameters, indices into `Model::params`.
    pub params: Vec<usize>,
    /// The setting that it comes from.
    pub origin: OriginId,
}

/// A way to hold parameters.
#[derive(Debug)]
pub enum Rule {
    /// A function of a parameter, of which so much is added to what is minimised.
    Penalty {
        /// The function.
        value: for<'f> fn(Term<'f>) -> Term<'f>,
        /// Its gradient.
        slope: for<'f> fn(Term<'f>) -> Term<'f>,
    },
    /// What becomes of a new value, by the limit.
    Limit(for<'f> fn(Term<'f>, f64) -> Term<'f>),
}

/// The ways of the language.
pub const HOLDS: &[Entry<Rule>] = &[
    // Σ |w|, with the gradient 0 at 0, as torch.abs has it
    Entry::plain(
        "l1",
        "adds 1e-4 Σ |w| of these parameters to what is made small",
        Rule::Penalty { value: |w| w.abs().sum(), slope: |w| w.sign() },
    ),
    // Σ w², as keras.regularizers.L2 has it
    Entry::plain(
        "l2",
        "adds 1e-3 Σ w², as Keras and a term in PyTorch do; half of `weight_decay: 2e-3` of \
            `sgd` would be the same",
        Rule::Penalty { value: |w| (w * w).sum(), slope: |w| w * 2.0 },
    ),
    Entry::plain(
        "max_norm",
        "the largest norm of each column of a weight, the incoming weights of a unit, or of a \
            whole vector: after each step, what is longer is scaled down",
        Rule::Limit(max_norm),
    ),
];

/// w min(1, most / ‖w‖) for each column w, the incoming weights of a unit, or for a whole vector:
/// keras.constraints.MaxNorm (Srivastava et al.: Dropout; JMLR 15, 2014).
fn max_norm(w: Term<'_>, most: f64) -> Term<'_> {
    let squares = w * w;
    let square = if w.shape().rank() < 2 { squares.sum() } else { squares.sum_rows() };
    // At zero the quotient is infinite.
    w * (most / square.sqrt()).min(w.formula().number(1.0))
}

impl Hold {
    /// What is added to the loss for these parameters, if it is a penalty.
    pub fn penalty<'f>(&self, params: impl Iterator<Item = Term<'f>>) -> Option<Term<'f>> {
        let Rule::Penalty { value, .. } = self.rule else { return None };
        let values = params.map(value);
        values.reduce(|sum, value| sum + value).map(|sum| sum * self.factor)
    }

    /// The gradient of that by a parameter.
    pub fn slope<'f>(&self, param: Term<'f>) -> Option<Term<'f>> {
        let Rule::Penalty { slope, .. } = self.rule else { return None };
        Some(slope(param) * self.factor)
    }

    /// Whether it is a limit, and no penalty.
    pub fn is_limit(&self) -> bool {
        matches!(self.rule, Rule::Limit(_))
    }

    /// The new value of a parameter within the limit, if it is one.
    pub fn limited<'f>(&self, new: Term<'f>) -> Term<'f> {
        let Rule::Limit(limit) = self.rule else { return new };
        new.formula().come_from(self.origin);
        limit(new, self.factor)
    }
}
