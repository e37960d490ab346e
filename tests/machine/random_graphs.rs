//! Random graphs: the runtime against the oracle, and the same bits on every instruction set and
//! with one thread or two.
//!
//! A graph is a list of small codes, each read against the nodes there are so far, so that any list
//! means something and a failing one shrinks to a short one.

use crate::common::{Net, sum};
use arenet_compiler::graph::op::{self, Axis, Broadcast, MatMul, Op, Operand};
use arenet_compiler::graph::{Formula, Graph, NodeId, Shape, Term};
use arenet_compiler::pass::differentiate::differentiate;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// What one code asks for; `a` and `b` pick operands among the nodes, `kind` a variant.
#[derive(Clone, Copy, Debug)]
struct Code {
    action: Action,
    a: usize,
    b: usize,
    kind: usize,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Leaf,
    Unary,
    Binary,
    Spread,
    Product,
    Sum,
    Softmax,
    CrossEntropy,
    Watch,
    Assign,
    Train,
}

fn action() -> impl Strategy<Value = Action> {
    use Action::*;
    prop_oneof![
        1 => Just(Leaf),
        3 => Just(Unary),
        6 => Just(Binary),
        2 => Just(Spread),
        4 => Just(Product),
        3 => Just(Sum),
        1 => Just(Softmax),
        1 => Just(CrossEntropy),
        2 => Just(Watch),
        2 => Just(Assign),
        1 => Just(Train),
    ]
}

fn code() -> impl Strategy<Value = Code> {
    let fields = (action(), 0..64usize, 0..64usize, 0..64usize);
    fields.prop_map(|(action, a, b, kind)| Code { action, a, b, kind })
}

const WIDTHS: [usize; 6] = [1, 3, 16, 17, 20, 33];

/// A graph under construction.
struct Grown {
    net: Net,
    /// The nodes to pick from, each with a bound on its elements.
    nodes: Vec<(NodeId, f64)>,
    batch: f64,
}

impl Grown {
    fn new(batch: usize) -> Grown {
        let mut grown = Grown { net: Net::new(), nodes: Vec::new(), batch: batch as f64 };
        grown.leaf(Shape::batched(&[17]));
        grown.leaf(Shape::fixed(&[17]));
        grown
    }

    fn graph(&mut self) -> &mut Graph {
        &mut self.net.graph
    }

    fn shape(&self, node: NodeId) -> Shape {
        self.net.graph.shape(node)
    }

    fn leaf(&mut self, shape: Shape) -> NodeId {
        let node = self.net.leaf(Operand::f32(shape, -2.0, 2.0));
        self.nodes.push((node, 2.0));
        node
    }

    fn pick(&self, index: usize) -> (NodeId, f64) {
        self.nodes[index % self.nodes.len()]
    }

    /// Adds a formula. What may be large is brought back to where f32 and f64 stay close.
    fn grow(&mut self, bound: f64, build: impl for<'f> FnOnce(&'f Formula<'f>) -> Term<'f>) {
        let formula = Formula::new(&mut self.net.graph);
        let term = build(&formula);
        let large = bound > 30.0;
        let id = if large { (term * (2.0 / bound)).id } else { term.id };
        self.nodes.push((id, if large { 2.0 } else { bound }));
    }

    fn add(&mut self, code: Code) {
        let Code { action, a, b, kind } = code;
        let ((a, a_bound), (b, b_bound)) = (self.pick(a), self.pick(b));
        match action {
            Action::Leaf => _ = self.leaf(leaf_shape(kind)),
            Action::Unary => self.unary(a, a_bound, kind),
            Action::Binary => self.binary((a, a_bound), (b, b_bound), kind),
            Action::Spread => self.spread(a, a_bound, kind),
            Action::Product => self.product((a, a_bound), (b, b_bound), kind),
            Action::Sum => self.sum(a, a_bound, kind),
            Action::Softmax if self.shape(a).last().is_some() => self.grow(10.0 + a_bound, |f| {
                if kind.is_multiple_of(2) { f.term(a).softmax() } else { f.term(a).log_softmax() }
            }),
            Action::CrossEntropy => self.cross_entropy(a, a_bound),
            Action::Watch => self.net.watch(a),
            Action::Assign => self.assign(b),
            Action::Train => self.train(a),
            Action::Softmax => {}
        }
    }

