//! One instruction over a tile: decoded once, then a loop over its vectors.
#![expect(unsafe_code, reason = "reads and writes the vectors of a tile")]

use super::super::lanes::compute;
use super::super::place::{Place, Tile};
use crate::arena::Memory;
use crate::program::{Cost, Opcode};
use crate::simd::Simd;

/// What is done for each vector of the tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// An opcode of the program.
    Compute(Opcode),
    /// The first operand as it is.
    Copy,
    /// The first element of each row of the first operand, in all lanes.
    Splat,
}

/// An instruction bound to places.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    /// What is done.
    pub action: Action,
    /// Where the values go.
    pub to: Place,
    /// The operands; those beyond the arity may be any place.
    pub args: [Place; 3],
}

/// Runs an instruction that is no link of a chain, as cheap ones and copies are.
///
/// # Safety
/// It is bound for this memory from a verified program, and the tile lies inside the region.
#[inline(always)]
pub unsafe fn run<S: Simd>(s: S, memory: Memory, instr: &Instr, tile: Tile) {
    // The opcode is a constant in each arm, so that the loop behind it is made for it.
    // SAFETY: the contract is this function's.
    unsafe {
        match instr.action {
            Action::Splat => splat(s, memory, instr, tile),
            Action::Compute(opcode) => opcode.specialized(
                #[inline(always)]
                |opcode| match opcode.cost() {
                    Cost::Costly => each(s, memory, instr, tile, opcode),
                    Cost::Cheap => unreachable!("a cheap instruction is a link of a chain"),
                },
            ),
            Action::Copy => unreachable!("a copy is a link of a chain"),
        }
    }
}

/// Computes an instruction of one operand for each vector of the tile.
#[inline(always)]
unsafe fn each<S: Simd>(s: S, memory: Memory, instr: &Instr, tile: Tile, opcode: Opcode) {
    let (lines, len) = tile.lines();
    let [from, to] = [instr.args[0], instr.to];
    let ((from_line, from_step), (to_line, to_step)) = (from.steps(tile), to.steps(tile));
    let [mut from, mut to] = [from, to].map(|place| place.of(memory, tile));
    for _ in 0..lines {
        for i in 0..len {
            // SAFETY: the caller's tile lies inside the region; `verify::expr::check` has proved
            // that every operand covers the region, and a register covers any tile.
            unsafe {
                let value = s.load(from.wrapping_add(i * from_step));
                s.store(to.wrapping_add(i * to_step), compute(s, opcode, [value; 3]));
            }
        }
        from = from.wrapping_add(from_line);
        to = to.wrapping_add(to_line);
    }
}

/// Fills each row of a register with the first element of the operand's row.
unsafe fn splat<S: Simd>(s: S, memory: Memory, instr: &Instr, tile: Tile) {
    let (to, column) = (instr.to.of(memory, tile), instr.args[0].of(memory, tile));
    for row in 0..tile.rows {
        for vec in 0..tile.vecs {
            // SAFETY: `verify::expr::loads` has proved that a column has an element for each row of
            // the region; a register covers any tile.
            unsafe {
                let value = s.splat(*column.add(row * instr.args[0].row));
                s.store(to.add(row * instr.to.row + vec * instr.to.vec), value);
            }
        }
    }
}
