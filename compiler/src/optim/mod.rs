//! Optimizers: state slots, and an update as a formula over parameter, gradient and states. One
//! file each, and one line of the list.
//!
//! The learning rate and all that depends on the step count are scalars that the host computes, so
//! a schedule never recompiles. The formulas and defaults are those of torch.optim.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod asgd;
mod lion;
mod nadam;
mod radam;
mod rmsprop;
mod rprop;
mod sgd;

use crate::entry::Entry;
use crate::graph::{Formula, Graph, NodeId, Term};
use crate::model::Model;
use crate::op::{Assign, Leaf, Source};
use crate::pass::differentiate::differentiate;
use crate::signature::{Args, Problem};
use arenet_program::{HostInput, HostNumber, ParamId, StateId};

/// How an optimizer works, by its settings; the first of them is always the learning rate `lr`.
#[derive(Debug)]
pub struct Rule {
    /// Refuses settings that do not go together.
    pub check: fn(&Args) -> Result<(), Problem>,
    /// The names of the states that it keeps for each parameter, which start as 0.
    slots: fn(&Args) -> Vec<&'static str>,
    /// The new values.
    update: for<'f> fn(&Args, Step<'f>) -> Update<'f>,
}

/// The optimizers of the language.
pub const OPTIMIZERS: &[Entry<Rule>] = &[
    sgd::SGD,
    adam::ADAM,
    adam::ADAMW,
    rmsprop::RMSPROP,
    adadelta::ADADELTA,
    adagrad::ADAGRAD,
    adamax::ADAMAX,
    nadam::NADAM,
    radam::RADAM,
    rprop::RPROP,
    asgd::ASGD,
    lion::LION,
];

/// An optimizer with its settings.
#[derive(Clone, Debug)]
pub struct Optimizer {
    /// How it works.
    pub rule: &'static Rule,
    /// Its settings.
    pub args: Args,
}

/// What an update starts from.
struct Step<'f> {
    /// The learning rate.
    lr: HostNumber,
    param: Term<'f>,
    grad: Term<'f>,
    /// One for each slot.
    states: Vec<Term<'f>>,
}

/// The new values of a parameter and of its states.
struct Update<'f> {
    param: Term<'f>,
    states: Vec<Term<'f>>,
}

impl Optimizer {
    /// The names of the states it keeps for each parameter, in the order of their slots.
    pub fn slots(&self) -> Vec<&'static str> {
        (self.rule.slots)(&self.args)
    }
}

impl<'f> Step<'f> {
    /// The gradient to descend along: with `maximize` the other way, and with the L2 penalty of
    /// `weight_decay`.
    fn descent(&self, args: &Args) -> Term<'f> {
        let (g, weight_decay) = (self.ascent(args), args.real("weight_decay"));
        if weight_decay == 0.0 { g } else { g + self.param * weight_decay }
    }

    /// What is stepped from, and along which gradient: `weight_decay` scales the parameter by
    /// 1 - lr weight_decay, which the gradient does not see, if it is decoupled.
    fn decayed(&self, args: &Args, is_decoupled: bool) -> (Term<'f>, Term<'f>) {
        let weight_decay = args.real("weight_decay");
        if !is_decoupled || weight_decay == 0.0 {
            return (self.param, self.descent(args));
        }
        let kept = self.param.formula().host(1.0 - self.lr.clone() * weight_decay);
        (self.param * kept, self.ascent(args))
    }

    /// A state that starts as `value`: all start as 0, so the first step adds it.
    fn starting(&self, slot: usize, value: HostNumber) -> Term<'f> {
        let state = self.states[slot];
        if value == 0.0.into() {
            return state;
        }
        let is_first = Step::index().less(1.0);
        state + self.param.formula().host(is_first.choose(value, 0.0))
    }

    /// The number of the step, from 0.
    fn index() -> HostNumber {
        HostInput::Step.into()
    }

    /// The number of the step, t in the formulas, from 1.
    fn number() -> HostNumber {
        Step::index() + 1.0
    }

    /// 1 - βᵗ, which makes up for a moving average that starts as 0.
    fn correction(beta: f64) -> HostNumber {
        1.0 - HostNumber::from(beta).power(Step::number())
    }

    /// The gradient, with `maximize` the other way.
    fn ascent(&self, args: &Args) -> Term<'f> {
        if args.flag("maximize") { -self.grad } else { self.grad }
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
    let mut grads = differentiate(&mut graph, loss, &leaves);

    let mut roots = vec![loss];
    let f = Formula::new(&mut graph);
    model.clip.apply(&f, &mut grads);
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
        let source = Source::State(StateId { param: ParamId::at(param), slot });
        f.op(Leaf::f32(source, leaf.shape()), &[])
    };
    let states: Vec<Term> = (0..optimizer.slots().len() as u32).map(state).collect();
    let group = u16::try_from(group).expect("lowering limits the optimizers");
    let lr = HostInput::Rate(group).into();
    let step = Step { lr, param: leaf, grad: f.term(grad), states: states.clone() };
    let update = (optimizer.rule.update)(&optimizer.args, step);
    let olds = [leaf].into_iter().chain(states);
    let news = [update.param].into_iter().chain(update.states);
    olds.zip(news).map(|(old, new)| f.op(Assign, &[old, new]).id).collect()
}
