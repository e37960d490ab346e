//! Spreads a value over a larger shape.

use super::{Admits, Computed, Operand, Operator, Sample, Traits, float_shapes};
use crate::graph::{Formula, Graph, MAX_INPUTS, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};

/// Repeats a value to fill a shape, in one of the three patterns that the kernels read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast {
    /// The shape of the result.
    pub shape: Shape,
}

/// How a value is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Not at all: the shapes are equal.
    Full,
    /// One number for all: `[]` to any.
    Scalar,
    /// One row for all: the last sizes are equal, and all others absent or 1.
    Row,
    /// One number a row: the last size is 1, and all others are equal.
    Column,
}

impl Broadcast {
    /// How `from` is spread to `to`, if it can be.
    pub fn pattern(from: &Shape, to: &Shape) -> Option<Pattern> {
        if from == to {
            return Some(Pattern::Full);
        }
        if from.is_scalar() {
            return Some(Pattern::Scalar);
        }
        let (from_last, to_last) = (from.last()?, to.last()?);
        if from.rank() > to.rank() {
            return None;
        }
        if !from.batch() && from.rows_per_n() == 1 && from_last == to_last {
            return Some(Pattern::Row);
        }
        let column = from_last == 1 && from.without_last() == to.without_last();
        column.then_some(Pattern::Column)
    }
}

impl Operator for Broadcast {
    fn text(&self) -> String {
        "broadcast".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        match Broadcast::pattern(&x, &self.shape) {
            Some(_) => Ok(Type::f32(self.shape)),
            None => Err(ShapeError(format!("{x} cannot be spread to {}", self.shape))),
        }
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let from = g.shape(g.node(node).inputs[0]);
        let f = Formula::new(g);
        let dy = f.term(dy);
        let dx = match Broadcast::pattern(&from, &self.shape)? {
            Pattern::Full => dy,
            Pattern::Scalar => dy.sum(),
            Pattern::Row => dy.sum_rows().broadcast(from), // [C], or [1, C] where that is asked
            Pattern::Column => dy.sum_last(),
        };
        Some(dx.id)
    }

    fn growth(&self, inputs: &[i32], _: bool) -> Option<i32> {
        Some(inputs[0])
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let x = inputs[0];
        let pattern = Broadcast::pattern(&x.shape, &self.shape).expect("the shapes fit");
        let row = self.shape.last().unwrap_or(1);
        Tensor::from_fn(self.shape, batch, |i| match pattern {
            Pattern::Full => x.data[i],
            Pattern::Scalar => x.data[0],
            Pattern::Row => x.data[i % row],
            Pattern::Column => x.data[i / row],
        })
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Spread
    }

    fn traits(&self, inputs: &[Shape]) -> Traits {
        let panels = Admits { result: inputs[0].is_scalar(), ..Admits::NONE };
        // Only a list of one number a row, or what does not depend on the batch, is spread.
        let is_list = inputs[0].dims().is_empty();
        let result = is_list || !inputs[0].batch();
        let columns = Admits { result, inputs: [is_list; MAX_INPUTS] };
        Traits { panels, columns, ..Traits::ROWS }
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        if g.graph.shape(inputs[0]) == self.shape {
            return Some(inputs[0]);
        }
        let number = g.spread_number(inputs[0])?;
        Some(g.spread(number, self.shape))
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let sample = |from, shape| Sample {
            op: Broadcast { shape }.into(),
            inputs: vec![Operand::f32(from, -1.0, 1.0)],
        };
        vec![
            sample(Shape::SCALAR, Shape::batched(&[3, 5])),
            sample(Shape::SCALAR, Shape::batched(&[])),
            sample(Shape::fixed(&[5]), Shape::batched(&[5])),
            sample(Shape::fixed(&[5]), Shape::batched(&[4, 5])),
            sample(Shape::fixed(&[1, 5]), Shape::fixed(&[3, 5])),
            sample(Shape::fixed(&[1]), Shape::batched(&[1])),
            sample(Shape::batched(&[1]), Shape::batched(&[17])),
            sample(Shape::fixed(&[4, 1]), Shape::fixed(&[4, 3])),
        ]
    }
}
