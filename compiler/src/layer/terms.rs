//! What a loss is over many batches, where the mean of their losses is another one: a mean by
//! factors of rows is divided by the factors of all of them.

use super::Builder;
use super::metric::ratio_of_sums;
use crate::graph::op::{Binary, BinaryFn, Op, Source, Unary, UnaryFn};
use crate::graph::{Node, NodeId};
use crate::model::Figure;
use arenet_program::Finish;

/// The figures whose sum is this loss over many batches: the quotients of the means by factors that
/// it adds up, and the mean of the rest. There are none where it adds up no such mean; nor of one
/// that is not added up, such as a root, which stays a mean of those of the batches.
pub fn terms(builder: &mut Builder, loss: NodeId) -> Vec<Figure> {
    let Builder { graph, quotients, .. } = builder;
    let count = loss.index() + 1;
    // Whether each node depends on the batch, and whether it adds up means by factors.
    let (mut varies, mut adds) = (vec![false; count], vec![false; count]);
    for (index, node) in graph.nodes[..count].iter().enumerate() {
        varies[index] = is_of_batch(node) || node.inputs.iter().any(|id| varies[id.index()]);
        let is_mean = quotients.contains_key(&NodeId(index as u32));
        adds[index] = is_mean || shares(node, &varies).iter().any(|(of, _)| adds[of.index()]);
    }
    if !adds[loss.index()] {
        return Vec::new();
    }
    graph.current = graph.node(loss).origin;
    // What each node is multiplied by, complete when all that reads it is done.
    let mut factors: Vec<Option<NodeId>> = vec![None; count];
    factors[loss.index()] = Some(graph.constant(1.0));
    let (mut figures, mut rest) = (Vec::new(), None);
    for index in (0..count).rev() {
        let id = NodeId(index as u32);
        let Some(factor) = factors[index] else { continue };
        if let Some(&[sum, counted]) = quotients.get(&id) {
            let sum = graph.add(Binary(BinaryFn::Mul), &[sum, factor]);
            figures.push(Figure { values: vec![sum, counted], finish: ratio_of_sums(false) });
        } else if adds[index] {
            for (of, share) in shares(graph.node(id), &varies) {
                let own = match share {
                    Share::All => factor,
                    Share::Negated => graph.add(Unary(UnaryFn::Neg), &[factor]),
                    Share::By(function, other) => graph.add(Binary(function), &[factor, other]),
                };
                let all = factors[of.index()].map(|all| graph.add(ADD, &[all, own]));
                factors[of.index()] = Some(all.unwrap_or(own));
            }
        } else {
            let own = graph.add(Binary(BinaryFn::Mul), &[id, factor]);
            rest = Some(rest.map_or(own, |rest| graph.add(ADD, &[rest, own])));
        }
    }
    figures.reverse();
    figures.extend(rest.map(|rest| Figure { values: vec![rest], finish: Finish::mean() }));
    figures
}

const ADD: Binary = Binary(BinaryFn::Add);

/// How an operand counts in a result that is linear in it.
enum Share {
    All,
    Negated,
    /// Multiplied or divided by what is the same for all batches.
    By(BinaryFn, NodeId),
}

/// The operands that a result is linear in.
fn shares(node: &Node, varies: &[bool]) -> Vec<(NodeId, Share)> {
    let is_fixed = |id: NodeId| !varies[id.index()];
    match (node.op, &node.inputs[..]) {
        (Op::Unary(Unary(UnaryFn::Neg)), &[a]) => vec![(a, Share::Negated)],
        (Op::Binary(Binary(function)), &[a, b]) => match function {
            BinaryFn::Add => vec![(a, Share::All), (b, Share::All)],
            BinaryFn::Sub => vec![(a, Share::All), (b, Share::Negated)],
            BinaryFn::Mul | BinaryFn::Div if is_fixed(b) => vec![(a, Share::By(function, b))],
            BinaryFn::Mul if is_fixed(a) => vec![(b, Share::By(function, a))],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether a node has other values for each batch whatever its operands.
fn is_of_batch(node: &Node) -> bool {
    let is_constant = |source| matches!(source, Source::Param(_) | Source::Const(_));
    node.op.is_random() || node.op.source().is_some_and(|source| !is_constant(source))
}
