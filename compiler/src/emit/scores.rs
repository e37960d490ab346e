//! What the outputs say of the targets: by what the loss and the metrics compare with them, and by
//! softmax and sigmoid, which turn logits into probabilities.

use crate::graph::op::{Op, Softmax, Source, Unary, UnaryFn};
use crate::graph::{DType, Node, NodeId};
use crate::model::{Compared, Model};
use arenet_program::{Scale, Scores};
use rustc_hash::FxHashMap as HashMap;

/// What is said of a value; nothing where it is compared with several targets.
#[derive(Clone, Copy)]
pub struct Claim {
    target: NodeId,
    /// Without, functions take it for different things.
    scale: Option<Scale>,
}

/// What the loss and the metrics take values for, and so what softmax or sigmoid made them of.
pub fn claims(model: &Model) -> HashMap<NodeId, Option<Claim>> {
    let mut claims = HashMap::default();
    for &Compared { value, target, scale } in &model.compared {
        let node = model.graph.node(value);
        add(&mut claims, value, target, scale);
        if let Some(made) = made(node, model.graph.node(target)) {
            add(&mut claims, value, target, made);
            add(&mut claims, node.inputs[0], target, Scale::Logit);
        }
    }
    claims
}

fn add(claims: &mut HashMap<NodeId, Option<Claim>>, value: NodeId, target: NodeId, scale: Scale) {
    let known = claims.entry(value).or_insert(Some(Claim { target, scale: Some(scale) }));
    *known = known.filter(|known| known.target == target).map(|known| Claim {
        scale: match known.scale {
            Some(Scale::Order) => Some(scale),
            own if scale == Scale::Order || own == Some(scale) => own,
            _ => None,
        },
        ..known
    });
}

/// What a node makes of logits of such a target, if it is softmax or sigmoid.
fn made(node: &Node, target: &Node) -> Option<Scale> {
    match (&node.op, target.dtype) {
        (Op::Softmax(Softmax { log: false }), DType::I32) => Some(Scale::Probability),
        (Op::Softmax(Softmax { log: true }), DType::I32) => Some(Scale::Log),
        (Op::Unary(Unary(UnaryFn::Sigmoid)), DType::F32) => Some(Scale::Probability),
        _ => None,
    }
}

/// What an output says of a target.
pub fn of(
    model: &Model,
    claims: &HashMap<NodeId, Option<Claim>>,
    output: NodeId,
) -> Option<Scores> {
    let node = model.graph.node(output);
    let own = claims.get(&output).copied().flatten();
    // What nothing is compared with may be made of logits that something is.
    let of_logits = || {
        let claim = claims.get(node.inputs.first()?).copied().flatten()?;
        let scale = Some(made(node, model.graph.node(claim.target))?);
        Some(Claim { scale, ..claim })
    };
    let claim = if claims.contains_key(&output) { own } else { of_logits() }?;
    match model.graph.node(claim.target).op.source()? {
        Source::Target(target) => {
            Some(Scores { target, scale: claim.scale.unwrap_or(Scale::Order) })
        }
        _ => None,
    }
}
