//! Numbers that the host computes before a run: a small tape of f64 arithmetic each, over the rows
//! of the batch, the time and a learning rate. An optimizer or a schedule writes the tape where it
//! is defined; whoever carries, checks, prints or evaluates it needs to know no more than this.
//!
//! Every operation gives the same bits on every machine: none calls the system's mathematical
//! library, whose last bit differs between machines.

mod math;

pub use math::{POWER_BLOCK, Pochhammer, exp, power, real_power, sin_cos_turn, whole_log};

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Div, Mul, Sub};

/// The most instructions of a number.
pub const MAX_HOST_INSTRS: usize = 64;

/// What a number is computed from. Steps and epochs are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostInput {
    /// The rows of the batch.
    Rows,
    /// The rows of all batches of the optimizer step, of which the batch is one.
    StepRows,
    /// The optimizer steps done.
    Step,
    /// The steps of the whole run.
    Steps,
    /// The epochs done.
    Epoch,
    /// The epochs of the whole run.
    Epochs,
    /// In a schedule: the rate that it starts from.
    Base,
    /// The learning rate of an optimizer group.
    Rate(u16),
    /// The momentum of an optimizer group whose schedule moves it.
    Momentum(u16),
    /// Of a metric: one of its values over the batch.
    Value(u16),
    /// Of a metric: one of its sums over all batches.
    Sum(u16),
}

