//! The operators: few and primitive, one file each. Everything that the language offers expands
//! into them, so a layer or a loss needs no gradient rule and no kernel.

use crate::graph::{DType, Graph, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};
use std::fmt;
use std::ops::Deref;

/// Makes the enum and the only match over it from one list of operators.
macro_rules! ops {
    ($($module:ident :: $op:ident),* $(,)?) => {
        $(pub mod $module;)*
        $(pub use $module::$op;)*

        /// Any operator.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op {
            $(#[doc = concat!("See [`", stringify!($op), "`].")] $op($op),)*
        }

        impl Deref for Op {
            type Target = dyn Operator;

            fn deref(&self) -> &(dyn Operator + 'static) {
                match self {
                    $(Op::$op(op) => op,)*
                }
            }
        }

        $(impl From<$op> for Op {
            fn from(op: $op) -> Op {
                Op::$op(op)
            }
        })*

        /// The samples of every operator.
        pub fn samples() -> Vec<Sample> {
            [$($op::samples()),*].concat()
        }
    };
}

ops! {
    leaf::Leaf,
    matmul::MatMul,
    unary::Unary,
    binary::Binary,
    broadcast::Broadcast,
    reduce::Reduce,
    softmax::Softmax,
    bce::Bce,
    cross_entropy::CrossEntropy,
    cross_entropy_grad::CrossEntropyGrad,
    correct::Correct,
    gather::Gather,
    scatter_add::ScatterAdd,
    assign::Assign,
    random::Random,
    iota::Iota,
    to_float::ToFloat,
    argmax::Argmax,
    concat::Concat,
    slice::Slice,
    pad::Pad,
    reshape::Reshape,
    mode::Mode,
}

mod traits;

pub use binary::BinaryFn;
pub use broadcast::Pattern;
pub use leaf::Source;
pub use random::Distribution;
pub use reduce::Axis;
pub use traits::{Admits, Anchor, Computed, Parts, Traits};
pub use unary::UnaryFn;

/// What an operator is.
pub trait Operator {
    /// Its name in the text of a graph, with what sets it apart from others of its kind.
    fn text(&self) -> String;

    /// The type of the result, or why the operands do not fit.
    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError>;

    /// Adds the gradient of an input, given the gradient `dy` of the result of `node`; `None`
    /// where nothing flows. It has the shape of that input.
    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId>;

    /// The result in 64-bit arithmetic.
    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor;

    /// What computes it in a program.
    fn computed(&self) -> Computed<'_>;

    /// How its operands, of these shapes, and its result may lie in memory.
    fn traits(&self, inputs: &[Shape]) -> Traits;

    /// A node that computes the same with less, if a rule finds one.
    fn simplify(&self, _: &mut Rewriter, _: &[NodeId]) -> Option<NodeId> {
        None
    }

    /// The power of the number of rows that the result grows with, by those of the operands and
    /// whether it adds up rows; `None` where it grows otherwise.
    fn growth(&self, inputs: &[i32], _adds_rows: bool) -> Option<i32> {
        inputs.iter().all(|&growth| growth == 0).then_some(0)
    }

    /// Whether its two operands may be exchanged.
    fn commutes(&self) -> bool {
        false
    }

    /// Its formula, of `count` operands, and how tightly that binds.
    fn formula(&self, count: usize, operand: Write<'_>) -> (String, Binding) {
        call(&self.text(), count, operand)
    }

    /// The floating-point operations when `N` is `batch`; a transcendental function counts as 1.
    fn flops(&self, inputs: &[Shape], output: &Shape, batch: u64) -> u64;

    /// Operands that exercise it, for the tests and the benchmarks.
    fn samples() -> Vec<Sample>
    where
        Self: Sized;
}

/// How tightly a formula binds, the loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// A sum or a difference.
    Sum,
    /// A product or a quotient.
    Product,
    /// A call, a name or a negation.
    Call,
}

/// Writes an operand, in parentheses where its formula binds less tightly than asked.
pub type Write<'w> = &'w dyn Fn(usize, Binding) -> String;

