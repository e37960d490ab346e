//! Algebra: the same values, and gradients, with fewer operations.
//!
//! One walk over the graph rebuilds it node by node; a node is first rewritten, then looked up
//! among those that exist, so common subexpressions meet. A second walk drops what nothing uses.
//!
//! Rules keep what IEEE 754 computes but for the sign of a zero and the rounding of products with
//! several numbers, which are multiplied beforehand: x 0 is not 0, x - x is not 0, and sums are
//! never reordered. The stable forms of log(sigmoid x) and log(softmax x) are more exact.

use crate::graph::{Graph, NodeId, Shape};
use crate::model::Model;
use crate::op::{Bce, Binary, BinaryFn, Broadcast, Leaf, LogSoftmax, Op, Reduce, Softmax, Source};
use crate::op::{LEAST_LOG, MAX_INPUTS, Unary, UnaryFn};
use rustc_hash::{FxHashMap as HashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// Where the nodes of a graph went.
#[derive(Clone, Debug)]
pub struct Renumbering(Vec<Option<NodeId>>);

impl Renumbering {
    /// The new id of a node; `None` when nothing needed it.
    pub fn get(&self, old: NodeId) -> Option<NodeId> {
        self.0[old.index()]
    }
}

/// Simplifies what the roots need; they keep their order. Losses are written out, so nothing is
/// differentiated after it.
pub fn simplify(graph: &Graph) -> (Graph, Renumbering) {
    rewrite(graph, true)
}

/// Rebuilds a graph; the caller says whether losses are written out.
fn rewrite(graph: &Graph, written_out: bool) -> (Graph, Renumbering) {
    let live = live(graph);
    let mut builder = Simplifier::new(graph);
    let mut places: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
    for id in graph.ids().filter(|id| live[id.index()]) {
        let node = graph.node(id);
        let mut inputs = [NodeId(0); MAX_INPUTS];
        for (new, old) in inputs.iter_mut().zip(&node.inputs) {
            *new = places[old.index()].expect("inputs come first");
        }
        builder.graph.current = node.origin;
        places[id.index()] = Some(match node.op {
            Op::Bce(Bce { logits: true }) if written_out => {
                builder.bce_logits(inputs[0], inputs[1])
            }
            Op::Bce(Bce { logits: false }) if written_out => builder.bce(inputs[0], inputs[1]),
            op => builder.add(op, &inputs[..node.inputs.len()]),
        });
    }
    let place = |root: &NodeId| places[root.index()].expect("roots are live");
    builder.graph.roots = graph.roots.iter().map(place).collect();
    builder.graph.current = graph.current;

    let (swept, moved) = sweep(builder.graph);
    let places = places.into_iter().map(|place| place.and_then(|id| moved[id.index()]));
    (swept, Renumbering(places.collect()))
}

/// Simplifies the forward pass of a model, to be differentiated. Inputs, targets and parameters
/// stay, used or not.
pub fn simplify_model(mut model: Model) -> Model {
    model.set_roots();
    let mut graph = std::mem::take(&mut model.graph);
    let ports = model.inputs.iter().chain(&model.targets).map(|port| port.node);
    graph.roots.extend(ports.chain(model.params.iter().map(|param| param.node)));
    let (graph, renumbering) = rewrite(&graph, false);

    let place = |id: &mut NodeId| *id = renumbering.get(*id).expect("it is a root");
    model.inputs.iter_mut().for_each(|port| place(&mut port.node));
    model.targets.iter_mut().for_each(|port| place(&mut port.node));
    model.params.iter_mut().for_each(|param| place(&mut param.node));
    model.outputs.iter_mut().for_each(|(_, node)| place(node));
    model.metrics.iter_mut().flat_map(|metric| &mut metric.figure.values).for_each(place);
    model.loss.iter_mut().for_each(place);
    model.graph = graph;
    model.set_roots();
    model
}

/// What the roots depend on.
fn live(graph: &Graph) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    graph.roots.iter().for_each(|root| live[root.index()] = true);
    for id in graph.ids().rev() {
        if live[id.index()] {
            graph.node(id).inputs.iter().for_each(|input| live[input.index()] = true);
        }
    }
    live
}

/// Drops what the roots do not need, and says where the rest went.
fn sweep(mut graph: Graph) -> (Graph, Vec<Option<NodeId>>) {
    let live = live(&graph);
    let mut moved: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
    let place = |moved: &[Option<NodeId>], id: &mut NodeId| {
        *id = moved[id.index()].expect("it is live");
    };
    let mut count = 0;
    for index in (0..graph.nodes.len()).filter(|&index| live[index]) {
        graph.nodes[index].inputs.iter_mut().for_each(|input| place(&moved, input));
        graph.nodes.swap(count, index);
        moved[index] = Some(NodeId(count as u32));
        count += 1;
    }
    graph.nodes.truncate(count);
    graph.roots.iter_mut().for_each(|root| place(&moved, root));
    (graph, moved)
}

