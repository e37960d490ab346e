//! The oracle, a reference evaluator: every operator in scalar 64-bit arithmetic.
//!
//! It folds constants and is what the kernels and the gradients are tested against; nothing that
//! is fast runs here.

use crate::graph::op::{Leaf, Op, Random, Source};
use crate::graph::{Graph, Node, NodeId, Tensor};
use std::collections::HashMap;

/// The values of all nodes, for leaves whose values a function gives; constants are known.
pub fn evaluate(graph: &Graph, leaves: impl Fn(&Leaf) -> Tensor, batch: usize) -> Vec<Tensor> {
    let mut values: Vec<Tensor> = Vec::with_capacity(graph.nodes.len());
    for id in graph.ids() {
        let value = of_node(graph, id, |id| &values[id.index()], &leaves, batch);
        values.push(value);
    }
    values
}

/// The value of one node as in a prediction, with no more computed than that takes. Nothing where
/// it depends on a node that is to be left out.
pub fn evaluate_one(
    graph: &Graph,
    wanted: NodeId,
    leaves: impl Fn(&Leaf) -> Tensor,
    batch: usize,
    is_left_out: impl Fn(&Node) -> bool,
) -> Option<Tensor> {
    let mut needed = vec![false; wanted.index() + 1];
    needed[wanted.index()] = true;
    let ids: Vec<NodeId> = graph.ids().take(needed.len()).collect();
    for id in ids.iter().rev() {
        if needed[id.index()] {
            let node = graph.node(*id);
            if is_left_out(node) {
                return None;
            }
            node.predicts_from().iter().for_each(|input| needed[input.index()] = true);
        }
    }
    let mut values: HashMap<NodeId, Tensor> = HashMap::new();
    for id in ids.into_iter().filter(|id| needed[id.index()]) {
        // What is for training alone has no value, and any other stands for it.
        let other = *graph.node(id).predicts_from().last().unwrap_or(&id);
        let known = |id: NodeId| values.get(&id).unwrap_or_else(|| &values[&other]);
        let value = of_node(graph, id, known, &leaves, batch);
        values.insert(id, value);
    }
    values.remove(&wanted)
}

fn of_node<'v>(
    graph: &Graph,
    id: NodeId,
    values: impl Fn(NodeId) -> &'v Tensor,
    leaves: impl Fn(&Leaf) -> Tensor,
    batch: usize,
) -> Tensor {
    let node = graph.node(id);
    let outside = node.op.leaf().filter(|leaf| !matches!(leaf.source, Source::Const(_)));
    let inputs: Vec<&Tensor> = node.inputs.iter().map(|id| values(*id)).collect();
    let value = outside.map_or_else(|| node.op.eval(&inputs, batch), &leaves);
    assert_eq!(value.shape, node.shape, "{id} ({}) has another shape", node.op);
    assert_eq!(Some(value.data.len()), node.shape.elements(batch), "{id} ({})", node.op);
    value
}

/// Makes the random numbers of a graph, which the oracle cannot draw, inputs from `first` on, and
/// says what they were.
pub fn draw_outside(graph: &mut Graph, first: usize) -> Vec<Random> {
    let mut drawn = Vec::new();
    for node in &mut graph.nodes {
        if let Op::Random(random) = node.op {
            let source = Source::Input((first + drawn.len()) as u32);
            node.op = Leaf::f32(source, random.shape).into();
            drawn.push(random);
        }
    }
    drawn
}
