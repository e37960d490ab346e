//! Builds a graph in which no two nodes compute the same, each in its simplest form.

use super::{Graph, NodeId, Shape};
use crate::graph::op::{Binary, BinaryFn, Broadcast, Leaf, Op, Source, Unary, UnaryFn};
use rustc_hash::{FxHashMap as HashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// A graph under construction, with what the rules of operators
/// ([`Operator::simplify`](crate::graph::op::Operator::simplify)) ask of it.
pub struct Rewriter {
    /// What has been built.
    pub graph: Graph,
    /// Whether losses are written out as other operators.
    pub writes_out: bool,
    /// The last node of each hash of what it computes; [`Self::alike`] has those before it.
    known: HashMap<u64, NodeId>,
    alike: Vec<Option<NodeId>>,
}

impl Rewriter {
    /// Starts a graph that is to take the place of another.
    pub fn new(old: &Graph, writes_out: bool) -> Rewriter {
        let nodes = Vec::with_capacity(old.nodes.len());
        let (origins, hosts) = (old.origins.clone(), old.hosts.clone());
        Rewriter {
            graph: Graph { nodes, origins, hosts, ..Graph::default() },
            writes_out,
            known: HashMap::with_capacity_and_hasher(old.nodes.len(), Default::default()),
            alike: Vec::with_capacity(old.nodes.len()),
        }
    }

    /// The node that computes this, in its simplest form.
    pub fn add(&mut self, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        let op = op.into();
        op.simplify(self, inputs).unwrap_or_else(|| self.find_or_add(op, inputs))
    }

    /// The node that computes exactly this.
    fn find_or_add(&mut self, op: Op, inputs: &[NodeId]) -> NodeId {
        let commutes = op.commutes();
        let ordered = match *inputs {
            [a, b] if commutes => [a.min(b), a.max(b)],
            [a, b] => [a, b],
            _ => [NodeId(0); 2],
        };
        let mut hasher = FxHasher::default();
        (op, ordered, if inputs.len() == 2 { &[] } else { inputs }).hash(&mut hasher);
        let hash = hasher.finish();

        let mut candidate = self.known.get(&hash).copied();
        while let Some(id) = candidate {
            let node = self.graph.node(id);
            let swapped = || commutes && inputs.iter().rev().eq(&node.inputs);
            let same = inputs == &node.inputs[..] || swapped();
            if same && node.op == op {
                return id;
            }
            candidate = self.alike[id.index()];
        }
        let id = self.graph.add(op, inputs);
        self.alike.push(self.known.insert(hash, id));
        id
    }

    /// A number known to the compiler.
    pub fn constant(&mut self, value: f64) -> NodeId {
        self.add(Leaf::constant(value), &[])
    }

    /// A function of each element.
    pub fn apply(&mut self, function: UnaryFn, x: NodeId) -> NodeId {
        self.add(Unary(function), &[x])
    }

    /// A function of each pair of elements.
    pub fn combine(&mut self, function: BinaryFn, a: NodeId, b: NodeId) -> NodeId {
        self.add(Binary(function), &[a, b])
    }

    /// A number in some shape.
    pub fn spread(&mut self, number: NodeId, shape: Shape) -> NodeId {
        self.add(Broadcast { shape }, &[number])
    }

    /// The product with a number known to the compiler.
    pub fn times(&mut self, x: NodeId, factor: f64) -> NodeId {
        let number = self.constant(factor);
        let factor = self.spread(number, self.graph.shape(x));
        self.combine(BinaryFn::Mul, x, factor)
    }

    /// `y`, when the node is `function(y)`.
    pub fn is_unary(&self, function: UnaryFn, id: NodeId) -> Option<NodeId> {
        let node = self.graph.node(id);
        (node.op == Unary(function).into()).then(|| node.inputs[0])
    }

    /// The operands, when the node is `function(a, b)`.
    pub fn is_binary(&self, function: BinaryFn, id: NodeId) -> Option<(NodeId, NodeId)> {
        let node = self.graph.node(id);
        (node.op == Binary(function).into()).then(|| (node.inputs[0], node.inputs[1]))
    }

    /// The number that a node of some other shape than `[]` repeats.
    pub fn spread_number(&self, id: NodeId) -> Option<NodeId> {
        let node = self.graph.node(id);
        let from = node.op.is_broadcast().then(|| node.inputs[0])?;
        self.graph.shape(from).is_scalar().then_some(from)
    }

    /// The factor of a number that the host shares out among the rows.
    pub fn per_row(&self, id: NodeId) -> Option<f64> {
        match self.graph.node(id).op.source()? {
            Source::PerRow(factor) => Some(factor),
            _ => None,
        }
    }

    /// The constant that a node is, or repeats.
    pub fn number(&self, id: NodeId) -> Option<f64> {
        let id = self.spread_number(id).unwrap_or(id);
        self.graph.node(id).op.as_constant()
    }

    /// Whether a node is a constant, or repeats a number.
    pub fn is_number(&self, id: NodeId) -> bool {
        self.spread_number(id).is_some() || self.number(id).is_some()
    }
}