struct Simplifier {
    graph: Graph,
    /// The last node of each hash of what it computes; [`Self::alike`] has those before it.
    known: HashMap<u64, NodeId>,
    alike: Vec<Option<NodeId>>,
}

impl Simplifier {
    fn new(old: &Graph) -> Simplifier {
        let nodes = Vec::with_capacity(old.nodes.len());
        let (origins, hosts) = (old.origins.clone(), old.hosts.clone());
        Simplifier {
            graph: Graph { nodes, origins, hosts, ..Graph::default() },
            known: HashMap::with_capacity_and_hasher(old.nodes.len(), Default::default()),
            alike: Vec::with_capacity(old.nodes.len()),
        }
    }

    /// The node that computes this, in its simplest form.
    fn add(&mut self, op: Op, inputs: &[NodeId]) -> NodeId {
        let rewritten = match (op, inputs) {
            (Op::Unary(Unary(function)), &[x]) => self.unary(function, x),
            (Op::Binary(Binary(function)), &[a, b]) => self.binary(function, a, b),
            (Op::Broadcast(Broadcast { shape }), &[x]) => self.broadcast(x, shape),
            (Op::Reduce(Reduce { .. }), &[x]) if self.graph.shape(x).is_scalar() => Some(x),
            _ => None,
        };
        rewritten.unwrap_or_else(|| self.find_or_add(op, inputs))
    }

