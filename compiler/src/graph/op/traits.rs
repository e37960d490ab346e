//! What the passes ask of an operator: what computes it, and how its result and operands may lie in
//! memory.

use super::Op;
use crate::graph::MAX_INPUTS;
use arenet_program::{BufferId, Expr, Kernel, Opcode};

/// What computes an operator in a program.
#[derive(Clone, Copy)]
pub enum Computed<'a> {
    /// Nothing: its value is in the arena before a step, or a constant.
    Given,
    /// Nothing, where its readers can read its operand by strides; else a kernel that copies.
    Spread,
    /// An instruction of an expression, which other elementwise operators join.
    Instr(Opcode),
    /// A store of an expression, over the first operand.
    Store,
    /// A kernel of its own.
    Kernel(&'a dyn Anchor),
    /// Other operators: `simplify` writes it out.
    WrittenOut,
}

/// An operator that has a kernel of its own, which may compute other operators around it as well.
pub trait Anchor {
    /// The kernel that computes these parts.
    fn kernel(&self, parts: Parts) -> Kernel;

    /// Whether elementwise operators may follow on its result.
    fn takes_tail(&self) -> bool {
        false
    }

    /// Whether elementwise operators may come before it, on its one operand.
    fn takes_body(&self) -> bool {
        false
    }

    /// Whether a row that is added to its result may be where its sums start.
    fn takes_bias(&self) -> bool {
        false
    }

    /// The operator that sums columns of the second operand, where the kernel can do that as well.
    fn column_sums(&self) -> Option<Op> {
        None
    }

    /// The operator of the same first operands whose kernel can compute this one as well.
    fn joins(&self) -> Option<Op> {
        None
    }

    /// The operand that may be one number for all rows, read in place.
    fn number(&self) -> Option<usize> {
        None
    }
}

/// What the kernel of an anchor reads, computes and writes.
#[derive(Debug, Default)]
pub struct Parts {
    /// The buffer of each operand; none where the body computes it.
    pub inputs: [Option<BufferId>; MAX_INPUTS],
    /// The elementwise operators before it.
    pub body: Expr,
    /// The row that is added to its result.
    pub bias: Option<BufferId>,
    /// Where its own result is kept.
    pub result: Option<BufferId>,
    /// The elementwise operators on its result, with the stores of all that is kept.
    pub tail: Expr,
    /// Those on the sums of columns.
    pub column_sums: Option<Expr>,
    /// The result of the operator that [joins](Anchor::joins) it, and the last operand of that.
    pub joined: Option<(BufferId, BufferId)>,
}

impl Parts {
    /// The buffer of an operand.
    pub fn input(&self, index: usize) -> BufferId {
        self.inputs[index].expect("an operand that is read has been kept")
    }

    /// The buffer of the result.
    pub fn result(&self) -> BufferId {
        self.result.expect("what a kernel computes for others is kept")
    }
}

/// How the operands and the result of an operator may lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// How many operands, from the first, lie as the result does.
    pub alike: usize,
    /// What may lie in panels.
    pub panels: Admits,
    /// What may lie in columns.
    pub columns: Admits,
    /// The operand that is read by strides where the result lies in columns; several panels have
    /// none.
    pub strided: Option<usize>,
    /// The operand that may be a weight of fewer bits.
    pub narrow: Option<usize>,
}

/// What may lie in some layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admits {
    /// The result.
    pub result: bool,
    /// Each operand.
    pub inputs: [bool; MAX_INPUTS],
}

impl Admits {
    /// All of it.
    pub const ALL: Admits = Admits { result: true, inputs: [true; MAX_INPUTS] };
    /// Nothing.
    pub const NONE: Admits = Admits { result: false, inputs: [false; MAX_INPUTS] };
}

impl Traits {
    /// Those of an operator that reads and writes rows, in an order of its own.
    pub const ROWS: Traits = Traits {
        alike: 0,
        panels: Admits::NONE,
        columns: Admits::NONE,
        strided: None,
        narrow: None,
    };

    /// Those of an elementwise operator.
    pub const ELEMENTWISE: Traits =
        Traits { alike: MAX_INPUTS, panels: Admits::ALL, columns: Admits::ALL, ..Traits::ROWS };

    /// Those of an operator that goes from row to row, in rows or in columns.
    pub const ROW_BY_ROW: Traits = Traits { alike: 1, columns: Admits::ALL, ..Traits::ROWS };
}
