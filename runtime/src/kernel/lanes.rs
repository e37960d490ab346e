//! The opcodes over sixteen lanes.

use crate::program::Opcode;
use crate::simd::portable::Portable;
use crate::simd::{Simd, math};

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
