//! Sums of rows by their indices.

use super::{
    Anchor, Binding, Computed, Gather, Operand, Operator, Parts, Sample, Traits, Write, call,
    elements, float_shapes, row_length,
};
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// The sum of the rows that have the same index, for each index: the gradient of a table by what
/// was looked up in it.
///
/// Operands: rows [.., D], and the index of each, integers [..] of a port with up to `rows` values.
/// Result: [`rows`, D].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScatterAdd {
    /// How many indices there are.
    pub rows: usize,
}

impl Operator for ScatterAdd {
    fn text(&self) -> String {
        format!("scatter_add rows={}", self.rows)
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x, index] = inputs else {
            return Err(ShapeError(format!("it takes 2 operands, not {}", inputs.len())));
        };
        let [shape] = float_shapes::<1>(&[*x])?;
        let cols = row_length(&shape)?;
        if *index != Type::i32(shape.without_last()) {
            let rows = shape.without_last();
            return Err(ShapeError(format!("for {x} the indices are i32{rows}, not {index}")));
        }
        Shape::new(false, &[self.rows, cols]).map(Type::f32)
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let index = g.node(node).inputs[1];
        let f = Formula::new(g);
        (input == 0).then(|| f.op(Gather, &[f.term(dy), f.term(index)]).id)
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let [x, index] = inputs else { unreachable!("it has 2 operands") };
        let cols = x.shape.last().expect("it has rows");
        let mut y = Tensor::from_fn(Shape::fixed(&[self.rows, cols]), batch, |_| 0.0);
        for (row, &index) in x.rows().zip(&index.data) {
            let sums = &mut y.data[index as usize * cols..];
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        y
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn formula(&self, count: usize, operand: Write<'_>) -> (String, Binding) {
        call("scatter_add", count, operand)
    }

    fn flops(&self, inputs: &[Shape], _: &Shape, batch: u64) -> u64 {
        elements(&inputs[0], batch)
    }

    fn samples() -> Vec<Sample> {
        let sample = |rows, cols: usize, index: Shape| {
            let x = Shape::new(true, &[&*index.dims(), &[cols]].concat()).expect("it is small");
            let inputs = vec![Operand::f32(x, -1.0, 1.0), Operand::classes(index, rows)];
            Sample { op: ScatterAdd { rows }.into(), inputs }
        };
        vec![
            sample(5, 3, Shape::batched(&[])),
            sample(7, 17, Shape::batched(&[2])),
            sample(3, 256, Shape::batched(&[2, 3])),
            sample(1, 1, Shape::batched(&[1])),
        ]
    }
}

impl Anchor for ScatterAdd {
    fn kernel(&self, parts: Parts) -> Kernel {
        let [x, index] = [0, 1].map(|i| parts.input(i));
        Kernel::ScatterAdd(program::ScatterAdd { x, index, y: parts.result() })
    }
}
