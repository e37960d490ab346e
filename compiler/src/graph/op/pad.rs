//! Each row among zeros, the gradient of a part of it.

use super::concat::rows;
use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Slice, Traits};
use super::{float_shapes, row_length};
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel, Piece};

/// Each row among zeros: torch.nn.functional.pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pad {
    /// The shape of the result.
    pub shape: Shape,
    /// How many zeros stand before the row.
    pub from: usize,
    /// The length of the row.
    pub width: usize,
}

impl Pad {
    /// How many zeros stand behind the row.
    fn behind(&self) -> usize {
        self.shape.last().unwrap_or(1) - self.from - self.width
    }
}

impl Operator for Pad {
    fn text(&self) -> String {
        format!("pad from={}", self.from)
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        let (width, own) = (row_length(&x)?, row_length(&self.shape)?);
        let within = self.from.checked_add(width).is_some_and(|end| end <= own);
        if !within || width != self.width || x.without_last() != self.shape.without_last() {
            return Err(ShapeError(format!("{x} is no part of {}", self.shape)));
        }
        Ok(Type::f32(self.shape))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let shape = g.shape(g.node(node).inputs[0]);
        let f = Formula::new(g);
        Some(f.op(Slice { shape, from: self.from }, &[f.term(dy)]).id)
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let padded = |row: &[f64]| [&vec![0.0; self.from], row, &vec![0.0; self.behind()]].concat();
        Tensor { shape: self.shape, data: inputs[0].rows().flat_map(padded).collect() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let sample = |x: Shape, from, behind: usize| {
            let width = x.last().expect("it has rows");
            let shape = x.with_last(from + width + behind).expect("it is small");
            Sample {
                op: Pad { shape, from, width }.into(),
                inputs: vec![Operand::f32(x, -1.0, 1.0)],
            }
        };
        vec![
            sample(Shape::batched(&[5]), 2, 0),
            sample(Shape::batched(&[2, 17]), 0, 20),
            sample(Shape::fixed(&[3, 1]), 1, 2),
        ]
    }
}

impl Anchor for Pad {
    fn kernel(&self, parts: Parts) -> Kernel {
        let zeros = |len: usize| Piece { x: None, from: 0, len: len as u64 };
        let row = Piece { x: Some(parts.input(0)), from: 0, len: self.width as u64 };
        let mut pieces = vec![zeros(self.from), row, zeros(self.behind())];
        pieces.retain(|piece| piece.len > 0);
        Kernel::Splice(program::Splice { groups: rows(&self.shape), pieces, y: parts.result() })
    }
}
