//! Rows side by side.

use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Slice, Traits, row_length};
use crate::graph::{DType, Formula, Graph, MAX_INPUTS, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel, Piece, Rows};

/// Rows side by side: torch.cat(dim=-1).
///
/// Operands: up to [`MAX_INPUTS`] of [.., A], [.., B] and so on. Result: [.., A + B + ..].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat {
    /// The shape of the result.
    pub shape: Shape,
    /// The length of each operand's rows; 0 where there is none.
    pub widths: [usize; MAX_INPUTS],
}

impl Concat {
    /// Puts rows of these shapes side by side, where all else of them is equal.
    pub fn of(shapes: &[Shape]) -> Result<Concat, ShapeError> {
        let mut widths = [0; MAX_INPUTS];
        for (width, shape) in widths.iter_mut().zip(shapes) {
            *width = row_length(shape)?;
            if shape.without_last() != shapes[0].without_last() {
                let message =
                    format!("{} and {shape} differ in more than their last size", shapes[0]);
                return Err(ShapeError(message));
            }
        }
        let sum = widths.iter().try_fold(0usize, |sum, &width| sum.checked_add(width));
        let shape = shapes[0].with_last(sum.unwrap_or(usize::MAX))?;
        Ok(Concat { shape, widths })
    }

    /// The rows before an operand.
    fn before(&self, input: usize) -> usize {
        self.widths[..input].iter().sum()
    }
}

impl Operator for Concat {
    fn text(&self) -> String {
        "concat".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        if let Some(ty) = inputs.iter().find(|ty| ty.dtype != DType::F32) {
            return Err(ShapeError(format!("rows side by side are of floats, not {ty}")));
        }
        let shapes: Vec<Shape> = inputs.iter().map(|ty| ty.shape).collect();
        if shapes.is_empty() || Concat::of(&shapes)? != *self {
            return Err(ShapeError(format!("these rows do not make {}", self.shape)));
        }
        Ok(Type::f32(self.shape))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let shape = g.shape(g.node(node).inputs[input]);
        let f = Formula::new(g);
        Some(f.op(Slice { shape, from: self.before(input) }, &[f.term(dy)]).id)
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let rows: Vec<Vec<&[f64]>> = inputs.iter().map(|input| input.rows().collect()).collect();
        let row = |i: usize| rows.iter().flat_map(move |rows| rows[i].iter().copied());
        let data = (0..self.shape.rows(batch)).flat_map(row).collect();
        Tensor { shape: self.shape, data }
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
        let sample = |shapes: &[Shape]| Sample {
            op: Concat::of(shapes).expect("they fit").into(),
            inputs: shapes.iter().map(|&shape| Operand::f32(shape, -1.0, 1.0)).collect(),
        };
        vec![
            sample(&[Shape::batched(&[3]), Shape::batched(&[17])]),
            sample(&[Shape::batched(&[2, 16]), Shape::batched(&[2, 1]), Shape::batched(&[2, 32])]),
            sample(&[Shape::fixed(&[2, 3]), Shape::fixed(&[2, 4])]),
        ]
    }
}

impl Anchor for Concat {
    fn kernel(&self, parts: Parts) -> Kernel {
        let present = self.widths.iter().enumerate().filter(|(_, width)| **width > 0);
        let piece = |(i, &width): (usize, &usize)| Piece {
            x: Some(parts.input(i)),
            from: 0,
            len: width as u64,
        };
        let pieces = present.map(piece).collect();
        Kernel::Splice(program::Splice { groups: rows(&self.shape), pieces, y: parts.result() })
    }
}

/// The rows of a shape.
pub(super) fn rows(shape: &Shape) -> Rows {
    Rows { count: shape.rows_per_n() as u64, batched: shape.batch() }
}
