//! Reverse-mode differentiation: adds the gradients to the graph.

use crate::graph::{Formula, Graph, NodeId};

/// Adds the gradients of a scalar `loss` with respect to some nodes; `None` where nothing flows.
///
/// The walk goes from the loss to the leaves once, and only through nodes that lead to `wrt`, so
/// the first layer gets no gradient of its input. A gradient has the origin of its node.
pub fn differentiate(graph: &mut Graph, loss: NodeId, wrt: &[NodeId]) -> Vec<Option<NodeId>> {
    assert!(graph.shape(loss).is_scalar(), "only a single number has a gradient");
    let leads = leads_to(graph, loss, wrt);
    let mut grads: Vec<Option<NodeId>> = vec![None; leads.len()];
    let before = graph.current;
    graph.current = graph.node(loss).origin;
    grads[loss.index()] = Some(graph.constant(1.0));

    for id in (0..=loss.0).rev().map(NodeId).filter(|id| leads[id.index()]) {
        let Some(dy) = grads[id.index()] else { continue };
        graph.current = graph.node(id).origin;
        let op = graph.node(id).op;
        for i in 0..graph.node(id).inputs.len() {
            let input = graph.node(id).inputs[i];
            if !leads[input.index()] {
                continue;
            }
            let Some(contribution) = op.grad(graph, id, dy, i) else { continue };
            let sum = grads[input.index()];
            grads[input.index()] = Some(sum.map_or(contribution, |sum| {
                let f = Formula::new(graph);
                (f.term(sum) + f.term(contribution)).id
            }));
        }
    }
    graph.current = before;
    wrt.iter().map(|id| grads.get(id.index()).copied().flatten()).collect()
}

/// Whether each node up to the loss depends on one of `wrt`.
fn leads_to(graph: &Graph, loss: NodeId, wrt: &[NodeId]) -> Vec<bool> {
    let mut leads = vec![false; loss.index() + 1];
    for id in wrt.iter().filter(|id| **id <= loss) {
        leads[id.index()] = true;
    }
    for i in 0..leads.len() {
        leads[i] |= graph.nodes[i].inputs.iter().any(|input| leads[input.index()]);
    }
    leads
}
