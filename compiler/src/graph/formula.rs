//! Formulas: building nodes with the ordinary arithmetic of Rust.
//!
//! Gradients, layers, losses and optimizers are formulas, and read as such: `dy * y * (1.0 - y)`.
//! Operands of different shapes are broadcast where [`Broadcast`] allows it; formulas are the
//! compiler's own, so what does not fit is an internal mistake.

use super::{Graph, HostId, MAX_INPUTS, NodeId, OriginId, Shape};
use crate::graph::op::{Axis, Reduce, Reshape, Softmax, Source, Unary, UnaryFn};
use crate::graph::op::{Binary, BinaryFn, Broadcast, Leaf, MatMul, Op};
use arenet_program::HostNumber;
use rustc_hash::FxHashMap as HashMap;
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A graph being added to by [`Term`]s.
pub struct Formula<'g> {
    graph: RefCell<&'g mut Graph>,
    /// Numbers by their bits, and numbers already broadcast: a formula repeats them a lot.
    numbers: RefCell<HashMap<u64, NodeId>>,
    spread: RefCell<HashMap<(NodeId, Shape), NodeId>>,
    /// What the host computes, each once.
    hosts: RefCell<HashMap<HostNumber, HostId>>,
}

/// A node in a formula.
#[derive(Clone, Copy)]
pub struct Term<'f> {
    formula: &'f Formula<'f>,
    /// The node.
    pub id: NodeId,
}

impl<'f> Formula<'f> {
    /// Starts adding to a graph.
    pub fn new(graph: &'f mut Graph) -> Formula<'f> {
        Formula {
            graph: RefCell::new(graph),
            numbers: RefCell::default(),
            spread: RefCell::default(),
            hosts: RefCell::default(),
        }
    }

    /// A node of the graph.
    pub fn term(&'f self, id: NodeId) -> Term<'f> {
        Term { formula: self, id }
    }

    /// A number known to the compiler.
    pub fn number(&'f self, value: f64) -> Term<'f> {
        let mut numbers = self.numbers.borrow_mut();
        let add = || self.graph.borrow_mut().constant(value);
        self.term(*numbers.entry(value.to_bits()).or_insert_with(add))
    }

    /// A number the host computes before each step.
    pub fn host(&'f self, number: HostNumber) -> Term<'f> {
        let mut known = self.hosts.borrow_mut();
        let id = *known.entry(number).or_insert_with_key(|number| {
            let hosts = &mut self.graph.borrow_mut().hosts;
            let place = hosts.iter().position(|other| other == number);
            let place = place.unwrap_or_else(|| {
                hosts.push(number.clone());
                hosts.len() - 1
            });
            HostId(place as u32)
        });
        self.op(Leaf::number(Source::Host(id)), &[])
    }

    /// A factor shared out among the rows of the batch.
    pub fn per_row(&'f self, factor: f64) -> Term<'f> {
        self.op(Leaf::number(Source::PerRow(factor)), &[])
    }

    /// Any operator.
    pub fn op(&'f self, op: impl Into<Op>, inputs: &[Term<'f>]) -> Term<'f> {
        let mut ids = [NodeId(0); MAX_INPUTS];
        ids.iter_mut().zip(inputs).for_each(|(id, term)| *id = term.id);
        let id = self.graph.borrow_mut().add(op, &ids[..inputs.len()]);
        self.term(id)
    }

    /// Makes what is added from here on come from a statement.
    pub fn come_from(&self, origin: OriginId) {
        self.graph.borrow_mut().current = origin;
    }

    /// Makes what is added from here on come from the same statement as a node.
    pub fn follow(&self, id: NodeId) {
        let mut graph = self.graph.borrow_mut();
        graph.current = graph.node(id).origin;
    }
}

impl<'f> Term<'f> {
    /// The formula it belongs to.
    pub fn formula(self) -> &'f Formula<'f> {
        self.formula
    }

    /// The shape of the node.
    pub fn shape(self) -> Shape {
        self.formula.graph.borrow().shape(self.id)
    }

    /// The node spread to a shape; itself when it has that shape.
    pub fn broadcast(self, shape: Shape) -> Term<'f> {
        if self.shape() == shape {
            return self;
        }
        let known = self.formula.spread.borrow().get(&(self.id, shape)).copied();
        let id = known.unwrap_or_else(|| self.formula.op(Broadcast { shape }, &[self]).id);
        self.formula.spread.borrow_mut().insert((self.id, shape), id);
        self.formula.term(id)
    }

    /// The same elements in another shape; itself when it has that shape.
    pub fn reshape(self, shape: Shape) -> Term<'f> {
        if self.shape() == shape { self } else { self.formula.op(Reshape { shape }, &[self]) }
    }

    fn unary(self, function: UnaryFn) -> Term<'f> {
        self.formula.op(Unary(function), &[self])
    }

