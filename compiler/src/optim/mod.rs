//! Optimizers: state slots, and an update as a formula over parameter, gradient and states.
//!
//! The learning rate and all that depends on the step count are scalars that the host computes, so
//! a schedule never recompiles. The formulas and defaults are those of torch.optim.

mod adam;
mod sgd;

pub use adam::Adam;
pub use sgd::Sgd;

use crate::graph::{Formula, Graph, NodeId, Term};
use crate::model::Model;
use crate::op::{Assign, Leaf, Source};
use crate::pass::differentiate::differentiate;
use crate::signature::{Args, Problem, Signature};

/// An optimizer with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam and AdamW.
    Adam(Adam),
}

/// The name and the settings of an optimizer in the language.
pub struct Entry {
    /// Its settings; the first is always the learning rate `lr`.
    pub signature: Signature,
    /// Makes it.
    pub build: fn(&Args) -> Result<Optimizer, Problem>,
}

/// The optimizers of the language.
pub const OPTIMIZERS: &[Entry] = &[sgd::SGD, adam::ADAM, adam::ADAMW];

/// Optimizers of the language that this version does not compile yet.
pub const NOT_YET: &[&str] =
    &["adadelta", "adagrad", "adamax", "asgd", "nadam", "radam", "rmsprop", "rprop"];

/// The new values of a parameter and of its states.
struct Update<'f> {
    param: Term<'f>,
    states: Vec<Term<'f>>,
}

impl Optimizer {
    /// The names of the states it keeps for each parameter, in the order of their slots.
    pub fn slots(&self) -> Vec<&'static str> {
        match self {
            Optimizer::Sgd(sgd) => sgd.slots(),
            Optimizer::Adam(adam) => adam.slots(),
        }
    }

    fn update<'f>(
        &self,
        group: u16,
        param: Term<'f>,
        grad: Term<'f>,
        states: &[Term<'f>],
    ) -> Update<'f> {
        match self {
            Optimizer::Sgd(sgd) => sgd.update(group, param, grad, states),
            Optimizer::Adam(adam) => adam.update(group, param, grad, states),
        }
    }
}

/// Builds the whole training step: the forward pass, the gradients and the updates.
///
/// The first root is the loss, the others are the assignments. A parameter that the loss does not
/// depend on stays as it is, as in PyTorch. Simplify the model before: log(sigmoid z) is stable
/// only once it is rewritten, and its gradient is derived from what is written.
pub fn train_step(model: &Model) -> Graph {
    let mut graph = model.graph.clone();
    let loss = model.loss.expect("a model that is trained has a loss");
    let trained: Vec<usize> =
        (0..model.params.len()).filter(|&i| model.params[i].optimizer.is_some()).collect();
    let leaves: Vec<NodeId> = trained.iter().map(|&i| model.params[i].node).collect();
    let grads = differentiate(&mut graph, loss, &leaves);

    let mut roots = vec![loss];
    let f = Formula::new(&mut graph);
    for (&i, grad) in trained.iter().zip(grads) {
        let (Some(grad), Some(group)) = (grad, model.params[i].optimizer) else { continue };
        f.follow(model.params[i].node);
        roots.extend(assign(&f, model, i, grad, group));
    }
    graph.roots = roots;
    graph
}

/// Updates a parameter and its states.
fn assign<'f>(
    f: &'f Formula<'f>,
    model: &Model,
    param: usize,
    grad: NodeId,
    group: usize,
) -> Vec<NodeId> {
    let optimizer = &model.optimizers[group];
    let leaf = f.term(model.params[param].node);
    let state = |slot| {
        let source = Source::State { param: param as u32, slot };
        f.op(Leaf::f32(source, leaf.shape()), &[])
    };
    let states: Vec<Term> = (0..optimizer.slots().len() as u32).map(state).collect();
    let group = u16::try_from(group).expect("lowering limits the optimizers");
    let update = optimizer.update(group, leaf, f.term(grad), &states);
    let olds = [leaf].into_iter().chain(states);
    let news = [update.param].into_iter().chain(update.states);
    olds.zip(news).map(|(old, new)| f.op(Assign, &[old, new]).id).collect()
}
