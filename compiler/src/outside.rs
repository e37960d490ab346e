//! Training by gradients of the outputs, which the application gives in place of a loss.

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::graph::op::{Leaf, Source};
use crate::graph::{DType, Formula, Graph, NodeId, Origin};
use crate::model::{Domain, Missing, Model, Port};

/// Makes the loss the sum over all rows of each output times a target of its shape. The gradient of
/// that by the output is the target, so the target is the gradient that the backward pass starts
/// from, and all else is the ordinary program.
///
/// # Errors
/// Outputs that are others in training than in a prediction: the application would take its
/// gradients of values that the step does not have.
pub(crate) fn take_gradients(model: &mut Model) -> Result<(), Diagnostic> {
    let differs = |id: &NodeId| {
        let node = model.graph.node(*id);
        node.op.is_mode() && node.inputs[0] != node.inputs[1]
    };
    if let Some(id) = model.graph.ids().find(differs) {
        let message = "in training this has other values than the predictions that the gradients \
                       would be of";
        let error = Diagnostic::error(Code::DiffersInTraining, model.graph.span(id), message);
        let help = "leave a `dropout` out and `freeze` a `batch_norm`, or train by a loss of the \
                    `train` section";
        return Err(error.help(help));
    }
    model.terms.clear();
    model.metrics.clear();
    model.targets.clear();
    // Those of targets are what loaded weights have.
    let graph = &model.graph;
    let of_target = |id| matches!(graph.node(id).op.source(), Some(Source::Target(_)));
    model.fits.retain(|fit| !of_target(fit.of));
    model.training.iter_mut().for_each(|training| training.balances.clear());
    let outputs: Vec<(String, NodeId)> = model.outputs.clone();
    let graph = &mut model.graph;
    let mut loss = None;
    for (name, output) in outputs {
        let port = port(graph, model.targets.len() as u32, name, output);
        let f = Formula::new(graph);
        let share = (f.term(output) * f.term(port.node)).sum();
        loss = Some(loss.map_or(share.id, |loss| (f.term(loss) + share).id));
        model.targets.push(port);
    }
    model.loss = loss;
    model.set_roots();
    Ok(())
}

/// The target that is the gradient of an output.
fn port(graph: &mut Graph, index: u32, output: String, node: NodeId) -> Port {
    let name = format!("the gradient of {output}");
    graph.enter(Origin { name: name.clone(), span: Span::default() });
    let (shape, dtype) = (graph.shape(node), DType::F32);
    let leaf = Leaf { source: Source::Target(index), shape, dtype };
    let (missing, from) = (Missing::Refused, Vec::new());
    Port { name, shape, dtype, domain: Domain::Any, missing, from, node: graph.add(leaf, &[]) }
}