    fn unary(&mut self, a: NodeId, bound: f64, kind: usize) {
        self.grow(bound.max(1.0) + 1.0, |f| {
            let x = f.term(a);
            match kind % 10 {
                0 => -x,
                1 => x.abs(),
                2 => (x.abs() + 1.0).sqrt(),
                3 => (-x.abs()).exp(),
                4 => (x.abs() + 1.0).log(),
                5 => x.sigmoid(),
                6 => x.tanh(),
                7 => x.softplus(),
                8 => x.normal_cdf(),
                _ => x.erf(),
            }
        });
    }

    /// A function of two values, one of them spread where it must be.
    fn binary(&mut self, (a, a_bound): (NodeId, f64), (b, b_bound): (NodeId, f64), kind: usize) {
        let (from, to) = (self.shape(b), self.shape(a));
        let fits =
            Broadcast::pattern(&from, &to).is_some() || Broadcast::pattern(&to, &from).is_some();
        let bound = match kind % 7 {
            2 => a_bound * b_bound,
            _ => a_bound + b_bound + 1.0,
        };
        self.grow(bound, |f| {
            // What does not fit is first made one number.
            let scale = 1.0 / 2000.0;
            let (x, y) = (f.term(a), f.term(b));
            let y = if fits { y } else { y.sum() * scale };
            match kind % 7 {
                0 => x + y,
                1 => x - y,
                2 if fits => x * y,
                3 => x / (y.abs() + 1.0),
                4 => x.max(y),
                5 => x.min(y),
                _ => x.relu() - y,
            }
        });
    }

    fn spread(&mut self, a: NodeId, bound: f64, kind: usize) {
        let from = self.shape(a);
        let width = WIDTHS[kind % WIDTHS.len()];
        let to = match kind / WIDTHS.len() % 4 {
            0 => Shape::batched(&[from.last().unwrap_or(width)]),
            1 => Shape::fixed(&[1, from.last().unwrap_or(width)]),
            2 => Shape::fixed(&[3, from.last().unwrap_or(width)]),
            _ if from.last() == Some(1) => from.with_last(width).expect("it is small"),
            _ => from,
        };
        if Broadcast::pattern(&from, &to).is_some() {
            let node = self.graph().add(Broadcast { shape: to }, &[a]);
            self.nodes.push((node, bound));
        }
    }

    fn product(&mut self, (a, a_bound): (NodeId, f64), (b, b_bound): (NodeId, f64), kind: usize) {
        let (a_shape, b_shape) = (self.shape(a), self.shape(b));
        let Some(k) = a_shape.last() else { return };
        let transpose_a = kind.is_multiple_of(4);
        let op = MatMul { transpose_a, transpose_b: kind % 4 == 1 };
        let types = [a, b].map(|id| self.net.graph.node(id).ty());
        if Op::from(op).infer(&types).is_ok() {
            let inner = if transpose_a { a_shape.rows(self.batch as usize) } else { k };
            let bound = inner as f64 * a_bound * b_bound;
            return self.grow(bound, |f| f.op(op, &[f.term(a), f.term(b)]));
        }
        // No operand that fits: multiply by a weight, maybe one that is already there.
        let m = WIDTHS[kind % WIDTHS.len()];
        let dims = if op.transpose_b { [m, k] } else { [k, m] };
        let shape = Shape::fixed(&dims);
        let known = self.net.free_params().into_iter().find(|&id| self.shape(id) == shape);
        let weight = known.filter(|_| kind >= 32).unwrap_or_else(|| self.leaf(shape));
        let op = MatMul { transpose_a: false, ..op };
        let bias = kind.is_multiple_of(3).then(|| self.leaf(Shape::fixed(&[m])));
        let _ = b_shape;
        self.grow(k as f64 * a_bound * 2.0 + 2.0, |f| {
            let product = f.op(op, &[f.term(a), f.term(weight)]);
            bias.map_or(product, |bias| product + f.term(bias))
        });
    }

