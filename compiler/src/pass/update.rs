//! The training step: the forward pass, the gradients, and the updates of the parameters.

use super::differentiate::differentiate;
use super::mode::in_training;
use crate::graph::op::{Assign, Leaf, Source};
use crate::graph::{Formula, Graph, NodeId, Term};
use crate::model::{Model, Statistic};
use crate::optim::Step;
use arenet_program::{HostInput, ParamId, StateId};

/// Builds the whole training step: the forward pass, the gradients and the updates, those of
/// statistics among them.
///
/// The first roots are what a step gives, the others are the assignments. A parameter that the loss
/// does not depend on stays as it is, as in PyTorch. Simplify the model before: log(sigmoid z) is
/// stable only once it is rewritten, and its gradient is derived from what is written.
pub fn train_step(model: &Model) -> Graph {
    let (mut graph, forward) = forward(model);
    let grads = gradients(model, &mut graph, &forward);
    let f = Formula::new(&mut graph);
    let updates = updates(&f, model, grads);
    let statistics = statistics(&f, model, &forward);
    graph.roots = forward.results.into_iter().chain(updates).chain(statistics).collect();
    graph
}

/// The loss of a model that is trained and its gradients as the roots of a graph, and the indices
/// of the parameters that these belong to.
pub fn loss_and_gradients(model: &Model) -> (Graph, Vec<usize>) {
    let (mut graph, forward) = forward(model);
    let grads = gradients(model, &mut graph, &forward);
    graph.roots = [forward.loss].into_iter().chain(grads.iter().map(|of| of.grad)).collect();
    (graph, grads.into_iter().map(|of| of.param).collect())
}

/// Where the values of a forward pass are.
pub(super) struct Forward {
    loss: NodeId,
    /// What a step gives of the batch: [`Model::step_results`].
    pub(super) results: Vec<NodeId>,
    /// What stands for each node of the model.
    stands: Vec<NodeId>,
}

/// The forward pass of a step of training.
pub(super) fn forward(model: &Model) -> (Graph, Forward) {
    let mut graph = model.graph.clone();
    let stands = in_training(&mut graph);
    let results = model.step_results().into_iter().map(|node| stands[node.index()]);
    let results: Vec<NodeId> = results.collect();
    let loss = *results.first().expect("a model that is trained has a loss");
    (graph, Forward { loss, results, stands })
}

/// Updates what is kept of the values that pass through; gives the assignments.
pub(super) fn statistics<'f>(f: &'f Formula<'f>, model: &Model, forward: &Forward) -> Vec<NodeId> {
    let assign = |statistic: &Statistic| {
        let old = model.params[statistic.param].node;
        let new = forward.stands[statistic.new.index()];
        f.follow(old);
        f.op(Assign, &[f.term(old), f.term(new)]).id
    };
    model.statistics.iter().map(assign).collect()
}

/// The gradient of a parameter, an index into `Model::params`.
pub(super) struct GradientOf {
    pub(super) param: usize,
    pub(super) grad: NodeId,
}

/// Adds the gradients of the parameters that are trained and that the loss depends on.
pub(super) fn gradients(model: &Model, graph: &mut Graph, forward: &Forward) -> Vec<GradientOf> {
    let trained: Vec<usize> =
        (0..model.params.len()).filter(|&i| model.params[i].optimizer.is_some()).collect();
    let leaves: Vec<NodeId> = trained.iter().map(|&i| model.params[i].node).collect();
    let grads = trained.into_iter().zip(differentiate(graph, forward.loss, &leaves));
    grads.filter_map(|(param, grad)| Some(GradientOf { param, grad: grad? })).collect()
}

/// Updates the parameters by their gradients; gives the assignments.
pub(super) fn updates<'f>(
    f: &'f Formula<'f>,
    model: &Model,
    mut grads: Vec<GradientOf>,
) -> Vec<NodeId> {
    penalize(f, model, &mut grads);
    let mut clipped: Vec<NodeId> = grads.iter().map(|of| of.grad).collect();
    model.clip.apply(f, &mut clipped);
    grads.iter_mut().zip(clipped).for_each(|(of, grad)| of.grad = grad);
    let update = |GradientOf { param, grad }| {
        f.follow(model.params[param].node);
        assign(f, model, param, grad)
    };
    grads.into_iter().flat_map(update).collect()
}

/// Adds the gradients of the penalties, once for each step. Where an optimizer climbs, a penalty
/// makes parameters small all the same.
fn penalize<'f>(f: &'f Formula<'f>, model: &Model, grads: &mut Vec<GradientOf>) {
    let pairs = model.holds.iter().flat_map(|hold| hold.params.iter().map(move |&i| (hold, i)));
    for (hold, param) in pairs {
        f.come_from(hold.origin);
        let slope = hold.slope(f.term(model.params[param].node));
        let (Some(slope), Some(group)) = (slope, model.params[param].optimizer) else { continue };
        let own = if model.optimizers[group].args.flag("maximize") { -slope } else { slope };
        match grads.iter_mut().find(|of| of.param == param) {
            Some(of) => of.grad = (f.term(of.grad) + own).id,
            None => grads.push(GradientOf { param, grad: own.id }),
        }
    }
}

/// Updates a parameter and its states.
fn assign<'f>(f: &'f Formula<'f>, model: &Model, param: usize, grad: NodeId) -> Vec<NodeId> {
    let news = step_of(model, param, f.term(model.params[param].node), f.term(grad));
    news.into_iter().map(|(old, new)| f.op(Assign, &[old, new]).id).collect()
}

/// A parameter that is trained, then its states, each with its new value.
pub fn step_of<'f>(
    model: &Model,
    param: usize,
    leaf: Term<'f>,
    grad: Term<'f>,
) -> Vec<(Term<'f>, Term<'f>)> {
    let f = leaf.formula();
    let group = model.params[param].optimizer.expect("it is trained");
    let optimizer = &model.optimizers[group];
    let state = |slot| {
        let source = Source::State(StateId { param: ParamId::at(param), slot });
        f.op(Leaf::f32(source, leaf.shape()), &[])
    };
    let states: Vec<Term> = (0..optimizer.slots().len() as u32).map(state).collect();
    let group = u16::try_from(group).expect("lowering limits the optimizers");
    let lr = HostInput::Rate(group).into();
    let moves = optimizer.args.schedule("lr").momentum.is_some();
    let momentum = moves.then(|| HostInput::Momentum(group).into());
    let step = Step { lr, momentum, param: leaf, grad, states: states.clone() };
    let update = optimizer.update(step);
    let olds = [leaf].into_iter().chain(states);
    let limits = model.holds.iter().filter(|hold| hold.params.contains(&param));
    let new = limits.fold(update.param, |new, hold| hold.limited(new));
    let news = [new].into_iter().chain(update.states);
    olds.zip(news).collect()
}
