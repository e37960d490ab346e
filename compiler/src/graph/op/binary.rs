//! Functions of two numbers, element by element.

use super::{Binding, Computed, Leaf, Operand, Operator, Sample, Source, Traits};
use super::{UnaryFn, Write, call, elements, float_shapes};
use crate::graph::{Formula, Graph, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};
pub use arenet_program::BinaryFn;

/// A function of each pair of elements; both operands have the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binary(pub BinaryFn);

impl Operator for Binary {
    fn text(&self) -> String {
        self.0.opcode().name().into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [a, b] = float_shapes::<2>(inputs)?;
        if a != b {
            return Err(ShapeError(format!("the shapes {a} and {b} differ")));
        }
        Ok(Type::f32(a))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let [a, b] = g.node(node).inputs[..] else { unreachable!("there are two operands") };
        let f = Formula::new(g);
        let (a, b, y, dy) = (f.term(a), f.term(b), f.term(node), f.term(dy));
        // Where max and min have equal operands, the whole gradient goes to the first.
        let grad = match (self.0, input) {
            (BinaryFn::Add, _) => dy,
            (BinaryFn::Sub, 0) => dy,
            (BinaryFn::Sub, _) => -dy,
            (BinaryFn::Mul, 0) => dy * b,
            (BinaryFn::Mul, _) => dy * a,
            (BinaryFn::Div, 0) => dy / b,
            (BinaryFn::Div, _) => -(dy * y / b),
            (BinaryFn::Max, 0) => dy - dy.gate(b - a),
            (BinaryFn::Max, _) => dy.gate(b - a),
            (BinaryFn::Min, 0) => dy - dy.gate(a - b),
            (BinaryFn::Min, _) => dy.gate(a - b),
            (BinaryFn::Gate, 0) => dy.gate(b),
            (BinaryFn::Gate, _) => return None,
        };
        Some(grad.id)
    }

    fn growth(&self, inputs: &[i32], _: bool) -> Option<i32> {
        let (a, b) = (inputs[0], inputs[1]);
        match self.0 {
            BinaryFn::Mul => Some(a + b),
            BinaryFn::Div => Some(a - b),
            BinaryFn::Gate => Some(a),
            BinaryFn::Add | BinaryFn::Sub | BinaryFn::Max | BinaryFn::Min => (a == b).then_some(a),
        }
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let [a, b] = inputs else { unreachable!("there are two operands") };
        Tensor::from_fn(a.shape, batch, |i| self.0.apply(a.data[i], b.data[i]))
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Instr(self.0.opcode())
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ELEMENTWISE
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        let (a, b) = (inputs[0], inputs[1]);
        let constants = (g.graph.node(a).op.as_constant(), g.graph.node(b).op.as_constant());
        if let (Some(x), Some(y)) = constants {
            return Some(g.constant(self.0.apply(x, y)));
        }
        // What is the same everywhere is computed once.
        if let (Some(x), Some(y)) = (g.spread_number(a), g.spread_number(b)) {
            let number = g.combine(self.0, x, y);
            return Some(g.spread(number, g.graph.shape(a)));
        }
        match self.0 {
            BinaryFn::Add => sum(g, a, b),
            BinaryFn::Sub => difference(g, a, b),
            BinaryFn::Mul => product(g, a, b),
            BinaryFn::Div => quotient(g, a, b),
            BinaryFn::Max | BinaryFn::Min | BinaryFn::Gate => None,
        }
    }

    fn commutes(&self) -> bool {
        matches!(self.0, BinaryFn::Add | BinaryFn::Mul)
    }

    fn formula(&self, _: usize, operand: Write<'_>) -> (String, Binding) {
        use Binding::{Call, Product, Sum};
        // The sign, and how tightly it binds: itself, and on its right.
        let (sign, own, right) = match self.0 {
            BinaryFn::Add => ("+", Sum, Sum),
            BinaryFn::Sub => ("-", Sum, Product),
            BinaryFn::Mul => ("*", Product, Product),
            BinaryFn::Div => ("/", Product, Call),
            BinaryFn::Max | BinaryFn::Min | BinaryFn::Gate => {
                return call(&self.text(), 2, operand);
            }
        };
        (format!("{} {sign} {}", operand(0, own), operand(1, right)), own)
    }