/// How an operation is written: between its operands, binding so tightly, or before them.
enum Notation {
    Infix(&'static str, u8),
    Call(&'static str),
}
use Notation::{Call, Infix};

/// The operations, each with its number of operands, its notation and its value.
macro_rules! operations {
    ($($(#[$doc:meta])*
       $name:ident: $arity:literal, $notation:expr,
       |$a:pat_param, $b:pat_param, $c:pat_param| $value:expr;)*) => {
        /// What an instruction computes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum HostOp { $($(#[$doc])* $name,)* }

        impl HostOp {
            /// Every operation; its position is its code in the bytes of a program.
            pub const ALL: &'static [HostOp] = &[$(HostOp::$name),*];

            /// How many operands it has.
            pub fn arity(self) -> usize {
                match self { $(HostOp::$name => $arity),* }
            }

            /// Its value.
            #[inline]
            pub fn value(self, args: [f64; 3]) -> f64 {
                match self { $(HostOp::$name => { let [$a, $b, $c] = args; $value })* }
            }

            fn notation(self) -> Notation {
                match self { $(HostOp::$name => $notation),* }
            }
        }
    };
}

operations! {
    /// a + b
    Add: 2, Infix("+", 1), |a, b, _| a + b;
    /// a - b
    Sub: 2, Infix("-", 1), |a, b, _| a - b;
    /// a b
    Mul: 2, Infix("*", 2), |a, b, _| a * b;
    /// a / b
    Div: 2, Infix("/", 2), |a, b, _| a / b;
    /// a to the power of the whole part of b, which is at least 0; see [`power`].
    Power: 2, Infix("^", 3), |a, b, _| power(a, b as u64);
    /// 1 where a < b, else 0
    Less: 2, Infix("<", 0), |a, b, _| f64::from(a < b);
    /// b where a is not 0, else c
    If: 3, Call("if"), |a, b, c| if a != 0.0 { b } else { c };
    /// The larger.
    Max: 2, Call("max"), |a, b, _| a.max(b);
    /// The largest whole number up to a.
    Floor: 1, Call("floor"), |a, _, _| a.floor();
    /// √a
    Sqrt: 1, Call("sqrt"), |a, _, _| a.sqrt();
    /// The cosine of so many full turns.
    CosTurns: 1, Call("cos_turns"), |a, _, _| sin_cos_turn(a - a.floor()).1;
    /// a to the power of any b, for a from 0; see [`real_power`].
    RealPower: 2, Call("pow"), |a, b, _| real_power(a, b);
    /// The largest whole n with bⁿ at most a, for a b from 2; see [`whole_log`].
    WholeLog: 2, Call("whole_log"), |a, b, _| whole_log(a, b);
    /// (a; b)_c, the product of 1 - a bᵏ for k from 0 to the whole part of c; see [`Pochhammer`].
    Pochhammer: 3, Call("q_pochhammer"), |a, b, c| Pochhammer::new(a, b).at(c as u64);
}

/// An instruction.
#[derive(Clone, Copy, Debug)]
pub enum HostInstr {
    /// A number.
    Const(f64),
    /// What comes from outside.
    Input(HostInput),
    /// An operation on the values of earlier instructions; those beyond its arity repeat the first.
    Apply(HostOp, [u16; 3]),
}

/// A number that the host computes: the value of the last instruction.
///
/// ```
/// use arenet_program::host::{HostInput, HostNumber};
///
/// let halved = HostNumber::from(HostInput::Rate(0)) / 2.0;
/// assert_eq!(halved.to_string(), "lr / 2");
/// assert_eq!(halved.value(|_| 0.1), 0.05);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostNumber {
    /// The instructions, each after those that it needs.
    pub code: Vec<HostInstr>,
}

impl HostInstr {
    /// What is the same for two that are the same: numbers count by their bits.
    fn key(&self) -> (u64, Option<HostInput>, Option<HostOp>, [u16; 3]) {
        match *self {
            HostInstr::Const(value) => (value.to_bits(), None, None, [0; 3]),
            HostInstr::Input(input) => (0, Some(input), None, [0; 3]),
            HostInstr::Apply(op, args) => (0, None, Some(op), args),
        }
    }
}

impl PartialEq for HostInstr {
    fn eq(&self, other: &HostInstr) -> bool {
        self.key() == other.key()
    }
}

impl Eq for HostInstr {}

impl Hash for HostInstr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl HostNumber {
    /// A factor shared out among the rows really present in the batch: `factor / rows`.
    pub fn per_row(factor: f64) -> HostNumber {
        HostNumber::from(factor) / HostInput::Rows
    }

    /// An operation on numbers. What they have in common is computed once.
    fn apply(op: HostOp, args: impl IntoIterator<Item = HostNumber>) -> HostNumber {
        let mut code: Vec<HostInstr> = Vec::new();
        let mut ends = [None; 3];
        for (end, arg) in ends.iter_mut().zip(args) {
            // Where the instructions of the operand are in `code`.
            let mut places: Vec<u16> = Vec::with_capacity(arg.code.len());
            for instr in arg.code {
                let instr = match instr {
                    HostInstr::Apply(op, args) => {
                        HostInstr::Apply(op, args.map(|arg| places[usize::from(arg)]))
                    }
                    other => other,
                };
                let known = code.iter().position(|other| *other == instr);
                places.push(known.unwrap_or(code.len()) as u16);
                if known.is_none() {
                    code.push(instr);
                }
            }
            *end = places.last().copied();
        }
        let first = ends[0].unwrap_or(0);
        code.push(HostInstr::Apply(op, ends.map(|end| end.unwrap_or(first))));
        HostNumber { code }
    }

    /// This to the power of a whole number.
    pub fn power(self, exponent: impl Into<HostNumber>) -> HostNumber {
        HostNumber::apply(HostOp::Power, [self, exponent.into()])
    }

    /// This, which is at least 0, to the power of any number.
    pub fn real_power(self, exponent: impl Into<HostNumber>) -> HostNumber {
        HostNumber::apply(HostOp::RealPower, [self, exponent.into()])
    }

    /// The product of 1 - this times qᵏ for k from 0 to n - 1, for a q from 0 to 1.
    pub fn pochhammer(self, q: impl Into<HostNumber>, n: impl Into<HostNumber>) -> HostNumber {
        HostNumber::apply(HostOp::Pochhammer, [self, q.into(), n.into()])
    }

    /// The largest whole n with baseⁿ at most this, for a base from 2.
    pub fn whole_log(self, base: impl Into<HostNumber>) -> HostNumber {
        HostNumber::apply(HostOp::WholeLog, [self, base.into()])
    }

    /// 1 where this is less, else 0.
    pub fn less(self, than: impl Into<HostNumber>) -> HostNumber {
        HostNumber::apply(HostOp::Less, [self, than.into()])
    }

    /// `yes` where this is not 0, else `no`.
    pub fn choose(self, yes: impl Into<HostNumber>, no: impl Into<HostNumber>) -> HostNumber {
        HostNumber::apply(HostOp::If, [self, yes.into(), no.into()])
    }

    /// The larger of the two.
    pub fn max(self, other: impl Into<HostNumber>) -> HostNumber {
        HostNumber::apply(HostOp::Max, [self, other.into()])
    }

    /// The largest whole number up to this.
    pub fn floor(self) -> HostNumber {
        HostNumber::apply(HostOp::Floor, [self])
    }

    /// The square root.
    pub fn sqrt(self) -> HostNumber {
        HostNumber::apply(HostOp::Sqrt, [self])
    }

    /// The cosine of so many full turns.
    pub fn cos_turns(self) -> HostNumber {
        HostNumber::apply(HostOp::CosTurns, [self])
    }

    /// It as the name of a value in a formula: `lr/(1-0.9^(step+1))`.
    pub fn name(&self) -> String {
        self.to_string().replace(' ', "")
    }

    /// What it reads, with repetitions.
    pub fn inputs(&self) -> impl Iterator<Item = HostInput> {
        self.code.iter().filter_map(|instr| match instr {
            HostInstr::Input(input) => Some(*input),
            _ => None,
        })
    }

    /// Its value, given those of its inputs; 0 without instructions, which `verify` refuses.
    pub fn value(&self, input: impl Fn(HostInput) -> f64) -> f64 {
        let mut values = [0.0; MAX_HOST_INSTRS];
        let mut last = 0.0;
        for (at, instr) in self.code.iter().enumerate().take(MAX_HOST_INSTRS) {
            last = match *instr {
                HostInstr::Const(value) => value,
                HostInstr::Input(from) => input(from),
                HostInstr::Apply(op, args) => op.value(args.map(|arg| values[usize::from(arg)])),
            };
            values[at] = last;
        }
        last
    }
}

impl From<f64> for HostNumber {
    fn from(value: f64) -> HostNumber {
        HostNumber { code: vec![HostInstr::Const(value)] }
    }
}

impl From<HostInput> for HostNumber {
    fn from(input: HostInput) -> HostNumber {
        HostNumber { code: vec![HostInstr::Input(input)] }
    }
}

/// Implements an infix operator between numbers, and with what becomes one.
macro_rules! infix {
    ($($trait:ident, $method:ident;)*) => {$(
        impl<T: Into<HostNumber>> $trait<T> for HostNumber {
            type Output = HostNumber;

            fn $method(self, other: T) -> HostNumber {
                HostNumber::apply(HostOp::$trait, [self, other.into()])
            }
        }

        impl $trait<HostNumber> for f64 {
            type Output = HostNumber;

            fn $method(self, other: HostNumber) -> HostNumber {
                HostNumber::apply(HostOp::$trait, [self.into(), other])
            }
        }
    )*};
}

infix! { Add, add; Sub, sub; Mul, mul; Div, div; }

impl fmt::Display for HostInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HostInput::Rows => "N",
            HostInput::StepRows => "N_step",
            HostInput::Step => "step",
            HostInput::Steps => "steps",
            HostInput::Epoch => "epoch",
            HostInput::Epochs => "epochs",
            HostInput::Base => "base",
            // Only the second of several and later ones are numbered.
            HostInput::Rate(0) => "lr",
            HostInput::Rate(group) => return write!(f, "lr{group}"),
            HostInput::Momentum(0) => "momentum",
            HostInput::Momentum(group) => return write!(f, "momentum{group}"),
            HostInput::Value(0) => "value",
            HostInput::Value(index) => return write!(f, "value{index}"),
            HostInput::Sum(0) => "sum",
            HostInput::Sum(index) => return write!(f, "sum{index}"),
        })
    }
}

