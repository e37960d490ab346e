//! What an instruction computes: one list, an entry for each opcode.
//!
//! An entry is the formula as text, the name, the operands, what it costs and the value in 64 bits.
//! What else an opcode needs is asked for by matches that do not compile without it: its lanes
//! (`compute` in the runtime), its place in chains if it is cheap, and the gradient of a function
//! that the compiler's graphs have.

use std::f64::consts::{PI, SQRT_2};

/// What an instruction takes beside the loads of its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// A few operations of the processor.
    Cheap,
    /// A polynomial or more, which would need the vector registers for itself.
    Costly,
}

/// Makes [`Opcode`] of all entries, in their order, and an enum of each group but the last.
macro_rules! opcodes {
    (
        $(
            $(#[$about:meta])*
            enum $group:ident {
                $($(#[$doc:meta])* $name:ident $text:literal ($($arg:ident),+):
                    $cost:ident = $value:expr;)*
            }
        )*
        _ {
            $($(#[$fused_doc:meta])* $fused:ident $fused_text:literal ($($fused_arg:ident),+):
                $fused_cost:ident = $fused_value:expr;)*
        }
    ) => {
        /// What an instruction computes, lane by lane.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $($($(#[$doc])* $name,)*)*
            $($(#[$fused_doc])* $fused,)*
        }

        impl Opcode {
            const COUNT: usize = [$($($text,)*)* $($fused_text),*].len();

            /// Every opcode; its position is its code in the bytes of a program.
            pub const ALL: [Opcode; Opcode::COUNT] =
                [$($(Opcode::$name,)*)* $(Opcode::$fused),*];

            /// How many operands it reads.
            #[inline]
            pub const fn arity(self) -> usize {
                match self {
                    $($(Opcode::$name => [$(stringify!($arg)),+].len(),)*)*
                    $(Opcode::$fused => [$(stringify!($fused_arg)),+].len(),)*
                }
            }

            /// What it costs.
            #[inline]
            pub const fn cost(self) -> Cost {
                match self {
                    $($(Opcode::$name => Cost::$cost,)*)*
                    $(Opcode::$fused => Cost::$fused_cost,)*
                }
            }

            /// Its name in printed programs and graphs.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Opcode::$name => $text,)*)*
                    $(Opcode::$fused => $fused_text,)*
                }
            }

            /// Its value in 64 bits; operands beyond the arity may be any numbers.
            pub fn eval(self, args: [f64; 3]) -> f64 {
                match self {
                    $($(Opcode::$name => { let [$($arg,)+ ..] = args; $value })*)*
                    $(Opcode::$fused => { let [$($fused_arg,)+ ..] = args; $fused_value })*
                }
            }

            /// Calls `f` with the opcode as a constant, so that what is inlined into it is made
            /// for it.
            #[inline(always)]
            pub fn specialized<R>(self, f: impl FnOnce(Opcode) -> R) -> R {
                match self {
                    $($(Opcode::$name => f(Opcode::$name),)*)*
                    $(Opcode::$fused => f(Opcode::$fused),)*
                }
            }
        }

        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum $group {
                $($(#[$doc])* $name,)*
            }

            impl $group {
                /// Every function.
                pub const ALL: &[$group] = &[$($group::$name),*];

                /// The machine's instruction.
                pub const fn opcode(self) -> Opcode {
                    match self {
                        $($group::$name => Opcode::$name,)*
                    }
                }
            }
        )*
    };
}

opcodes! {
    /// A function of one number that graphs have.
    enum UnaryFn {
        /// -a
        Neg "neg" (a): Cheap = -a;
        /// |a|
        Abs "abs" (a): Cheap = a.abs();
        /// √a
        Sqrt "sqrt" (a): Cheap = a.sqrt();
        /// eᵃ
        Exp "exp" (a): Costly = a.exp();
        /// ln a
        Log "log" (a): Costly = a.ln();
        /// 1 / (1 + e⁻ᵃ)
        Sigmoid "sigmoid" (a): Costly = 1.0 / (1.0 + (-a).exp());
        /// tanh a
        Tanh "tanh" (a): Costly = a.tanh();
        /// max(a, 0), and NaN stays NaN
        Relu "relu" (a): Cheap = if a > 0.0 || a.is_nan() { a } else { 0.0 };
        /// ln(1 + eᵃ)
        Softplus "softplus" (a): Costly = a.max(0.0) + (-a.abs()).exp().ln_1p();
        /// Φ(a), the distribution function of the standard normal
        NormalCdf "normal_cdf" (a): Costly = normal_cdf(a);
        /// erf a, the error function
        Erf "erf" (a): Costly = erf(a);
        /// -1, 0 or 1
        Sign "sign" (a): Cheap = if a == 0.0 || a.is_nan() { a } else { a.signum() };
    }
    /// A function of two numbers that graphs have.
    enum BinaryFn {
        /// a + b
        Add "add" (a, b): Cheap = a + b;
        /// a - b
        Sub "sub" (a, b): Cheap = a - b;
        /// a b
        Mul "mul" (a, b): Cheap = a * b;
        /// a / b
        Div "div" (a, b): Cheap = a / b;
        /// the larger, or b where one is NaN
        Max "max" (a, b): Cheap = if a > b { a } else { b };
        /// the smaller, or b where one is NaN
        Min "min" (a, b): Cheap = if a < b { a } else { b };
        /// a where b > 0, else 0
        Gate "gate" (a, b): Cheap = if b > 0.0 { a } else { 0.0 };
    }
    _ {
        /// a b + c, rounded once
        MulAdd "mul_add" (a, b, c): Cheap = a.mul_add(b, c);
        /// c - a b, rounded once
        NegMulAdd "neg_mul_add" (a, b, c): Cheap = (-a).mul_add(b, c);
        /// a b (1 - b), computed as a (b - b²): the gradient a through a sigmoid whose value is b
        SigmoidGrad "sigmoid_grad" (a, b): Cheap = a * (b - b * b);
        /// a (1 - b²): the gradient a through a tanh whose value is b
        TanhGrad "tanh_grad" (a, b): Cheap = a * (1.0 - b * b);
    }
}

impl UnaryFn {
    /// The value at a number.
    pub fn apply(self, a: f64) -> f64 {
        self.opcode().eval([a; 3])
    }
}

impl BinaryFn {
    /// The value at two numbers.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        self.opcode().eval([a, b, a])
    }
}

/// Φ(x): in the tails Laplace's continued fraction, since their small values would be lost as
/// differences of others.
fn normal_cdf(x: f64) -> f64 {
    match x {
        _ if x > 4.0 => 1.0 - normal_cdf(-x),
        _ if x < -4.0 => density(x) / (1..200).rev().fold(-x, |tail, k| -x + f64::from(k) / tail),
        _ => 0.5 + above_half(x),
    }
}

/// The part of the standard normal distribution between -x √2 and x √2.
fn erf(x: f64) -> f64 {
    let z = x * SQRT_2;
    if x.abs() > 3.0 {
        1.0f64.copysign(x) * (1.0 - 2.0 * normal_cdf(-z.abs()))
    } else {
        2.0 * above_half(z)
    }
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// Φ(x) - ½ by the series of Marsaglia, "Evaluating the Normal Distribution" (2004).
fn above_half(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (x, x, 1.0);
    while sum + term != sum {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    density(x) * sum
}

#[cfg(test)]
mod tests {
    use super::{erf, normal_cdf};

    #[test]
    fn normal_cdf_is_that_of_the_tables() {
        // scipy.special.ndtr
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.8413447460685429),
            (-3.9, 4.809634401760273e-05),
            (-4.1, 2.0657506912546714e-05),
            (-10.0, 7.619853024160495e-24),
            (5.0, 0.9999997133484281),
        ] {
            let error = (normal_cdf(x) - expected).abs() / expected;
            assert!(error < 1e-11, "{x}: {} is off by {error}", normal_cdf(x));
        }
    }

    #[test]
    fn erf_is_that_of_the_tables() {
        // Python's math.erf
        for (x, expected) in [
            (0.0, 0.0),
            (1e-9, 1.1283791670955126e-09),
            (-0.5, -0.5204998778130465),
            (1.0, 0.8427007929497149),
            (-2.9, -0.9999589021219005),
            (3.1, 0.9999883513426328),
            (9.0, 1.0),
        ] {
            let error = (erf(x) - expected).abs();
            assert!(error <= 1e-14 * expected.abs(), "{x}: {} is off by {error}", erf(x));
        }
    }
}