    fn flops(&self, _: &[Shape], output: &Shape, batch: u64) -> u64 {
        elements(output, batch)
    }

    fn samples() -> Vec<Sample> {
        // Ranges that overlap and stay away from a division by zero; a gate's both signs.
        let sample = |function: BinaryFn| {
            let shape = Shape::batched(&[19]);
            let b = if function == BinaryFn::Gate { (-1.0, 1.0) } else { (0.5, 3.0) };
            let inputs = vec![Operand::f32(shape, -3.0, 3.0), Operand::f32(shape, b.0, b.1)];
            Sample { op: Binary(function).into(), inputs }
        };
        BinaryFn::ALL.iter().copied().map(sample).collect()
    }
}

fn sum(g: &mut Rewriter, a: NodeId, b: NodeId) -> Option<NodeId> {
    if g.number(b) == Some(0.0) {
        return Some(a); // a + 0 = a
    }
    if g.number(a) == Some(0.0) {
        return Some(b);
    }
    if let Some(y) = g.is_unary(UnaryFn::Neg, b) {
        return Some(g.combine(BinaryFn::Sub, a, y)); // a + -y = a - y
    }
    if let Some(y) = g.is_unary(UnaryFn::Neg, a) {
        return Some(g.combine(BinaryFn::Sub, b, y)); // -y + b = b - y
    }
    (a == b).then(|| g.times(a, 2.0)) // a + a = 2 a
}

fn difference(g: &mut Rewriter, a: NodeId, b: NodeId) -> Option<NodeId> {
    if g.number(b) == Some(0.0) {
        return Some(a); // a - 0 = a
    }
    if g.number(a) == Some(0.0) {
        return Some(g.apply(UnaryFn::Neg, b)); // 0 - b = -b
    }
    let y = g.is_unary(UnaryFn::Neg, b)?;
    Some(g.combine(BinaryFn::Add, a, y)) // a - -y = a + y
}

fn product(g: &mut Rewriter, a: NodeId, b: NodeId) -> Option<NodeId> {
    // A number comes second, so that the rules need to look in one place.
    if g.is_number(a) && !g.is_number(b) {
        return Some(g.combine(BinaryFn::Mul, b, a));
    }
    if let (Some(x), Some(y)) = (g.is_unary(UnaryFn::Neg, a), g.is_unary(UnaryFn::Neg, b)) {
        return Some(g.combine(BinaryFn::Mul, x, y)); // -x -y = x y
    }
    match g.number(b) {
        Some(1.0) => return Some(a), // a 1 = a
        Some(-1.0) => return Some(g.apply(UnaryFn::Neg, a)),
        _ => {}
    }
    if let (Some(factor), Some(c)) = (g.per_row(a), g.number(b))
        && is_tame(factor * c)
    {
        // (f / rows) c = (f c) / rows, which the host computes in 64 bits.
        let leaf = Leaf::number(Source::PerRow(factor * c));
        return Some(g.add(leaf, &[]));
    }
    if let (Some(x), Some(c)) = (g.is_unary(UnaryFn::Neg, a), g.number(b)) {
        return Some(g.times(x, -c)); // -x c = x (-c)
    }
    // (x s) t = x (s t), where s and t are numbers: one product an element
    let (x, s) = g.is_binary(BinaryFn::Mul, a)?;
    let merges = match (g.number(s), g.number(b)) {
        (Some(s), Some(t)) => is_tame(s * t),
        _ => g.spread_number(s).is_some() && g.spread_number(b).is_some(),
    };
    merges.then(|| {
        let factor = g.combine(BinaryFn::Mul, s, b);
        g.combine(BinaryFn::Mul, x, factor)
    })
}

fn quotient(g: &mut Rewriter, a: NodeId, b: NodeId) -> Option<NodeId> {
    let divisor = g.number(b)?;
    if divisor == 1.0 {
        return Some(a); // a / 1 = a
    }
    // The reciprocal of a power of two is exact.
    let exact = divisor.to_bits() << 12 == 0 && is_tame(divisor);
    exact.then(|| g.times(a, 1.0 / divisor))
}

/// Whether a number is far from where 32-bit floats end.
fn is_tame(value: f64) -> bool {
    (1e-30..1e30).contains(&value.abs())
}
