//! Infix arithmetic between values of any shapes, with checks for users.

use crate::code::Code;
use crate::graph::op::{Binary, BinaryFn, Broadcast};
use crate::graph::{Graph, NodeId, Shape};
use crate::signature::Problem;

/// Adds a function of two values, spread to a common shape as in NumPy.
pub fn infix(
    graph: &mut Graph,
    function: BinaryFn,
    a: NodeId,
    b: NodeId,
) -> Result<NodeId, Problem> {
    let shape = common_shape(&graph.shape(a), &graph.shape(b))?;
    let (a, b) = (spread(graph, a, shape)?, spread(graph, b, shape)?);
    Ok(graph.try_add(Binary(function), &[a, b])?)
}

/// Spreads a value to a shape, in two steps where one is not enough: `[1]` by `[N, 1]` to `[N, 4]`.
pub fn spread(graph: &mut Graph, id: NodeId, shape: Shape) -> Result<NodeId, Problem> {
    let from = graph.shape(id);
    if from == shape {
        return Ok(id);
    }
    if Broadcast::pattern(&from, &shape).is_some() {
        return Ok(graph.try_add(Broadcast { shape }, &[id])?);
    }
    if let Some(column) = shape.last().and_then(|_| shape.with_last(1).ok())
        && Broadcast::pattern(&from, &column).is_some()
        && Broadcast::pattern(&column, &shape).is_some()
    {
        let id = graph.try_add(Broadcast { shape: column }, &[id])?;
        return Ok(graph.try_add(Broadcast { shape }, &[id])?);
    }
    let message = format!(
        "spreading {from} to {shape} is part of the language, but this version does not compile \
         it yet"
    );
    Err(Problem::new(Code::NotYet, message))
}

/// The shape that both shapes spread to: aligned at their ends, sizes are equal or one is 1.
pub fn common_shape(a: &Shape, b: &Shape) -> Result<Shape, Problem> {
    let (from_a, from_b) = (sizes(a), sizes(b));
    let rank = from_a.len().max(from_b.len());
    let size = |sizes: &[Size], i: usize| match (i + sizes.len()).checked_sub(rank) {
        Some(i) => sizes[i],
        None => Size::Fixed(1),
    };
    let mut dims = Vec::new();
    let mut batch = false;
    for i in 0..rank {
        match (size(&from_a, i), size(&from_b, i)) {
            (Size::N, Size::N | Size::Fixed(1)) | (Size::Fixed(1), Size::N) if i == 0 => {
                batch = true;
            }
            (Size::Fixed(x), Size::Fixed(y)) if x == y || y == 1 => dims.push(x),
            (Size::Fixed(1), Size::Fixed(y)) => dims.push(y),
            _ => {
                let message = format!("the shapes {a} and {b} do not fit together");
                let help = "sizes agree or are 1, from their ends on; `dense(n)` makes rows of n";
                return Err(Problem::new(Code::ShapeMismatch, message).help(help));
            }
        }
    }
    Ok(Shape::new(batch, &dims)?)
}

#[derive(Clone, Copy, PartialEq)]
enum Size {
    N,
    Fixed(usize),
}

fn sizes(shape: &Shape) -> Vec<Size> {
    let batch = shape.batch().then_some(Size::N);
    batch.into_iter().chain(shape.dims().iter().map(|&dim| Size::Fixed(dim))).collect()
}
