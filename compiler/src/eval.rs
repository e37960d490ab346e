//! The oracle, a reference evaluator: every operator in scalar 64-bit arithmetic.
//!
//! It folds constants and is what the kernels and the gradients are tested against; nothing that
//! is fast runs here.

use crate::graph::{Graph, Shape};
use crate::op::{Leaf, Source};

/// A value with its elements in row-major order; integers are whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The shape, whose `N` is the batch of the evaluation.
    pub shape: Shape,
    /// The elements.
    pub data: Vec<f64>,
}

impl Tensor {
    /// A single number.
    pub fn scalar(value: f64) -> Tensor {
        Tensor { shape: Shape::SCALAR, data: vec![value] }
    }

    /// A tensor whose elements are a function of their position.
    pub fn from_fn(shape: Shape, batch: usize, element: impl FnMut(usize) -> f64) -> Tensor {
        let len = shape.elements(batch).expect("the oracle is for small values");
        Tensor { shape, data: (0..len).map(element).collect() }
    }

    /// The rows along the last dimension.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.data.chunks(self.shape.last().expect("the tensor has rows"))
    }
}

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
