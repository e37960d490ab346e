//! A part of each row.

use super::concat::rows;
use super::{Anchor, Computed, Op, Operand, Operator, Pad, Parts, Sample, Traits};
use super::{float_shapes, row_length};
use crate::graph::{Formula, Graph, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel, Piece};

/// A part of each row: x[..., from : from + its length] of PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The shape of the result.
    pub shape: Shape,
    /// The first element.
    pub from: usize,
}

impl Slice {
    fn width(&self) -> usize {
        self.shape.last().unwrap_or(1)
    }
}

impl Operator for Slice {
    fn text(&self) -> String {
        format!("slice from={}", self.from)
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        let (width, own) = (row_length(&x)?, row_length(&self.shape)?);
        let within = self.from.checked_add(own).is_some_and(|end| end <= width);
        if !within || x.without_last() != self.shape.without_last() {
            return Err(ShapeError(format!("{} is no part of {x}", self.shape)));
        }
        Ok(Type::f32(self.shape))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let shape = g.shape(g.node(node).inputs[0]);
        let f = Formula::new(g);
        Some(f.op(Pad { shape, from: self.from, width: self.width() }, &[f.term(dy)]).id)
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let part = |row: &[f64]| row[self.from..][..self.width()].to_vec();
        Tensor { shape: self.shape, data: inputs[0].rows().flat_map(part).collect() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        if g.graph.shape(inputs[0]) == self.shape {
            return Some(inputs[0]);
        }
        let node = g.graph.node(inputs[0]);
        if let (Op::Slice(outer), &[x]) = (node.op, &node.inputs[..]) {
            return Some(g.add(Slice { shape: self.shape, from: outer.from + self.from }, &[x]));
        }
        let number = g.spread_number(inputs[0])?;
        Some(g.spread(number, self.shape))
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let sample = |x: Shape, from, width| Sample {
            op: Slice { shape: x.with_last(width).expect("it is small"), from }.into(),
            inputs: vec![Operand::f32(x, -1.0, 1.0)],
        };
        vec![
            sample(Shape::batched(&[5]), 2, 3),
            sample(Shape::batched(&[2, 40]), 16, 17),
            sample(Shape::fixed(&[3, 4]), 0, 1),
            sample(Shape::fixed(&[4]), 3, 1),
        ]
    }
}

impl Anchor for Slice {
    fn kernel(&self, parts: Parts) -> Kernel {
        let piece =
            Piece { x: Some(parts.input(0)), from: self.from as u64, len: self.width() as u64 };
        let (groups, pieces) = (rows(&self.shape), vec![piece]);
        Kernel::Splice(program::Splice { groups, pieces, y: parts.result() })
    }
}
