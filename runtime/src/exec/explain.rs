//! Looks into one element of a step: which instruction made it NaN or infinite.
//!
//! A step computes several statements in one and stores only some of their values. The element is
//! computed again from the operands of the step, by the definition of its kernel. The order of long
//! sums is not that of the kernel, so a sum that overflows only just may be missed.

use super::Executor;
use crate::kernel::lanes::compute_one;
use crate::program::lines::Part;
use crate::program::{
    BufferId, ColumnSum, DType, Expr, Gemm, Kernel, Load, Opcode, Reduce, Span, Spread, Value,
};

/// An instruction with its bad value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Culprit {
    pub(super) part: Part,
    pub(super) instr: u16,
    pub(super) value: f32,
    /// What it computes, of which operands.
    pub(super) operation: Operation,
    /// The row of the batch.
    pub(super) row: Option<u64>,
}

/// An operation and its operands; those beyond its arity are any numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    /// What it computes.
    pub op: Opcode,
    /// Of which operands.
    pub args: [f32; 3],
}

/// The values of an expression at one element.
struct Element<'e> {
    executor: &'e Executor,
    expr: &'e Expr,
    part: Part,
    /// The result of the kernel that the expression follows.
    result: f32,
    row: u64,
    col: u64,
    /// The values of the instructions.
    values: Vec<f32>,
}

impl<'e> Element<'e> {
    fn new(
        executor: &'e Executor,
        expr: &'e Expr,
        part: Part,
        result: f32,
        (row, col): (u64, u64),
    ) -> Element<'e> {
        let values = Vec::with_capacity(expr.code.len());
        let mut element = Element { executor, expr, part, result, row, col, values };
        for instr in &expr.code {
            let args = instr.args.map(|arg| element.value(arg));
            element.values.push(compute_one(instr.op, args));
        }
        element
    }

    fn value(&self, value: Value) -> f32 {
        match value {
            Value::Result => self.result,
            Value::Const(i) => self.expr.consts[usize::from(i)],
            Value::Instr(i) => self.values[usize::from(i)],
            Value::Load(i) => {
                let Load { buffer, spread } = self.expr.loads[usize::from(i)];
                let (row, col) = match spread {
                    Spread::Full => (self.row, self.col),
                    Spread::Row => (0, self.col),
                    Spread::Column => (self.row, 0),
                    Spread::Scalar => (0, 0),
                };
                self.executor.element(buffer, row, col)
            }
        }
    }

    fn is_bad(&self, value: Value) -> bool {
        !self.value(value).is_finite()
    }

    /// Goes back from a value to the instruction that made it bad of sound operands; `None` where
    /// the value is sound, or the kernel's own result was bad.
    fn culprit(&self, mut value: Value) -> Option<Culprit> {
        let mut culprit = None;
        while let Value::Instr(instr) = value
            && self.is_bad(value)
        {
            let (part, bad, index) = (self.part, self.value(value), instr);
            let instr = &self.expr.code[usize::from(instr)];
            let operation = Operation { op: instr.op, args: instr.args.map(|arg| self.value(arg)) };
            culprit = Some(Culprit { part, instr: index, value: bad, operation, row: None });
            let mut args = instr.args[..instr.op.arity()].iter();
            let Some(&arg) = args.find(|&&arg| self.is_bad(arg)) else { break };
            value = arg;
        }
        culprit.filter(|_| value != Value::Result)
    }

    /// The culprit of what is stored in a buffer.
    fn stored(&self, buffer: BufferId) -> Option<Culprit> {
        let (value, _) = self.expr.stores.iter().find(|&&(_, id)| id == buffer)?;
        self.culprit(*value)
    }
}

