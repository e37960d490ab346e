//! One instruction over a tile: decoded once, then a loop over its vectors.
#![expect(unsafe_code, reason = "reads and writes the vectors of a tile")]

use super::tile::{Place, Tile};
use crate::arena::Memory;
use crate::program::{Cost, Opcode};
use crate::simd::portable::Portable;
use crate::simd::{Simd, math};

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
/// It is bound for this memory from a verified program, and the tile lies inside the domain.
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
            // SAFETY: the caller's tile lies inside the domain; `verify::expr::check` has proved
            // that every operand covers the domain, and a register covers any tile.
            unsafe {
                let value = s.load(from.wrapping_add(i * from_step));
                s.store(to.wrapping_add(i * to_step), compute(s, opcode, [value; 3]));
            }
        }
        from = from.wrapping_add(from_line);
        to = to.wrapping_add(to_line);
    }
}

/// The value of an instruction.
#[inline(always)]
pub fn compute<S: Simd>(s: S, opcode: Opcode, [a, b, c]: [S::F; 3]) -> S::F {
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    match opcode {
        Opcode::Neg => s.neg(a),
        Opcode::Abs => s.abs(a),
        Opcode::Sqrt => s.sqrt(a),
        Opcode::Exp => math::exp(s, a),
        Opcode::Log => math::log(s, a),
        Opcode::Sigmoid => math::sigmoid(s, a),
        Opcode::Tanh => math::tanh(s, a),
        // max(0, a) gives its second operand where a is NaN.
        Opcode::Relu => s.max(zero, a),
        Opcode::Softplus => math::softplus(s, a),
        Opcode::NormalCdf => math::normal_cdf(s, a),
        Opcode::Erf => math::erf(s, a),
        Opcode::Sign => {
            let negative = s.select(s.gt(zero, a), s.splat(-1.0), zero);
            s.select(s.gt(a, zero), one, negative)
        }
        Opcode::Add => s.add(a, b),
        Opcode::Sub => s.sub(a, b),
        Opcode::Mul => s.mul(a, b),
        Opcode::Div => s.div(a, b),
        Opcode::Max => s.max(a, b),
        Opcode::Min => s.min(a, b),
        Opcode::Gate => s.select(s.gt(b, zero), a, zero),
        Opcode::MulAdd => s.mul_add(a, b, c),
        Opcode::NegMulAdd => s.neg_mul_add(a, b, c),
        Opcode::SigmoidGrad => s.mul(a, s.neg_mul_add(b, b, b)),
        Opcode::TanhGrad => s.mul(a, s.neg_mul_add(b, b, one)),
    }
}

/// The value of an instruction at single numbers.
pub fn compute_one(opcode: Opcode, args: [f32; 3]) -> f32 {
    let s = Portable::detect().expect("every machine has what its target has");
    compute(s, opcode, args.map(|arg| s.splat(arg))).to_array()[0]
}

/// Fills each row of a register with the first element of the operand's row.
unsafe fn splat<S: Simd>(s: S, memory: Memory, instr: &Instr, tile: Tile) {
    let (to, column) = (instr.to.of(memory, tile), instr.args[0].of(memory, tile));
    for row in 0..tile.rows {
        for vec in 0..tile.vecs {
            // SAFETY: `verify::expr::loads` has proved that a column has an element for each row of
            // the domain; a register covers any tile.
            unsafe {
                let value = s.splat(*column.add(row * instr.args[0].row));
                s.store(to.add(row * instr.to.row + vec * instr.to.vec), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Opcode, compute_one};

    #[test]
    fn every_opcode_computes_what_its_entry_says() {
        for opcode in Opcode::ALL {
            for args in [[0.3f32, 0.7, -1.1], [1.7, -0.4, 2.0], [3.0, 0.25, 0.5]] {
                let expected = opcode.eval(args.map(f64::from));
                let found = f64::from(compute_one(opcode, args));
                let error = (found - expected).abs() / expected.abs().max(1.0);
                assert!(error < 1e-6, "{opcode:?} of {args:?} is {found}, not {expected}");
            }
        }
    }
}
