//! Sums.

use super::{
    Admits, MAX_INPUTS, Operand, Operator, Sample, Traits, elements, float_shapes, row_length,
};
use crate::eval::Tensor;
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Type};

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

    fn traits(&self, _: &[Shape]) -> Traits {
        let inputs = [self.axis != Axis::Last; MAX_INPUTS];
        Traits { columns: Admits { result: false, inputs }, ..Traits::ROWS }
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