    /// The node that computes exactly this; sums and products may have their operands swapped.
    fn find_or_add(&mut self, op: Op, inputs: &[NodeId]) -> NodeId {
        let swaps = matches!(op, Op::Binary(Binary(BinaryFn::Add | BinaryFn::Mul)));
        let ordered = match *inputs {
            [a, b] if swaps => [a.min(b), a.max(b)],
            [a, b] => [a, b],
            _ => [NodeId(0); 2],
        };
        let mut hasher = FxHasher::default();
        (op, ordered, if inputs.len() == 2 { &[] } else { inputs }).hash(&mut hasher);
        let hash = hasher.finish();

        let mut candidate = self.known.get(&hash).copied();
        while let Some(id) = candidate {
            let node = self.graph.node(id);
            let swapped = || swaps && inputs.iter().rev().eq(&node.inputs);
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

    fn unary(&mut self, function: UnaryFn, x: NodeId) -> Option<NodeId> {
        if let Some(value) = self.graph.node(x).op.as_constant() {
            return Some(self.constant(function.apply(value)));
        }
        if let Some(number) = self.spread_number(x) {
            let number = self.apply(function, number);
            return Some(self.spread(number, self.graph.shape(x)));
        }
        match function {
            UnaryFn::Neg => self.is_unary(UnaryFn::Neg, x), // -(-y) = y
            UnaryFn::Abs => {
                let y = self.is_unary(UnaryFn::Neg, x)?; // |-y| = |y|
                Some(self.apply(UnaryFn::Abs, y))
            }
            UnaryFn::Log => self.log(x),
            _ => None,
        }
    }

    fn log(&mut self, x: NodeId) -> Option<NodeId> {
        let node = self.graph.node(x);
        if node.op == Op::from(Softmax) {
            let z = node.inputs[0];
            return Some(self.add(LogSoftmax.into(), &[z]));
        }
        // log σ(z) = -softplus(-z)
        if let Some(z) = self.is_unary(UnaryFn::Sigmoid, x) {
            let minus = self.apply(UnaryFn::Neg, z);
            let softplus = self.apply(UnaryFn::Softplus, minus);
            return Some(self.apply(UnaryFn::Neg, softplus));
        }
        // log(1 - σ(z)) = -softplus(z)
        let (one, y) = self.is_binary(BinaryFn::Sub, x)?;
        let z = self.is_unary(UnaryFn::Sigmoid, y).filter(|_| self.number(one) == Some(1.0))?;
        let softplus = self.apply(UnaryFn::Softplus, z);
        Some(self.apply(UnaryFn::Neg, softplus))
    }

    /// max(z, 0) - t z + ln(1 + e^-|z|): for t in [0, 1] no term cancels another.
    fn bce_logits(&mut self, z: NodeId, t: NodeId) -> NodeId {
        let positive = self.apply(UnaryFn::Relu, z);
        let product = self.combine(BinaryFn::Mul, t, z);
        let linear = self.combine(BinaryFn::Sub, positive, product);
        let size = self.apply(UnaryFn::Abs, z);
        let minus = self.apply(UnaryFn::Neg, size);
        let softplus = self.apply(UnaryFn::Softplus, minus);
        self.combine(BinaryFn::Add, linear, softplus)
    }

    /// -(t ln y + (1 - t) ln(1 - y)), the logarithms -100 at least.
    ///
    /// With u = 1 - y as it is rounded, ln(1 - y) is ln u + (1 - u - y) / u: exact however small y
    /// is, as the differences are. At y = 1 the second term is 0 for any divisor but 0.
    fn bce(&mut self, y: NodeId, t: NodeId) -> NodeId {
        let shape = self.graph.shape(y);
        let [one, least, tiny] = [1.0, LEAST_LOG, f64::from(f32::MIN_POSITIVE)].map(|number| {
            let number = self.constant(number);
            self.spread(number, shape)
        });
        let u = self.combine(BinaryFn::Sub, one, y);
        let rounded = self.combine(BinaryFn::Sub, one, u);
        let lost = self.combine(BinaryFn::Sub, rounded, y);
        let divisor = self.combine(BinaryFn::Max, u, tiny);
        let correction = self.combine(BinaryFn::Div, lost, divisor);
        let log_u = self.apply(UnaryFn::Log, u);
        let log_1_y = self.combine(BinaryFn::Add, log_u, correction);
        let log_y = self.apply(UnaryFn::Log, y);
        let [log_y, log_1_y] = [log_y, log_1_y].map(|log| self.combine(BinaryFn::Max, least, log));
        let rest = self.combine(BinaryFn::Sub, one, t);
        let hit = self.combine(BinaryFn::Mul, t, log_y);
        let miss = self.combine(BinaryFn::Mul, rest, log_1_y);
        let sum = self.combine(BinaryFn::Add, hit, miss);
        self.apply(UnaryFn::Neg, sum)
    }

    fn binary(&mut self, function: BinaryFn, a: NodeId, b: NodeId) -> Option<NodeId> {
        let constants = (self.graph.node(a).op.as_constant(), self.graph.node(b).op.as_constant());
        if let (Some(x), Some(y)) = constants {
            return Some(self.constant(function.apply(x, y)));
        }
        // What is the same everywhere is computed once.
        if let (Some(x), Some(y)) = (self.spread_number(a), self.spread_number(b)) {
            let number = self.combine(function, x, y);
            return Some(self.spread(number, self.graph.shape(a)));
        }
        match function {
            BinaryFn::Add => self.sum(a, b),
            BinaryFn::Sub => self.difference(a, b),
            BinaryFn::Mul => self.product(a, b),
            BinaryFn::Div => self.quotient(a, b),
            BinaryFn::Max | BinaryFn::Min | BinaryFn::Gate => None,
        }
    }

    fn sum(&mut self, a: NodeId, b: NodeId) -> Option<NodeId> {
        if self.number(b) == Some(0.0) {
            return Some(a); // a + 0 = a
        }
        if self.number(a) == Some(0.0) {
            return Some(b);
        }
        if let Some(y) = self.is_unary(UnaryFn::Neg, b) {
            return Some(self.combine(BinaryFn::Sub, a, y)); // a + -y = a - y
        }
        if let Some(y) = self.is_unary(UnaryFn::Neg, a) {
            return Some(self.combine(BinaryFn::Sub, b, y)); // -y + b = b - y
        }
        (a == b).then(|| self.times(a, 2.0)) // a + a = 2 a
    }

    fn difference(&mut self, a: NodeId, b: NodeId) -> Option<NodeId> {
        if self.number(b) == Some(0.0) {
            return Some(a); // a - 0 = a
        }
        if self.number(a) == Some(0.0) {
            return Some(self.apply(UnaryFn::Neg, b)); // 0 - b = -b
        }
        let y = self.is_unary(UnaryFn::Neg, b)?;
        Some(self.combine(BinaryFn::Add, a, y)) // a - -y = a + y
    }

    fn product(&mut self, a: NodeId, b: NodeId) -> Option<NodeId> {
        // A number comes second, so that the rules need to look in one place.
        if self.is_number(a) && !self.is_number(b) {
            return Some(self.combine(BinaryFn::Mul, b, a));
        }
        if let (Some(x), Some(y)) = (self.is_unary(UnaryFn::Neg, a), self.is_unary(UnaryFn::Neg, b))
        {
            return Some(self.combine(BinaryFn::Mul, x, y)); // -x -y = x y
        }
        match self.number(b) {
            Some(1.0) => return Some(a), // a 1 = a
            Some(-1.0) => return Some(self.apply(UnaryFn::Neg, a)),
            _ => {}
        }
        if let (Some(factor), Some(c)) = (self.per_row(a), self.number(b))
            && is_tame(factor * c)
        {
            // (f / rows) c = (f c) / rows, which the host computes in 64 bits.
            let leaf = Leaf::number(Source::PerRow(factor * c));
            return Some(self.find_or_add(leaf.into(), &[]));
        }
        if let (Some(x), Some(c)) = (self.is_unary(UnaryFn::Neg, a), self.number(b)) {
            return Some(self.times(x, -c)); // -x c = x (-c)
        }
        // (x s) t = x (s t), where s and t are numbers: one product an element
        let (x, s) = self.is_binary(BinaryFn::Mul, a)?;
        let merges = match (self.number(s), self.number(b)) {
            (Some(s), Some(t)) => is_tame(s * t),
            _ => self.spread_number(s).is_some() && self.spread_number(b).is_some(),
        };
        merges.then(|| {
            let factor = self.combine(BinaryFn::Mul, s, b);
            self.combine(BinaryFn::Mul, x, factor)
        })
    }

    fn quotient(&mut self, a: NodeId, b: NodeId) -> Option<NodeId> {
        let divisor = self.number(b)?;
        if divisor == 1.0 {
            return Some(a); // a / 1 = a
        }
        // The reciprocal of a power of two is exact.
        let exact = divisor.to_bits() << 12 == 0 && is_tame(divisor);
        exact.then(|| self.times(a, 1.0 / divisor))
    }

    fn broadcast(&mut self, x: NodeId, shape: Shape) -> Option<NodeId> {
        if self.graph.shape(x) == shape {
            return Some(x);
        }
        let number = self.spread_number(x)?;
        Some(self.spread(number, shape))
    }

    fn constant(&mut self, value: f64) -> NodeId {
        self.find_or_add(Leaf::constant(value).into(), &[])
    }

    fn apply(&mut self, function: UnaryFn, x: NodeId) -> NodeId {
        self.add(Unary(function).into(), &[x])
    }

    fn combine(&mut self, function: BinaryFn, a: NodeId, b: NodeId) -> NodeId {
        self.add(Binary(function).into(), &[a, b])
    }

    fn spread(&mut self, number: NodeId, shape: Shape) -> NodeId {
        self.add(Broadcast { shape }.into(), &[number])
    }

    fn times(&mut self, x: NodeId, factor: f64) -> NodeId {
        let number = self.constant(factor);
        let factor = self.spread(number, self.graph.shape(x));
        self.combine(BinaryFn::Mul, x, factor)
    }

    /// `y`, when the node is `function(y)`.
    fn is_unary(&self, function: UnaryFn, id: NodeId) -> Option<NodeId> {
        let node = self.graph.node(id);
        (node.op == Op::Unary(Unary(function))).then(|| node.inputs[0])
    }

    /// The operands, when the node is `function(a, b)`.
    fn is_binary(&self, function: BinaryFn, id: NodeId) -> Option<(NodeId, NodeId)> {
        let node = self.graph.node(id);
        (node.op == Op::Binary(Binary(function))).then(|| (node.inputs[0], node.inputs[1]))
    }

    /// The number that a node of some other shape than `[]` repeats.
    fn spread_number(&self, id: NodeId) -> Option<NodeId> {
        let node = self.graph.node(id);
        let Op::Broadcast(_) = node.op else { return None };
        Some(node.inputs[0]).filter(|&from| self.graph.shape(from).is_scalar())
    }

    /// The factor of a number that the host shares out among the rows.
    fn per_row(&self, id: NodeId) -> Option<f64> {
        match self.graph.node(id).op {
            Op::Leaf(Leaf { source: Source::PerRow(factor), .. }) => Some(factor),
            _ => None,
        }
    }

    /// The constant that a node is, or repeats.
    fn number(&self, id: NodeId) -> Option<f64> {
        let id = self.spread_number(id).unwrap_or(id);
        self.graph.node(id).op.as_constant()
    }

    /// Whether a node is a constant, or repeats a number.
    fn is_number(&self, id: NodeId) -> bool {
        self.spread_number(id).is_some() || self.number(id).is_some()
    }
}

/// Whether a number is far from where 32-bit floats end.
fn is_tame(value: f64) -> bool {
    (1e-30..1e30).contains(&value.abs())
}
