//! Gradients of several batches, added up for one step of the optimizers.
//!
//! A mean over all rows of the batches is the mean of the batches' means, each counted by its rows;
//! a sum is the sum of their sums. So the gradient of either is that over all rows at once.

use super::update::{GradientOf, forward, gradients, statistics, updates};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::graph::op::{Assign, Binary, BinaryFn, Leaf, Op, Source};
use crate::graph::{Formula, Graph, Node, NodeId, Term};
use crate::model::Model;
use arenet_program::{HostInput, HostNumber, ParamId, StateId};

/// How the loss counts rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Twice as many rows do not change it.
    Mean,
    /// Twice as many rows double it.
    Sum,
}

/// How a loss counts rows. One that does not in either way has gradients over several batches that
/// do not add up to that over all of their rows.
pub fn reduction(graph: &Graph, loss: NodeId) -> Result<Reduction, Diagnostic> {
    let mut growths: Vec<Option<i32>> = Vec::with_capacity(loss.index() + 1);
    for node in &graph.nodes[..=loss.index()] {
        let inputs = node.inputs.iter().map(|input| growths[input.index()]);
        let inputs: Option<Vec<i32>> = inputs.collect();
        let adds_rows =
            !node.shape.batch() && node.inputs.iter().any(|&input| graph.shape(input).batch());
        growths.push(inputs.and_then(|inputs| node.op.growth(&inputs, adds_rows)));
    }
    match growths[loss.index()] {
        Some(0) => Ok(Reduction::Mean),
        Some(1) => Ok(Reduction::Sum),
        _ => {
            // What a mean by factors divides by is kept from 0.
            let is_quotient = |(node, growth): (&Node, &Option<i32>)| {
                let is_max = matches!(node.op, Op::Binary(Binary(BinaryFn::Max)));
                is_max && growth.is_none() && growths[node.inputs[0].index()] == Some(1)
            };
            let what = match graph.nodes.iter().zip(&growths).any(is_quotient) {
                true => {
                    "a mean by factors of the classes, or of the rows that count, divides by their \
                     sum, which differs from batch to batch"
                }
                false => "the loss is neither a mean nor a sum over rows",
            };
            let message = format!("gradients cannot be accumulated: {what}");
            let error = Diagnostic::error(Code::MixedReductions, graph.span(loss), message);
            let help = "give all terms of the loss `reduction: sum`, or train in single batches";
            Err(error.help(help))
        }
    }
}

/// Builds the two halves of a step: what each batch adds to the accumulated gradients, with what a
/// step gives as the first roots, and the updates by them, which leave them zero.
pub fn halves(model: &Model, reduction: Reduction) -> [Graph; 2] {
    let (mut batch, forward) = forward(model);
    let grads = gradients(model, &mut batch, &forward);
    let mut roots = forward.results.clone();
    let f = Formula::new(&mut batch);
    let share = match reduction {
        Reduction::Mean => Some(f.host(HostNumber::from(HostInput::Rows) / HostInput::StepRows)),
        Reduction::Sum => None,
    };
    for &GradientOf { param, grad } in &grads {
        f.follow(model.params[param].node);
        let grad = share.map_or(f.term(grad), |share| f.term(grad) * share);
        roots.extend(add(&f, &accumulators(&f, model, param), grad));
    }
    roots.extend(statistics(&f, model, &forward));
    batch.roots = roots;

    // The ids of the host's numbers go on from those of the first half.
    let mut update = Graph { hosts: batch.hosts.clone(), ..model.graph.clone() };
    let f = Formula::new(&mut update);
    let mut roots = Vec::new();
    let mut sums = Vec::new();
    for &GradientOf { param, .. } in &grads {
        f.follow(model.params[param].node);
        let accumulators = accumulators(&f, model, param);
        sums.push(GradientOf { param, grad: accumulators[0].id });
        for old in accumulators {
            roots.push(f.op(Assign, &[old, f.number(0.0).broadcast(old.shape())]).id);
        }
    }
    roots.extend(updates(&f, model, sums));
    update.roots = roots;
    [batch, update]
}

/// The states that the gradient of a parameter is accumulated in.
fn accumulators<'f>(f: &'f Formula<'f>, model: &Model, param: usize) -> Vec<Term<'f>> {
    let shape = model.graph.shape(model.params[param].node);
    let slots = model.optimizer_slots(param).len() as u32..model.slots(param).len() as u32;
    let state = |slot| Source::State(StateId { param: ParamId::at(param), slot });
    slots.map(|slot| f.op(Leaf::f32(state(slot), shape), &[])).collect()
}

/// Adds a gradient to what is accumulated, with Kahan's compensation where there is a rest.
fn add<'f>(f: &'f Formula<'f>, accumulators: &[Term<'f>], grad: Term<'f>) -> Vec<NodeId> {
    let assign = |old: Term<'f>, new: Term<'f>| f.op(Assign, &[old, new]).id;
    match *accumulators {
        [sum, rest] => {
            let term = grad - rest;
            let new = sum + term;
            vec![assign(sum, new), assign(rest, (new - sum) - term)]
        }
        _ => accumulators.iter().map(|&sum| assign(sum, sum + grad)).collect(),
    }
}