    fn sum(&mut self, a: NodeId, bound: f64, kind: usize) {
        let shape = self.shape(a);
        let axis = match (kind % 3, shape.last()) {
            (0, Some(_)) => Axis::Last,
            (1, Some(_)) => Axis::Rows,
            _ => Axis::All,
        };
        let elements = shape.elements(self.batch as usize).expect("it is small") as f64;
        let graph = self.graph();
        let node = sum(graph, axis, a);
        self.grow(bound * elements, |f| f.term(node));
    }

    fn cross_entropy(&mut self, logits: NodeId, bound: f64) {
        let shape = self.shape(logits);
        let (Some(classes), true) = (shape.last(), shape.batch()) else { return };
        let target = self.net.leaf(Operand::classes(shape.without_last(), classes));
        self.grow(2.0 * bound + 4.0, |f| f.op(op::CrossEntropy, &[f.term(logits), f.term(target)]));
    }

    /// Overwrites a parameter by a value of its shape, while others may still read it.
    fn assign(&mut self, value: NodeId) {
        let shape = self.shape(value);
        // What is assigned is computed, as updates are: two leaves could not be exchanged in place.
        if shape.batch() || matches!(self.net.graph.node(value).op, Op::Leaf(_) | Op::Broadcast(_))
        {
            return;
        }
        let fits = |&id: &NodeId| self.shape(id) == shape;
        if let Some(param) = self.net.free_params().into_iter().find(fits) {
            self.net.assign(param, value);
        }
    }

    /// One step down the gradient of the sum of a node's squashed values.
    fn train(&mut self, a: NodeId) {
        let params = self.net.free_params();
        let f = Formula::new(&mut self.net.graph);
        let loss = (f.term(a).tanh().sum() * (1.0 / 2000.0)).id;
        let grads = differentiate(self.graph(), loss, &params);
        for (param, grad) in params.into_iter().zip(grads) {
            let Some(grad) = grad else { continue };
            let f = Formula::new(&mut self.net.graph);
            let value = (f.term(param) - f.term(grad) * 0.25).id;
            self.net.assign(param, value);
        }
        self.net.watch(loss);
    }
}

fn leaf_shape(kind: usize) -> Shape {
    let width = WIDTHS[kind / 8 % WIDTHS.len()];
    match kind % 8 {
        0 => Shape::SCALAR,
        1 => Shape::fixed(&[width]),
        2 => Shape::fixed(&[3, width]),
        3 => Shape::fixed(&[1, width]),
        4 => Shape::batched(&[]),
        5 => Shape::batched(&[2, width]),
        6 => Shape::batched(&[1]),
        _ => Shape::batched(&[width]),
    }
}

fn check(codes: &[Code], batch: usize, rows: usize) {
    let mut grown = Grown::new(batch);
    codes.iter().for_each(|&code| grown.add(code));
    // Whatever happened last is looked at, and an input is an output as well.
    let (last, _) = grown.nodes[grown.nodes.len() - 1];
    grown.net.watch(last);
    grown.net.watch(grown.nodes[0].0);
    grown.net.check("a random graph", batch as u64, rows, &[1, 2], 1e-4);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn runtime_and_oracle_agree(
        codes in prop::collection::vec(code(), 1..60),
        // Small and full batches run as straight-line code; of large ones, each thread has rows of
        // its own.
        batch in prop_oneof![1..4usize, 1..40usize, 64..130usize],
        missing in prop_oneof![Just(0usize), 0..40usize],
    ) {
        check(&codes, batch, batch - missing.min(batch - 1));
    }
}