impl fmt::Display for HostNumber {
    /// A formula: `lr / (1 - 0.9^(step + 1))`, also of a number that `verify` refuses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each with how tightly it binds.
        let mut texts: Vec<(String, u8)> = Vec::with_capacity(self.code.len());
        for instr in &self.code {
            texts.push(match instr {
                HostInstr::Const(value) => (value.to_string(), u8::MAX),
                HostInstr::Input(input) => (input.to_string(), u8::MAX),
                HostInstr::Apply(op, args) => {
                    let text = |&arg: &u16| texts.get(usize::from(arg)).map_or(HIDDEN, shortened);
                    let args: Vec<_> = args[..op.arity()].iter().map(text).collect();
                    written(op.notation(), &args)
                }
            });
        }
        texts.pop().map_or(Ok(()), |(text, _)| f.write_str(&text))
    }
}

/// What stands for an operand that is missing, or too long to be read: one that is used twice
/// doubles a text.
const HIDDEN: (&str, u8) = ("..", u8::MAX);
const MAX_TEXT: usize = 1000;

fn shortened((text, binding): &(String, u8)) -> (&str, u8) {
    if text.len() > MAX_TEXT { HIDDEN } else { (text, *binding) }
}

/// An operation with its operands, and how tightly it binds.
fn written(notation: Notation, args: &[(&str, u8)]) -> (String, u8) {
    match notation {
        Infix(sign, binding) => {
            // What stands on the right of a sign that binds as tightly is not read first.
            let side = |(text, own): (&str, u8), least: u8| match own >= least {
                true => text.to_string(),
                false => format!("({text})"),
            };
            let [left, right] = [side(args[0], binding), side(args[1], binding + 1)];
            let space = if binding > 2 { "" } else { " " };
            (format!("{left}{space}{sign}{space}{right}"), binding)
        }
        Call(name) => {
            let args: Vec<&str> = args.iter().map(|&(text, _)| text).collect();
            (format!("{name}({})", args.join(", ")), u8::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(of: HostInput) -> HostNumber {
        of.into()
    }

    #[test]
    fn a_formula_has_the_parentheses_that_it_needs() {
        let step = || input(HostInput::Step);
        let corrected =
            input(HostInput::Rate(0)) / (1.0 - HostNumber::from(0.9).power(step() + 1.0));
        assert_eq!(corrected.to_string(), "lr / (1 - 0.9^(step + 1))");
        assert_eq!((step() - (step() - 1.0)).to_string(), "step - (step - 1)");
        assert_eq!((step() - 1.0 - 2.0).to_string(), "step - 1 - 2");
        let warm = step().less(3.0).choose(input(HostInput::Rate(2)), (step() / 2.0).floor());
        assert_eq!(warm.to_string(), "if(step < 3, lr2, floor(step / 2))");
    }

    #[test]
    fn operations_are_those_of_the_system() {
        let value = |number: HostNumber| number.value(|_| 5.0);
        let x = || input(HostInput::Epoch);
        assert_eq!(value((x() + 2.0) * 3.0 / 4.0 - 1.0), 4.25);
        assert_eq!(value(x().less(5.0).choose(1.0, 2.0)), 2.0);
        assert_eq!(value(x().less(5.5).choose(1.0, 2.0)), 1.0);
        assert_eq!(value((x() / 2.0).floor().max(1.0)), 2.0);
        assert_eq!(value((x() * 5.0).sqrt()), 5.0);
        for turns in [-0.75, 0.0, 0.1, 0.25, 0.5, 2.3] {
            let (own, system) =
                (value(HostNumber::from(turns).cos_turns()), std::f64::consts::TAU * turns);
            assert!((own - system.cos()).abs() < 1e-14, "{turns}: {own}");
        }
        for n in (0..2000).chain([100_000, 1 << 40]) {
            let (own, system) = (power(0.999, n), 0.999f64.powf(n as f64));
            assert!((own - system).abs() <= 1e-11 * system, "{n}: {own} against {system}");
        }
        assert_eq!(value(x().power(-1.0)), 1.0, "no exponent is below 0");
        assert_eq!(value(x().power(f64::NAN)), 1.0);
    }
}
