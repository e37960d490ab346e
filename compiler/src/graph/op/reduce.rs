//! Sums.

use super::{Admits, Anchor, Computed, Operand, Operator, Parts, Sample, Traits};
use super::{elements, float_shapes, row_length};
use crate::graph::{Formula, Graph, MAX_INPUTS, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel, Spread};

/// The sum over some dimensions; over the batch, of the rows really present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// What is summed.
    pub axis: Axis,
}

/// The dimensions of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// The last, which stays with size 1: `[N, 4, 3]` to `[N, 4, 1]`.
    Last,
    /// All but the last: `[N, 4, 3]` to `[3]`.
    Rows,
    /// All: `[N, 4, 3]` to `[]`.
    All,
}

impl Operator for Reduce {
    fn text(&self) -> String {
        let name = match self.axis {
            Axis::Last => "sum_last",
            Axis::Rows => "sum_rows",
            Axis::All => "sum",
        };
        name.into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        let shape = match self.axis {
            Axis::Last => {
                row_length(&x)?;
                x.with_last(1)?
            }
            Axis::Rows => Shape::new(false, &[row_length(&x)?])?,
            Axis::All => Shape::SCALAR,
        };
        Ok(Type::f32(shape))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let x = g.shape(g.node(node).inputs[0]);
        Some(Formula::new(g).term(dy).broadcast(x).id)
    }

    fn growth(&self, inputs: &[i32], adds_rows: bool) -> Option<i32> {
        Some(inputs[0] + i32::from(adds_rows))
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let x = inputs[0];
        match self.axis {
            Axis::All => Tensor::scalar(x.data.iter().sum()),
            Axis::Last => {
                let data = x.rows().map(|row| row.iter().sum()).collect();
                Tensor { shape: x.shape.with_last(1).expect("smaller than x"), data }
            }
            Axis::Rows => {
                let row = x.shape.last().expect("x has rows");
                let sum = |i| x.rows().map(|row| row[i]).sum();
                Tensor::from_fn(Shape::fixed(&[row]), batch, sum)
            }
        }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        let inputs = [self.axis != Axis::Last; MAX_INPUTS];
        Traits { columns: Admits { result: false, inputs }, ..Traits::ROWS }
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        g.graph.shape(inputs[0]).is_scalar().then_some(inputs[0])
    }

    fn flops(&self, inputs: &[Shape], _: &Shape, batch: u64) -> u64 {
        elements(&inputs[0], batch)
    }

    fn samples() -> Vec<Sample> {
        let sample = |axis, shape| Sample {
            op: Reduce { axis }.into(),
            inputs: vec![Operand::f32(shape, -1.0, 1.0)],
        };
        vec![
            sample(Axis::Last, Shape::batched(&[17])),
            sample(Axis::Last, Shape::batched(&[2, 3])),
            sample(Axis::Rows, Shape::batched(&[17])),
            sample(Axis::Rows, Shape::batched(&[2, 3])),
            sample(Axis::All, Shape::batched(&[17])),
            sample(Axis::All, Shape::batched(&[])),
            sample(Axis::All, Shape::fixed(&[3, 4])),
        ]
    }
}

impl Anchor for Reduce {
    fn kernel(&self, parts: Parts) -> Kernel {
        let span = match self.axis {
            Axis::Rows => {
                let x = parts.input(0);
                return Kernel::ColumnSum(program::ColumnSum { x, tail: parts.tail });
            }
            Axis::Last => program::Span::Row,
            Axis::All => program::Span::All,
        };
        let Parts { body, tail, .. } = parts;
        // The kernel takes the shape of the sum from a buffer that fills it; where the body reads
        // single numbers alone, each of them does.
        let full = body.loads.iter().find(|load| load.spread == Spread::Full);
        let over = full.or(body.loads.first()).expect("a sum of constants is folded").buffer;
        Kernel::Reduce(program::Reduce { body, over, span, tail })
    }

    fn takes_tail(&self) -> bool {
        true
    }

    fn takes_body(&self) -> bool {
        self.axis != Axis::Rows
    }
}
