//! One cluster -> one step.

use super::Emitter;
use super::tape::Tape;
use crate::graph::{NodeId, OriginId};
use crate::op::{self, Axis, MatMul, Op, Reduce};
use crate::pass::contract::contract;
use crate::pass::fuse::{Cluster, ClusterId};
use arenet_program::{self as program, BufferId, Kernel, Spread, lines::Part};

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
        let input = |i: usize| self.buffer(node.inputs[i]);
        match node.op {
            Op::MatMul(MatMul { transpose_a, transpose_b }) => Kernel::Gemm(program::Gemm {
                a: input(0),
                a_transposed: transpose_a,
                b: input(1),
                b_transposed: transpose_b,
                bias: cluster.bias.map(|(row, _)| self.buffer(row)),
                tail: self.tail(cluster, traces),
                column_sums: (cluster.column_sums.split_first()).map(|(&sum, nodes)| {
                    self.expression(Some(sum), nodes, Part::ColumnSums, traces)
                }),
            }),
            Op::Reduce(Reduce { axis: Axis::Rows }) => Kernel::ColumnSum(program::ColumnSum {
                x: input(0),
                tail: self.tail(cluster, traces),
            }),
            Op::Reduce(Reduce { axis }) => {
                let body = self.body(cluster, node.inputs[0], traces);
                let span = match axis {
                    Axis::Last => program::Span::Row,
                    _ => program::Span::All,
                };
                let (over, tail) = (self.witness(&body), self.tail(cluster, traces));
                Kernel::Reduce(program::Reduce { body, over, span, tail })
            }
            Op::Softmax(_) => Kernel::Softmax(program::Softmax {
                x: input(0),
                y: self.buffer(anchor),
                log: false,
            }),
            Op::LogSoftmax(_) => {
                Kernel::Softmax(program::Softmax { x: input(0), y: self.buffer(anchor), log: true })
            }
            Op::CrossEntropy(_) => Kernel::CrossEntropy(program::CrossEntropy {
                x: input(0),
                target: input(1),
                loss: self.buffers[anchor.index()],
                grad: cluster.nodes.first().map(|&grad| self.gradient(grad)),
            }),
            Op::CrossEntropyGrad(_) => Kernel::CrossEntropy(program::CrossEntropy {
                x: input(0),
                target: input(1),
                loss: None,
                grad: Some(self.gradient(anchor)),
            }),
            Op::Correct(_) => Kernel::Correct(program::Correct {
                x: input(0),
                target: input(1),
                y: self.buffer(anchor),
            }),
            Op::Random(random) => Kernel::Random(program::Random {
                y: self.buffer(anchor),
                distribution: match random.distribution {
                    op::Distribution::Uniform(low, high) => {
                        program::Distribution::Uniform(low as f32, high as f32)
                    }
                    op::Distribution::Normal(mean, deviation) => {
                        program::Distribution::Normal(mean as f32, deviation as f32)
                    }
                },
                stream: random.stream,
            }),
            op => unreachable!("{op} is no anchor"),
        }
    }

    /// The gradient of a cross-entropy and the buffer of its factor.
    fn gradient(&self, grad: NodeId) -> (BufferId, BufferId) {
        let dy = self.stage.graph.node(grad).inputs[2];
        (self.buffer(grad), self.buffer(self.source(dy)))
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

    /// A buffer that has the shape a sum runs over.
    fn witness(&self, body: &program::Expr) -> BufferId {
        let full = body.loads.iter().find(|load| load.spread == Spread::Full);
        // A body of constants alone would have been folded; one of scalars alone has their shape.
        full.or(body.loads.first()).map_or(BufferId(0), |load| load.buffer)
    }
}
