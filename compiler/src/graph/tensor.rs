//! Values of nodes in 64 bits, for the reference evaluator.

use super::Shape;

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
