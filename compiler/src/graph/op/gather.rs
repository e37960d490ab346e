//! Rows of a table by their indices.

use super::{
    Anchor, Binding, Computed, Operand, Operator, Parts, Sample, ScatterAdd, Traits, Write,
};
use crate::graph::{DType, Formula, Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// The row of a table that each index names: torch.nn.functional.embedding.
///
/// Operands: the table [V, D], and indices, integers [..] of a port with up to V values. Result:
/// [.., D].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gather;

impl Operator for Gather {
    fn text(&self) -> String {
        "gather".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [table, index] = inputs else {
            return Err(ShapeError(format!("it takes 2 operands, not {}", inputs.len())));
        };
        let dims = table.shape.dims();
        let (&[_, cols], DType::F32, false) = (&*dims, table.dtype, table.shape.batch()) else {
            return Err(ShapeError(format!("the table is a matrix of floats, not {table}")));
        };
        if index.dtype != DType::I32 {
            return Err(ShapeError(format!("the indices are integers, not {index}")));
        }
        Shape::new(index.shape.batch(), &[&*index.shape.dims(), &[cols]].concat()).map(Type::f32)
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let [table, index] = g.node(node).inputs[..] else { unreachable!("it has 2 operands") };
        let rows = g.shape(table).dims()[0];
        let f = Formula::new(g);
        (input == 0).then(|| f.op(ScatterAdd { rows }, &[f.term(dy), f.term(index)]).id)
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let [table, index] = inputs else { unreachable!("it has 2 operands") };
        let rows: Vec<&[f64]> = table.rows().collect();
        let types = [Type::f32(table.shape), Type::i32(index.shape)];
        let shape = self.infer(&types).expect("the operands fit").shape;
        let cols = shape.last().expect("it has rows");
        let element = |i: usize| rows[index.data[i / cols] as usize][i % cols];
        Tensor::from_fn(shape, batch, element)
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn formula(&self, _: usize, operand: Write<'_>) -> (String, Binding) {
        let [table, index] = [(0, Binding::Call), (1, Binding::Sum)].map(|(i, b)| operand(i, b));
        (format!("{table}[{index}]"), Binding::Call)
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let sample = |rows, cols, index| Sample {
            op: Gather.into(),
            inputs: vec![
                Operand::f32(Shape::fixed(&[rows, cols]), -1.0, 1.0),
                Operand::classes(index, rows),
            ],
        };
        vec![
            sample(5, 3, Shape::batched(&[])),
            sample(7, 17, Shape::batched(&[2])),
            sample(3, 256, Shape::batched(&[2, 3])),
            sample(1, 1, Shape::batched(&[1])),
        ]
    }
}

impl Anchor for Gather {
    fn kernel(&self, parts: Parts) -> Kernel {
        let [table, index] = [0, 1].map(|i| parts.input(i));
        Kernel::Gather(program::Gather { table, index, y: parts.result() })
    }
}
