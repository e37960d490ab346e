//! Emits the step of a cluster.

use super::Emitter;
use super::tape::Tape;
use crate::graph::op::Parts;
use crate::graph::{NodeId, OriginId};
use crate::pass::contract::contract;
use crate::pass::fuse::{Cluster, ClusterId};
use arenet_program::{self as program, Kernel, lines::Part};

/// The statement of each instruction, by its expression and its index in it.
pub(super) type Traces = Vec<(Part, u16, OriginId)>;

/// The contracted expression of a tape.
fn finish(mut tape: Tape<'_>, part: Part, traces: &mut Traces) -> program::Expr {
    let expr = contract(tape.expr, &mut tape.origins);
    traces.extend((0..).zip(tape.origins).map(|(instr, origin)| (part, instr, origin)));
    expr
}

impl Emitter<'_> {
    /// Emits one cluster, and the statements of its instructions that are not the step's own.
    pub(super) fn step(&self, id: ClusterId) -> (program::Step, Traces) {
        let graph = &self.stage.graph;
        let cluster = self.cluster(id);
        let mut traces = Traces::new();
        let flops = cluster.members().map(|node| graph.flops(node, self.batch));
        let origin =
            cluster.result().or(cluster.nodes.first().copied()).map(|id| graph.node(id).origin);
        let step = program::Step {
            kernel: self.kernel(cluster, &mut traces),
            origin: origin
                .and_then(|id| self.origins.get(id.0 as usize))
                .cloned()
                .unwrap_or_default(),
            flops: flops.fold(0, u64::saturating_add),
        };
        traces.retain(|&(_, _, found)| Some(found) != origin);
        (step, traces)
    }

    fn kernel(&self, cluster: &Cluster, traces: &mut Traces) -> Kernel {
        let graph = &self.stage.graph;
        let Some(anchor) = cluster.anchor else {
            return Kernel::Map(self.tail(cluster, traces));
        };
        let node = graph.node(anchor);
        let kind = node.op.anchor().expect("an anchor has a kernel of its own");
        let mut parts = Parts::default();
        for (buffer, &input) in parts.inputs.iter_mut().zip(&node.inputs) {
            *buffer = self.buffers[self.source(input).index()];
        }
        if kind.takes_body() {
            parts.body = self.body(cluster, node.inputs[0], traces);
        }
        parts.bias = cluster.bias.map(|(row, _)| self.buffer(row));
        parts.result = self.buffers[anchor.index()];
        parts.tail = self.tail(cluster, traces);
        parts.column_sums = cluster
            .column_sums
            .split_first()
            .map(|(&sum, nodes)| self.expression(Some(sum), nodes, Part::ColumnSums, traces));
        parts.joined = cluster.joined.map(|joined| {
            let last = graph.node(joined).inputs.last().expect("it has those of the anchor");
            (self.buffer(joined), self.buffer(self.source(*last)))
        });
        kind.kernel(parts)
    }

    /// The elementwise nodes on a kernel's result.
    fn tail(&self, cluster: &Cluster, traces: &mut Traces) -> program::Expr {
        self.expression(cluster.result(), &cluster.nodes, Part::Tail, traces)
    }

    /// Elementwise nodes, on a kernel's result where there is one.
    fn expression(
        &self,
        result: Option<NodeId>,
        nodes: &[NodeId],
        part: Part,
        traces: &mut Traces,
    ) -> program::Expr {
        let is_spread = |id| self.is_spread(id);
        let buffer = |id| self.buffer(id);
        let mut tape = Tape::new(&self.stage.graph, result, &is_spread, &buffer);
        if let Some(result) = result.filter(|result| self.is_kept(*result)) {
            tape.store(result);
        }
        for &node in nodes {
            tape.push(node);
            if self.is_kept(node) {
                tape.store(node);
            }
        }
        finish(tape, part, traces)
    }

    /// The elementwise nodes before a sum; without any, the value itself.
    fn body(&self, cluster: &Cluster, input: NodeId, traces: &mut Traces) -> program::Expr {
        let is_spread = |id| self.is_spread(id);
        let buffer = |id| self.buffer(id);
        let mut tape = Tape::new(&self.stage.graph, None, &is_spread, &buffer);
        for &node in &cluster.body {
            tape.push(node);
        }
        tape.value(input);
        finish(tape, Part::Body, traces)
    }
}