impl Executor {
    /// The instruction that makes an element of a stored buffer bad, by the arena as it is before
    /// the step; `None` where that is the kernel's own result.
    pub(super) fn culprit(
        &self,
        kernel: &Kernel,
        stored: BufferId,
        rows: usize,
        at: (u64, u64),
    ) -> Option<Culprit> {
        let element = |expr, part, result| {
            let culprit = Element::new(self, expr, part, result, at).stored(stored)?;
            Some(Culprit { row: self.row_of_batch(stored, at.0), ..culprit })
        };
        match kernel {
            Kernel::Map(expr) => element(expr, Part::Tail, 0.0),
            Kernel::Gemm(gemm) => match &gemm.column_sums {
                Some(sums) if sums.stores.iter().any(|&(_, id)| id == stored) => {
                    element(sums, Part::ColumnSums, self.column_sum(gemm.b, rows, at.1))
                }
                _ => element(&gemm.tail, Part::Tail, self.product(gemm, rows, at)?),
            },
            Kernel::ColumnSum(ColumnSum { x, tail }) => {
                element(tail, Part::Tail, self.column_sum(*x, rows, at.1))
            }
            Kernel::Reduce(reduce) => match self.sum(reduce, rows, at.0) {
                Ok(sum) => element(&reduce.tail, Part::Tail, sum),
                Err(culprit) => Some(culprit),
            },
            _ => None, // it has no expression
        }
    }

    fn element(&self, id: BufferId, row: u64, col: u64) -> f32 {
        let (offset, layout) = self.buffer(id);
        let at = offset + layout.position(row, col);
        self.arena.floats(at, at + 1)[0]
    }

    /// The row of the batch that a row of a buffer belongs to, where it has the batch.
    pub(super) fn row_of_batch(&self, id: BufferId, row: u64) -> Option<u64> {
        let (rows, _) = self.buffer(id).1.shape();
        rows.batched.then(|| row / rows.count.max(1))
    }

    /// The rows and columns of a buffer.
    fn size(&self, id: BufferId, rows: usize) -> (u64, u64) {
        self.buffer(id).1.size(rows as u64).expect("a verified layout has a size")
    }

    /// One element of a product; `None` where an operand is no float.
    fn product(&self, gemm: &Gemm, rows: usize, (row, col): (u64, u64)) -> Option<f32> {
        if self.program().buffers[gemm.b.0 as usize].dtype != DType::F32 {
            return None;
        }
        let (a_rows, a_cols) = self.size(gemm.a, rows);
        let inner = if gemm.a_transposed { a_rows } else { a_cols };
        let start = gemm.bias.map_or(0.0, |bias| self.element(bias, 0, col));
        Some((0..inner).fold(start, |sum, k| {
            let a = if gemm.a_transposed { (k, row) } else { (row, k) };
            let b = if gemm.b_transposed { (col, k) } else { (k, col) };
            let (a, b) = (self.element(gemm.a, a.0, a.1), self.element(gemm.b, b.0, b.1));
            a.mul_add(b, sum)
        }))
    }

    fn column_sum(&self, x: BufferId, rows: usize, col: u64) -> f32 {
        (0..self.size(x, rows).0).map(|row| self.element(x, row, col)).sum()
    }

    /// A sum, or the culprit of its first bad term.
    fn sum(&self, reduce: &Reduce, rows: usize, row: u64) -> Result<f32, Culprit> {
        let body = &reduce.body;
        let term = match body.code.len().checked_sub(1) {
            Some(last) => Value::Instr(last as u16),
            None => Value::Load(0),
        };
        let (count, cols) = self.size(reduce.over, rows);
        let summed = match reduce.span {
            Span::Row => row..row + 1,
            Span::All => 0..count,
        };
        let mut sum = 0.0;
        for at in summed.flat_map(|row| (0..cols).map(move |col| (row, col))) {
            let element = Element::new(self, body, Part::Body, 0.0, at);
            if let Some(culprit) = element.culprit(term) {
                return Err(Culprit { row: self.row_of_batch(reduce.over, at.0), ..culprit });
            }
            sum += element.value(term);
        }
        Ok(sum)
    }
}
