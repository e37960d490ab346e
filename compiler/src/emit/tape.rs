//! Turns the elementwise nodes of a cluster into an expression.

use crate::graph::op::{Broadcast, Computed, Pattern};
use crate::graph::{Graph, NodeId, OriginId};
use arenet_program::{BufferId, Expr, Instr, Load, Spread, Value};
use rustc_hash::FxHashMap as HashMap;

/// An expression under construction.
pub struct Tape<'a> {
    graph: &'a Graph,
    /// Whether a broadcast has no buffer of its own and is read in place.
    is_spread: &'a dyn Fn(NodeId) -> bool,
    /// The buffer of a value that is read.
    buffer: &'a dyn Fn(NodeId) -> BufferId,
    values: HashMap<NodeId, Value>,
    load_index: HashMap<Load, u16>,
    const_index: HashMap<u32, u16>,
    /// What has been built.
    pub expr: Expr,
    /// The statement of each instruction.
    pub origins: Vec<OriginId>,
}

impl<'a> Tape<'a> {
    /// An empty expression on the result of a kernel.
    pub fn new(
        graph: &'a Graph,
        result: Option<NodeId>,
        is_spread: &'a dyn Fn(NodeId) -> bool,
        buffer: &'a dyn Fn(NodeId) -> BufferId,
    ) -> Tape<'a> {
        let values = result.map(|node| (node, Value::Result)).into_iter().collect();
        let (load_index, const_index) = Default::default();
        let (expr, origins) = Default::default();
        Tape { graph, is_spread, buffer, values, load_index, const_index, expr, origins }
    }

    /// The value of a node, as an operand.
    pub fn value(&mut self, id: NodeId) -> Value {
        if let Some(&value) = self.values.get(&id) {
            return value;
        }
        if (self.is_spread)(id) { self.spread(id) } else { self.operand(id, Spread::Full) }
    }

    /// What a broadcast reads.
    fn spread(&mut self, id: NodeId) -> Value {
        let (source, shape) = (self.graph.node(id).inputs[0], self.graph.shape(id));
        let spread = match Broadcast::pattern(&self.graph.shape(source), &shape) {
            Some(Pattern::Row) => Spread::Row,
            Some(Pattern::Column) => Spread::Column,
            Some(Pattern::Scalar) => Spread::Scalar,
            _ => Spread::Full,
        };
        self.operand(source, spread)
    }

    /// A constant, or a load of what another kernel has computed.
    fn operand(&mut self, source: NodeId, spread: Spread) -> Value {
        if let Some(value) = self.graph.node(source).op.as_constant() {
            let value = value as f32;
            let consts = &mut self.expr.consts;
            return Value::Const(*self.const_index.entry(value.to_bits()).or_insert_with(|| {
                consts.push(value);
                consts.len() as u16 - 1
            }));
        }
        let load = Load { buffer: (self.buffer)(source), spread };
        let loads = &mut self.expr.loads;
        Value::Load(*self.load_index.entry(load).or_insert_with(|| {
            loads.push(load);
            loads.len() as u16 - 1
        }))
    }

    /// Adds an elementwise node.
    pub fn push(&mut self, id: NodeId) {
        let node = self.graph.node(id);
        let op = match node.op.computed() {
            Computed::Instr(op) => op,
            Computed::Spread => {
                let value = self.spread(id);
                self.values.insert(id, value);
                return;
            }
            Computed::Store => {
                let value = self.value(node.inputs[1]);
                self.expr.stores.push((value, (self.buffer)(node.inputs[0])));
                return;
            }
            _ => unreachable!("{} is not elementwise", node.op),
        };
        let first = self.value(node.inputs[0]);
        let second = node.inputs.get(1).map_or(first, |&input| self.value(input));
        self.values.insert(id, Value::Instr(self.expr.code.len() as u16));
        self.expr.code.push(Instr { op, args: [first, second, first] });
        self.origins.push(node.origin);
    }

    /// Stores a node's value.
    pub fn store(&mut self, id: NodeId) {
        let value = self.value(id);
        self.expr.stores.push((value, (self.buffer)(id)));
    }
}
