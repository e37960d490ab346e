//! Refuses outputs that depend on several rows of the batch: a prediction takes rows in batches of
//! any size, so the result of a row may depend on that row alone.

use super::Lowering;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::graph::{Graph, NodeId};
use crate::syntax::ast::{Call, Ident};

/// A call that made one value of all rows, such as `mean(x)`.
pub(super) struct Crossing<'a> {
    node: NodeId,
    function: &'a str,
    span: Span,
}

impl<'a> Lowering<'a> {
    /// Remembers what a call has added from the node `first` on that goes over the rows.
    pub(super) fn note_crossings(&mut self, call: &'a Call, first: usize) {
        let graph = &self.builder.graph;
        let added = graph.ids_from(first).filter(|&id| crosses_rows(graph, id));
        let (function, span) = (call.function.name.as_str(), call.span);
        self.crossings.extend(added.map(|node| Crossing { node, function, span }));
    }

    /// Refuses outputs that depend on other rows than their own.
    pub(super) fn check_rows(&mut self, outputs: &[(&'a Ident, NodeId)]) {
        if self.crossings.is_empty() {
            return;
        }
        let reached = first_reached(&self.builder.graph, outputs);
        for Crossing { node, function, span } in std::mem::take(&mut self.crossings) {
            let Some(output) = reached[node.index()] else { continue };
            let name = outputs[output].0;
            let message = format!(
                "`{function}` goes over all rows of the batch, so the output `{}` would depend on \
                 the rows it is predicted with",
                name.name
            );
            let error = Diagnostic::error(Code::CrossesRows, span, message);
            let error = error.label(name.span, "the output");
            self.report(error.help(
                "put a number or a `param` in its place, which is the same for every row; only a \
                 loss or a metric goes over all rows",
            ));
        }
    }
}

/// Whether a value that all rows share is made of values of each row.
fn crosses_rows(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    !node.shape.batch() && node.inputs.iter().any(|&input| graph.shape(input).batch())
}

/// For each node, the first output that depends on it.
fn first_reached(graph: &Graph, outputs: &[(&Ident, NodeId)]) -> Vec<Option<usize>> {
    let mut first: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    let earlier = |to: &mut Option<usize>, output| *to = Some(to.map_or(output, |o| o.min(output)));
    for (output, (_, node)) in outputs.iter().enumerate() {
        earlier(&mut first[node.index()], output);
    }
    for id in graph.ids().rev() {
        if let Some(output) = first[id.index()] {
            let inputs = graph.node(id).predicts_from();
            inputs.iter().for_each(|input| earlier(&mut first[input.index()], output));
        }
    }
    first
}
