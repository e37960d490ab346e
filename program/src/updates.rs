//! The tapes of some updates as the compiler emits them, which a runtime may run in one piece.
//!
//! The formulas and their sources are in compiler/src/optim/. `Result` is the gradient.

use super::Opcode::{Div, Mul, MulAdd, NegMulAdd, Sqrt, Sub};
use super::{Instr, Opcode, Spread, Value};

/// Gradient descent with momentum, whose loads are the momentum, lr and the parameter. The constant
/// is the share of the momentum that is kept.
pub const MOMENTUM: [Instr; 2] = [
    instr(MulAdd, [Value::Load(0), Value::Const(0), Value::Result]),
    instr(NegMulAdd, [Value::Instr(0), Value::Load(1), Value::Load(2)]),
];
/// How they are spread.
pub const MOMENTUM_SPREADS: [Spread; 3] = [Spread::Full, Spread::Scalar, Spread::Full];

/// Adam, whose loads are m, v, 1/√(1 - β₂ᵗ), lr / (1 - β₁ᵗ) and the parameter. The constants are
/// 1 - β₁, β₁, 1 - β₂, β₂ and eps.
pub const ADAM: [Instr; 10] = {
    let [a, b, c, d, e] = MOMENTS;
    let [f, g, h, i, j] = step(5, Value::Load(4), Value::Load(2), Value::Load(3));
    [a, b, c, d, e, f, g, h, i, j]
};
/// How they are spread.
pub const ADAM_SPREADS: [Spread; 5] =
    [Spread::Full, Spread::Full, Spread::Scalar, Spread::Scalar, Spread::Full];

/// AdamW, whose loads are m, v, the parameter, what it is scaled by, and the two numbers of
/// [`ADAM`].
pub const ADAMW: [Instr; 11] = {
    let [a, b, c, d, e] = MOMENTS;
    let scale = instr(Mul, [Value::Load(2), Value::Load(3), Value::Load(2)]);
    let [f, g, h, i, j] = step(6, Value::Instr(5), Value::Load(4), Value::Load(5));
    [a, b, c, d, e, scale, f, g, h, i, j]
};
/// How they are spread.
pub const ADAMW_SPREADS: [Spread; 6] =
    [Spread::Full, Spread::Full, Spread::Full, Spread::Scalar, Spread::Scalar, Spread::Scalar];

/// The new m, which is instruction 1, and v, which is instruction 4.
const MOMENTS: [Instr; 5] = {
    use Value::{Const, Instr, Load, Result};
    [
        instr(Mul, [Result, Const(0), Result]),
        instr(MulAdd, [Load(0), Const(1), Instr(0)]),
        instr(Mul, [Result, Result, Result]),
        instr(Mul, [Instr(2), Const(2), Instr(2)]),
        instr(MulAdd, [Load(1), Const(3), Instr(3)]),
    ]
};

/// The new parameter, from instruction `at` on.
const fn step(at: u16, p: Value, root: Value, rate: Value) -> [Instr; 5] {
    use Value::{Const, Instr};
    let [root_v, divisor, scaled, change] =
        [Instr(at), Instr(at + 1), Instr(at + 2), Instr(at + 3)];
    [
        instr(Sqrt, [Instr(4), Instr(4), Instr(4)]),
        instr(MulAdd, [root_v, root, Const(4)]),
        instr(Mul, [Instr(1), rate, Instr(1)]),
        instr(Div, [scaled, divisor, scaled]),
        instr(Sub, [p, change, p]),
    ]
}

const fn instr(op: Opcode, args: [Value; 3]) -> Instr {
    Instr { op, args }
}
