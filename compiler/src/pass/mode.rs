//! What differs between training and the rest.

use crate::graph::{Graph, NodeId};

/// Makes a graph that of a step of training: whatever reads a [`Mode`](crate::graph::op::Mode)
/// reads its first operand instead. Says what stands for each node.
pub fn in_training(graph: &mut Graph) -> Vec<NodeId> {
    let mut stands: Vec<NodeId> = graph.ids().collect();
    for index in 0..graph.nodes.len() {
        let node = &mut graph.nodes[index];
        node.inputs.iter_mut().for_each(|input| *input = stands[input.index()]);
        if node.op.is_mode() {
            stands[index] = node.inputs[0];
        }
    }
    graph.roots.iter_mut().for_each(|root| *root = stands[root.index()]);
    stands
}