/// An operator with operands that fit it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The operator.
    pub op: Op,
    /// Its operands.
    pub inputs: Vec<Operand>,
}

/// A type and the range of the values to try.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// The type.
    pub ty: Type,
    /// The least value.
    pub low: f64,
    /// The upper limit; integers are below it.
    pub high: f64,
}

impl Operand {
    /// Floats from a range.
    pub fn f32(shape: Shape, low: f64, high: f64) -> Operand {
        Operand { ty: Type::f32(shape), low, high }
    }

    /// The classes from 0 up to, but not including, `classes`.
    pub fn classes(shape: Shape, classes: usize) -> Operand {
        Operand { ty: Type::i32(shape), low: 0.0, high: classes as f64 }
    }
}

impl Op {
    /// Whether it overwrites its first operand.
    pub fn is_assign(&self) -> bool {
        matches!(self, Op::Assign(_))
    }

    /// Whether it spreads its operand.
    pub fn is_broadcast(&self) -> bool {
        matches!(self, Op::Broadcast(_))
    }

    /// Whether it joins others in one expression.
    pub fn is_elementwise(&self) -> bool {
        matches!(self.computed(), Computed::Instr(_) | Computed::Store)
    }

    /// How it is computed by a kernel of its own, where it is.
    pub fn anchor(&self) -> Option<&dyn Anchor> {
        match self.computed() {
            Computed::Kernel(anchor) => Some(anchor),
            _ => None,
        }
    }

    /// Whether it compares its first operand, numbers for classes, with its second, a class a row.
    pub fn compares_classes(&self) -> bool {
        matches!(self, Op::CrossEntropy(_) | Op::CrossEntropyGrad(_) | Op::Correct(_))
    }

    /// Whether it draws random numbers.
    pub fn is_random(&self) -> bool {
        matches!(self, Op::Random(_))
    }

    /// Whether its first operand is for training alone.
    pub fn is_mode(&self) -> bool {
        matches!(self, Op::Mode(_))
    }

    /// The leaf that it is.
    pub fn leaf(&self) -> Option<&Leaf> {
        match self {
            Op::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    /// Where the value of a leaf comes from.
    pub fn source(&self) -> Option<Source> {
        self.leaf().map(|leaf| leaf.source)
    }

    /// Whether it is a leaf that the program may overwrite: a parameter or optimizer state.
    pub fn is_variable(&self) -> bool {
        matches!(self.source(), Some(Source::Param(_) | Source::State(_)))
    }

    /// The number that a constant is.
    pub fn as_constant(&self) -> Option<f64> {
        match self.source()? {
            Source::Const(value) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The formula of a function of `count` operands.
fn call(name: &str, count: usize, operand: Write<'_>) -> (String, Binding) {
    let operands: Vec<String> = (0..count).map(|i| operand(i, Binding::Sum)).collect();
    (format!("{name}({})", operands.join(", ")), Binding::Call)
}

/// The elements of a shape when `N` is `batch`; a figure, so it saturates.
fn elements(shape: &Shape, batch: u64) -> u64 {
    (shape.fixed_elements() as u64).saturating_mul(if shape.batch() { batch } else { 1 })
}

/// Checks the number and the elements of operands that are all floats, and gives their shapes.
fn float_shapes<const COUNT: usize>(inputs: &[Type]) -> Result<[Shape; COUNT], ShapeError> {
    if inputs.len() != COUNT {
        return Err(ShapeError(format!("it takes {COUNT} operands, not {}", inputs.len())));
    }
    match inputs.iter().find(|ty| ty.dtype != DType::F32) {
        Some(ty) => Err(ShapeError(format!("arithmetic works on floats, but one operand is {ty}"))),
        None => Ok(std::array::from_fn(|i| inputs[i].shape)),
    }
}

/// Checks that a shape has a last dimension, and gives its size.
fn row_length(shape: &Shape) -> Result<usize, ShapeError> {
    let none = || ShapeError(format!("it works along the last dimension, but {shape} has none"));
    shape.last().ok_or_else(none)
}

/// The position of the largest element; the first one at ties, as torch.argmax on the CPU.
fn first_largest(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
