//! The positions along a row.

use super::{Anchor, Binding, Computed, Operator, Parts, Sample, Traits, Write};
use crate::graph::{Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// 0, 1, 2 and so on: the positions along a row.
///
/// The result has the shape `[cols]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Iota {
    /// How many.
    pub cols: usize,
}

impl Operator for Iota {
    fn text(&self) -> String {
        "iota".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        if !inputs.is_empty() {
            return Err(ShapeError("positions have no operands".into()));
        }
        Shape::new(false, &[self.cols]).map(Type::f32)
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        None
    }

    fn eval(&self, _: &[&Tensor], batch: usize) -> Tensor {
        Tensor::from_fn(Shape::fixed(&[self.cols]), batch, |i| i as f64)
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn formula(&self, _: usize, _: Write<'_>) -> (String, Binding) {
        (format!("(0..{})", self.cols), Binding::Call)
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        [1, 17].map(|cols| Sample { op: Iota { cols }.into(), inputs: vec![] }).into()
    }
}

impl Anchor for Iota {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::Whole(program::Whole { index: None, y: parts.result() })
    }
}
