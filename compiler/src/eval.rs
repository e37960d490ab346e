//! The oracle, a reference evaluator: every operator in scalar 64-bit arithmetic.
//!
//! It folds constants and is what the kernels and the gradients are tested against; nothing that
//! is fast runs here.

use crate::graph::op::{Leaf, Op, Random, Source};
use crate::graph::{Graph, Tensor};

/// The values of all nodes, for leaves whose values a function gives; constants are known.
pub fn evaluate(graph: &Graph, leaves: impl Fn(&Leaf) -> Tensor, batch: usize) -> Vec<Tensor> {
    let mut values: Vec<Tensor> = Vec::with_capacity(graph.nodes.len());
    for id in graph.ids() {
        let node = graph.node(id);
        let outside = node.op.leaf().filter(|leaf| !matches!(leaf.source, Source::Const(_)));
        let inputs: Vec<&Tensor> = node.inputs.iter().map(|id| &values[id.index()]).collect();
        let value = outside.map_or_else(|| node.op.eval(&inputs, batch), &leaves);
        assert_eq!(value.shape, node.shape, "{id} ({}) has another shape", node.op);
        assert_eq!(Some(value.data.len()), node.shape.elements(batch), "{id} ({})", node.op);
        values.push(value);
    }
    values
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
