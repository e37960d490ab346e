//! Fused elementwise arithmetic: a tape of instructions over loaded operands.
//!
//! An [`Expr`] is in single-assignment form: instruction `i` defines `Value::Instr(i)` and may use
//! only what comes before it. It runs over the tile that its kernel has just finished, or over the
//! whole of a buffer in a map, and stores some of its values.

use super::{BufferId, Opcode};

/// The most instructions of an expression.
pub const MAX_INSTRS: usize = 256;
/// The most operands that an expression loads.
pub const MAX_LOADS: usize = 64;
/// The most values that an expression stores.
pub const MAX_STORES: usize = 64;
/// The most constants of an expression.
pub const MAX_CONSTS: usize = 256;

/// An operand of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// The result of the kernel that the expression follows.
    Result,
    /// A loaded operand.
    Load(u16),
    /// A constant.
    Const(u16),
    /// The value of an earlier instruction.
    Instr(u16),
}

/// How a loaded operand is laid over the tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spread {
    /// One element for each of the tile.
    Full,
    /// One row, repeated for every row.
    Row,
    /// One element a row, repeated across it.
    Column,
    /// One element for all.
    Scalar,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instr {
    /// What it computes.
    pub op: Opcode,
    /// Its operands; those beyond the arity repeat the first.
    pub args: [Value; 3],
}

/// An operand read from the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    /// The buffer.
    pub buffer: BufferId,
    /// How it is laid over the tile.
    pub spread: Spread,
}

/// A fused expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expr {
    /// What it reads.
    pub loads: Vec<Load>,
    /// The constants it uses.
    pub consts: Vec<f32>,
    /// What it computes, in order.
    pub code: Vec<Instr>,
    /// What it writes; each buffer has the shape of the tile's region.
    pub stores: Vec<(Value, BufferId)>,
}
