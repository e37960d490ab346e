//! Which statement an instruction comes from, where that is not the statement of its step: used
//! only in messages, like the line table of a debugger.

use super::{EntryPoint, Origin, Program};

/// An instruction and its statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Where the instruction stands.
    pub address: Address,
    /// The statement it comes from.
    pub origin: Origin,
}

/// Where an instruction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The entry point.
    pub entry: EntryPoint,
    /// The index of the step.
    pub step: u32,
    /// Which of the step's expressions.
    pub part: Part,
    /// The index of the instruction.
    pub instr: u16,
}

/// One of the expressions of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a map computes, or what is done with the result of another kernel.
    Tail,
    /// What a reduction sums.
    Body,
    /// What is done with the sums of columns beside a product.
    ColumnSums,
}

impl Program {
    /// The statement of an instruction, unless it is that of its step.
    pub fn line(&self, address: Address) -> Option<&Origin> {
        self.lines.iter().find(|line| line.address == address).map(|line| &line.origin)
    }
}
