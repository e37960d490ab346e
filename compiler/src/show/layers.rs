//! The statements of a net as the layers that a prediction goes through.

use super::operation::{expressions, operation};
use crate::diagnostic::Span;
use crate::graph::op::Source;
use crate::graph::{NodeId, Type};
use crate::model::Model;
use crate::syntax::ast::Expr;
use crate::syntax::parse;
use std::collections::HashMap;

/// A statement of the net.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// What it does, in the words of the text.
    pub operation: String,
    /// Its value.
    pub ty: Type,
    /// The parameters that it is the first to use, as indices into [`Model::params`].
    pub params: Vec<usize>,
    /// The floating-point operations for one row.
    pub flops: u64,
}

/// The statements that the outputs depend on, in the order in which the text is expanded.
pub fn layers(model: &Model, source: &str) -> Vec<Layer> {
    let graph = &model.graph;
    let file = parse(source).0;
    let place = |span: Span| (span.start, span.end);
    let expressions: HashMap<(u32, u32), &Expr> =
        expressions(&file).into_iter().map(|of| (place(of.expr.span), of.expr)).collect();
    let params: HashMap<NodeId, usize> =
        model.params.iter().enumerate().map(|(index, param)| (param.node, index)).collect();
    let word = |id: NodeId, span: Span| match (expressions.get(&place(span)), graph.node(id).op) {
        (Some(expr), _) => operation(expr),
        (None, op) if matches!(op.source(), Some(Source::Input(_))) => "input".to_string(),
        (None, _) => "param".to_string(),
    };
    let mut layers: Vec<Option<Layer>> = vec![None; graph.origins.len()];
    let is_used = used(model);
    for id in graph.ids().filter(|id| is_used[id.index()]) {
        let node = graph.node(id);
        let Some(origin) = graph.origins.get(node.origin.0 as usize) else { continue };
        let layer = layers[node.origin.0 as usize].get_or_insert_with(|| Layer {
            name: origin.name.clone(),
            operation: word(id, origin.span),
            ty: node.ty(),
            params: Vec::new(),
            flops: 0,
        });
        layer.ty = node.ty();
        layer.flops = layer.flops.saturating_add(graph.flops(id, 1));
        layer.params.extend(params.get(&id));
    }
    layers.into_iter().flatten().filter(|layer| !layer.name.is_empty()).collect()
}

/// Which nodes the outputs depend on outside training, and the inputs.
pub(super) fn used(model: &Model) -> Vec<bool> {
    let mut used = vec![false; model.graph.nodes.len()];
    let mut mark = |id: NodeId| used[id.index()] = true;
    model.outputs.iter().for_each(|&(_, id)| mark(id));
    model.inputs.iter().for_each(|port| mark(port.node));
    for index in (0..used.len()).rev() {
        if used[index] {
            let reads = model.graph.nodes[index].predicts_from().iter();
            reads.for_each(|input| used[input.index()] = true);
        }
    }
    used
}