    fn binary(self, function: BinaryFn, other: Term<'f>) -> Term<'f> {
        let (a, b) = (self.shape(), other.shape());
        let shape = if Broadcast::pattern(&a, &b).is_some() { b } else { a };
        let operands = [self.broadcast(shape), other.broadcast(shape)];
        self.formula.op(Binary(function), &operands)
    }

    /// The larger of the two.
    pub fn max(self, other: Term<'f>) -> Term<'f> {
        self.binary(BinaryFn::Max, other)
    }

    /// The smaller of the two.
    pub fn min(self, other: Term<'f>) -> Term<'f> {
        self.binary(BinaryFn::Min, other)
    }

    /// a where `condition` > 0, else 0
    pub fn gate(self, condition: Term<'f>) -> Term<'f> {
        self.binary(BinaryFn::Gate, condition)
    }

    /// The sum over the last dimension, which stays with size 1.
    pub fn sum_last(self) -> Term<'f> {
        self.formula.op(Reduce { axis: Axis::Last }, &[self])
    }

    /// The sum over all dimensions but the last.
    pub fn sum_rows(self) -> Term<'f> {
        self.formula.op(Reduce { axis: Axis::Rows }, &[self])
    }

    /// The sum of all elements.
    pub fn sum(self) -> Term<'f> {
        self.formula.op(Reduce { axis: Axis::All }, &[self])
    }

    /// The mean of all elements; over the batch, of the rows really present.
    pub fn mean(self) -> Term<'f> {
        let shape = self.shape();
        let factor = 1.0 / shape.fixed_elements() as f64;
        if shape.batch() { self.sum() * self.formula.per_row(factor) } else { self.sum() * factor }
    }

    /// The mean over the last dimension, which stays with size 1.
    pub fn mean_last(self) -> Term<'f> {
        let width = self.shape().last().expect("it has rows");
        self.sum_last() * (1.0 / width as f64)
    }

    /// eᵃ / Σ eᵃ over the last dimension
    pub fn softmax(self) -> Term<'f> {
        self.formula.op(Softmax { log: false }, &[self])
    }

    /// a - ln Σ eᵃ over the last dimension
    pub fn log_softmax(self) -> Term<'f> {
        self.formula.op(Softmax { log: true }, &[self])
    }

    /// a b
    pub fn matmul(self, b: Term<'f>) -> Term<'f> {
        self.formula.op(MatMul { transpose_a: false, transpose_b: false }, &[self, b])
    }

    /// aᵀ b
    pub fn transposed_matmul(self, b: Term<'f>) -> Term<'f> {
        self.formula.op(MatMul { transpose_a: true, transpose_b: false }, &[self, b])
    }

    /// a bᵀ
    pub fn matmul_transposed(self, b: Term<'f>) -> Term<'f> {
        self.formula.op(MatMul { transpose_a: false, transpose_b: true }, &[self, b])
    }
}

/// Gives terms the functions of one number, as methods.
macro_rules! functions {
    ($($(#[$doc:meta])* $method:ident, $function:ident;)*) => {
        impl<'f> Term<'f> {$(
            $(#[$doc])*
            pub fn $method(self) -> Term<'f> {
                self.unary(UnaryFn::$function)
            }
        )*}
    };
}

functions! {
    /// |a|
    abs, Abs;
    /// √a
    sqrt, Sqrt;
    /// eᵃ
    exp, Exp;
    /// ln a
    log, Log;
    /// 1 / (1 + e⁻ᵃ)
    sigmoid, Sigmoid;
    /// tanh a
    tanh, Tanh;
    /// max(a, 0)
    relu, Relu;
    /// ln(1 + eᵃ)
    softplus, Softplus;
    /// Φ(a), the distribution function of the standard normal
    normal_cdf, NormalCdf;
    /// erf a, the error function
    erf, Erf;
    /// -1, 0 or 1
    sign, Sign;
}

impl<'f> Neg for Term<'f> {
    type Output = Term<'f>;

    fn neg(self) -> Term<'f> {
        self.unary(UnaryFn::Neg)
    }
}

/// Implements an infix operator between terms, and between terms and numbers.
macro_rules! infix {
    ($($trait:ident, $method:ident, $function:ident;)*) => {$(
        impl<'f> $trait for Term<'f> {
            type Output = Term<'f>;

            fn $method(self, other: Term<'f>) -> Term<'f> {
                self.binary(BinaryFn::$function, other)
            }
        }

        impl<'f> $trait<f64> for Term<'f> {
            type Output = Term<'f>;

            fn $method(self, other: f64) -> Term<'f> {
                self.binary(BinaryFn::$function, self.formula.number(other))
            }
        }

        impl<'f> $trait<Term<'f>> for f64 {
            type Output = Term<'f>;

            fn $method(self, other: Term<'f>) -> Term<'f> {
                other.formula.number(self).binary(BinaryFn::$function, other)
            }
        }
    )*};
}

infix! {
    Add, add, Add;
    Sub, sub, Sub;
    Mul, mul, Mul;
    Div, div, Div;
}
