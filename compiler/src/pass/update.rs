//! The training step: the forward pass, the gradients, and the updates of the parameters.

use super::differentiate::differentiate;
use super::mode::in_training;
use crate::graph::op::{Assign, Leaf, Source};
use crate::graph::{Formula, Graph, NodeId, Term};
use crate::model::Model;
use crate::optim::Step;
use arenet_program::{HostInput, ParamId, StateId};

/// Builds the whole training step: the forward pass, the gradients and the updates, those of
/// statistics among them.
///
/// The first root is the loss, the others are the assignments. A parameter that the loss does not
/// depend on stays as it is, as in PyTorch. Simplify the model before: log(sigmoid z) is stable
/// only once it is rewritten, and its gradient is derived from what is written.
pub fn train_step(model: &Model) -> Graph {
    let mut graph = model.graph.clone();
    let stands = in_training(&mut graph);
    let loss = stands[model.loss.expect("a model that is trained has a loss").index()];
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
    for statistic in &model.statistics {
        let [old, new] = [model.params[statistic.param].node, stands[statistic.new.index()]];
        f.follow(old);
        roots.push(f.op(Assign, &[f.term(old), f.term(new)]).id);
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
    let update = optimizer.update(step);
    let olds = [leaf].into_iter().chain(states);
    let news = [update.param].into_iter().chain(update.states);
    olds.zip(news).map(|(old, new)| f.op(Assign, &[old, new]).id).collect()
}
