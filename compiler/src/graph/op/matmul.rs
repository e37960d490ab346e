//! The matrix product.

use super::{Admits, Anchor, Axis, Binding, Computed, Op, Operand, Operator, Parts, Reduce};
use super::{Sample, Traits, Write, elements, float_shapes, row_length};
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// The product of matrices; of a value with more dimensions, all but the last are its rows.
///
/// - `a b`, `a` [.., K] and `b` [K, M]: [.., M]
/// - `a bᵀ`, `a` [.., K] and `b` [M, K]: [.., M]
/// - `aᵀ b`, `a` [.., K] and `b` [.., M] of the same rows, the batch included: [K, M]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatMul {
    /// The first operand is transposed.
    pub transpose_a: bool,
    /// The second operand is transposed.
    pub transpose_b: bool,
}

impl Operator for MatMul {
    fn text(&self) -> String {
        let suffix = match (self.transpose_a, self.transpose_b) {
            (false, false) => "",
            (true, false) => "_tn",
            (false, true) => "_nt",
            (true, true) => "_tt",
        };
        format!("matmul{suffix}")
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [a, b] = float_shapes::<2>(inputs)?;
        let (k, m) = (row_length(&a)?, row_length(&b)?);
        if self.transpose_a {
            if self.transpose_b {
                return Err(ShapeError("a product transposes one operand at most".into()));
            }
            if a.without_last() != b.without_last() {
                return Err(ShapeError(format!("the rows of {a} and {b} differ")));
            }
            return Ok(Type::f32(Shape::new(false, &[k, m])?));
        }
        if b.batch() {
            return Err(ShapeError(format!("the right side {b} may not have the batch N")));
        }
        let [rows, cols] = *b.dims() else {
            return Err(ShapeError(format!("the right side is a matrix, not {b}")));
        };
        let (inner, cols) = if self.transpose_b { (cols, rows) } else { (rows, cols) };
        if k != inner {
            let message = format!("{a} has rows of {k}, but {b} multiplies rows of {inner}");
            return Err(ShapeError(message));
        }
        Ok(Type::f32(a.with_last(cols)?))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let [a, b] = g.node(node).inputs[..] else { unreachable!("a product has two operands") };
        let f = Formula::new(g);
        let (a, b, dy) = (f.term(a), f.term(b), f.term(dy));
        let grad = match (self.transpose_a, self.transpose_b, input) {
            (false, false, 0) => dy.matmul_transposed(b), // da = dy bᵀ
            (false, false, _) => a.transposed_matmul(dy), // db = aᵀ dy
            (false, true, 0) => dy.matmul(b),             // da = dy b
            (false, true, _) => dy.transposed_matmul(a),  // db = dyᵀ a
            (true, _, 0) => b.matmul_transposed(dy),      // da = b dyᵀ
            (true, _, _) => a.matmul(dy),                 // db = a dy
        };
        Some(grad.id)
    }

    fn growth(&self, inputs: &[i32], adds_rows: bool) -> Option<i32> {
        Some(inputs[0] + inputs[1] + i32::from(adds_rows))
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let [a, b] = inputs else { unreachable!("a product has two operands") };
        let types = [Type::f32(a.shape), Type::f32(b.shape)];
        let shape = self.infer(&types).expect("the operands of a product fit").shape;
        let (a_cols, b_cols) = (a.shape.last().unwrap(), b.shape.last().unwrap());
        let inner = if self.transpose_a { a.shape.rows(batch) } else { a_cols };
        let cols = shape.last().unwrap();
        Tensor::from_fn(shape, batch, |at| {
            let (i, j) = (at / cols, at % cols);
            let a_at = |k| if self.transpose_a { k * a_cols + i } else { i * a_cols + k };
            let b_at = |k| if self.transpose_b { j * b_cols + k } else { k * b_cols + j };
            (0..inner).map(|k| a.data[a_at(k)] * b.data[b_at(k)]).sum()
        })
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, inputs: &[Shape]) -> Traits {
        // The vector operand and the result; in columns the transpose is computed, from a fixed B.
        let mut panels = Admits::ALL;
        panels.inputs[0] = false;
        let result = !self.transpose_a && !inputs[1].batch();
        let columns = Admits { result, ..Admits::ALL };
        let narrow = (!self.transpose_a && !self.transpose_b).then_some(1);
        Traits { panels, columns, strided: Some(1), narrow, ..Traits::ROWS }
    }

    fn formula(&self, _: usize, operand: Write<'_>) -> (String, Binding) {
        let factor = |index, transposed| {
            format!("{}{}", operand(index, Binding::Call), if transposed { "ᵀ" } else { "" })
        };
        let (a, b) = (factor(0, self.transpose_a), factor(1, self.transpose_b));
        (format!("{a} @ {b}"), Binding::Product)
    }

    fn flops(&self, inputs: &[Shape], output: &Shape, batch: u64) -> u64 {
        // Every element of the first operand meets every column of the result once.
        let columns = output.last().map_or(1, |last| last as u64);
        elements(&inputs[0], batch).saturating_mul(2 * columns)
    }

    fn samples() -> Vec<Sample> {
        let (batched, fixed) = (Shape::batched, Shape::fixed);
        let sample = |transpose_a, transpose_b, a, b| Sample {
            op: MatMul { transpose_a, transpose_b }.into(),
            inputs: vec![Operand::f32(a, -1.0, 1.0), Operand::f32(b, -1.0, 1.0)],
        };
        vec![
            sample(false, false, batched(&[3]), fixed(&[3, 2])),
            sample(false, false, batched(&[2, 5]), fixed(&[5, 1])),
            sample(false, false, fixed(&[4]), fixed(&[4, 3])),
            sample(false, true, batched(&[3]), fixed(&[17, 3])),
            sample(true, false, batched(&[3]), batched(&[17])),
            sample(true, false, batched(&[2, 3]), batched(&[2, 4])),
        ]
    }
}

impl Anchor for MatMul {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::Gemm(program::Gemm {
            a: parts.input(0),
            a_transposed: self.transpose_a,
            b: parts.input(1),
            b_transposed: self.transpose_b,
            bias: parts.bias,
            tail: parts.tail,
            column_sums: parts.column_sums,
        })
    }

    fn takes_tail(&self) -> bool {
        true
    }

    fn takes_bias(&self) -> bool {
        true
    }

    fn column_sums(&self) -> Option<Op> {
        self.transpose_a.then(|| Reduce { axis: Axis::Rows }.into())
    }
}
