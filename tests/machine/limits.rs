//! Nets at the limits of the machine's expressions: what does not fit into one kernel goes into
//! several, with the same results as the oracle's.

use crate::common::{Net, sum};
use arenet_compiler::graph::op::{Axis, Broadcast, MatMul, Operand};
use arenet_compiler::graph::{Formula, NodeId, Shape, Term};
use arenet_compiler::pass::differentiate::differentiate;
use arenet_runtime::program::{EntryPoint, Kernel, MAX_INSTRS, MAX_LOADS, MAX_STORES, Program};

const ROWS: usize = 5;

/// Lengths on both sides of a limit, and far beyond it.
fn around(limit: usize) -> [usize; 6] {
    [limit - 1, limit, limit + 1, limit + 2, 2 * limit + 1, 5 * limit]
}

fn batched(net: &mut Net) -> NodeId {
    net.leaf(Operand::f32(Shape::batched(&[3]), -1.0, 1.0))
}

fn fixed(net: &mut Net, dims: &[usize]) -> NodeId {
    net.leaf(Operand::f32(Shape::fixed(dims), -1.0, 1.0))
}

/// The sum of some nodes, each times a number of its own.
fn weighted(net: &mut Net, nodes: &[NodeId]) -> NodeId {
    let f = Formula::new(&mut net.graph);
    let term = |(i, &node): (usize, &NodeId)| f.term(node) * (1.0 / (i + 1) as f64);
    let terms: Vec<Term> = nodes.iter().enumerate().map(term).collect();
    terms.into_iter().reduce(|sum, term| sum + term).expect("there is a node").id
}

/// The sum of some nodes, as it is written.
fn plain(net: &mut Net, nodes: &[NodeId]) -> NodeId {
    let f = Formula::new(&mut net.graph);
    let terms = nodes.iter().map(|&node| f.term(node));
    terms.reduce(|sum, term| sum + term).expect("there is a node").id
}

fn product(net: &mut Net, a: NodeId, b: NodeId) -> NodeId {
    net.graph.add(MatMul { transpose_a: false, transpose_b: false }, &[a, b])
}

fn check(net: &Net, what: &str) {
    net.check(what, ROWS as u64, ROWS, &[1, 2], 1e-5);
}

/// The most operands that any map of a program loads.
fn most_loads(program: &Program) -> usize {
    let loads = program.routines[EntryPoint::Predict].steps.iter().map(|step| match &step.kernel {
        Kernel::Map(expr) => expr.loads.len(),
        _ => 0,
    });
    loads.max().unwrap_or(0)
}

#[test]
fn sums_of_any_number_of_inputs() {
    for count in around(MAX_LOADS) {
        let mut net = Net::new();
        let inputs: Vec<NodeId> = (0..count).map(|_| batched(&mut net)).collect();
        let y = plain(&mut net, &inputs);
        let z = weighted(&mut net, &inputs);
        net.watch(y);
        net.watch(z);
        check(&net, &format!("a sum of {count} inputs"));
    }
    // As many operands as there may be are read at once.
    let mut net = Net::new();
    let inputs: Vec<NodeId> = (0..MAX_LOADS).map(|_| batched(&mut net)).collect();
    let y = plain(&mut net, &inputs);
    net.watch(y);
    assert_eq!(most_loads(net.compile(ROWS as u64).program()), MAX_LOADS);
}

#[test]
fn any_number_of_results_of_one_value() {
    for count in around(MAX_STORES) {
        let mut net = Net::new();
        let (x, w) = (batched(&mut net), fixed(&mut net, &[3, 3]));
        let h = product(&mut net, x, w);
        net.watch(h);
        for i in 0..count {
            let f = Formula::new(&mut net.graph);
            let y = (f.term(h) * (i + 2) as f64 + 1.0).id;
            net.watch(y);
        }
        check(&net, &format!("{count} results of a product"));

        let mut net = Net::new();
        let x = batched(&mut net);
        for i in 0..count {
            let y = (Formula::new(&mut net.graph).term(x) + (i + 1) as f64).id;
            net.watch(y);
        }
        check(&net, &format!("{count} results of an input"));
    }
}

#[test]
fn formulas_of_any_length() {
    for count in around(MAX_STORES).into_iter().chain([MAX_INSTRS - 1, MAX_INSTRS, MAX_INSTRS + 1])
    {
        let mut net = Net::new();
        let x = batched(&mut net);
        let y = {
            let f = Formula::new(&mut net.graph);
            // Each step is read twice, and has a constant of its own.
            let mut y = f.term(x);
            for i in 0..count {
                y = (y * y + i as f64 / count as f64).tanh();
            }
            y.id
        };
        net.watch(y);
        check(&net, &format!("a formula of {count} steps"));
    }
}

#[test]
fn any_number_of_operands_on_a_result() {
    for count in around(MAX_LOADS) {
        // On the tiles of a product.
        let mut net = Net::new();
        let (x, w) = (batched(&mut net), fixed(&mut net, &[3, 3]));
        let mut terms = vec![product(&mut net, x, w)];
        terms.extend((0..count).map(|_| batched(&mut net)));
        let y = plain(&mut net, &terms);
        net.watch(y);
        check(&net, &format!("a product and {count} inputs"));

        // Before and after each kind of sum.
        for axis in [Axis::Last, Axis::Rows, Axis::All] {
            let mut net = Net::new();
            let inputs: Vec<NodeId> = (0..count).map(|_| batched(&mut net)).collect();
            let before = weighted(&mut net, &inputs);
            let total = sum(&mut net.graph, axis, before);
            let shape = net.graph.shape(total);
            let mut terms = vec![total];
            terms.extend((0..count).map(|_| net.leaf(Operand::f32(shape, -1.0, 1.0))));
            let y = weighted(&mut net, &terms);
            net.watch(y);
            check(&net, &format!("a sum of {count} inputs and as many on it, {axis:?}"));
        }

        // Rows and numbers that are spread.
        let mut net = Net::new();
        let x = batched(&mut net);
        let mut y = x;
        for i in 0..count {
            let dims: &[usize] = if i % 2 == 0 { &[3] } else { &[] };
            let (row, shape) = (fixed(&mut net, dims), net.graph.shape(x));
            let row = net.graph.add(Broadcast { shape }, &[row]);
            y = plain(&mut net, &[y, row]);
        }
        net.watch(y);
        check(&net, &format!("an input and {count} rows and numbers"));
    }
}

/// A step down the gradient of the sum of a node's squares.
fn train(net: &mut Net, y: NodeId) {
    let params = net.free_params();
    let f = Formula::new(&mut net.graph);
    let loss = ((f.term(y) * f.term(y)).sum() * 0.01).id;
    let grads = differentiate(&mut net.graph, loss, &params);
    for (param, grad) in params.into_iter().zip(grads) {
        let Some(grad) = grad else { continue };
        let f = Formula::new(&mut net.graph);
        let value = (f.term(param) - f.term(grad) * 0.25).id;
        net.assign(param, value);
    }
    net.watch(loss);
}

#[test]
fn parameters_that_are_used_any_number_of_times() {
    for count in around(MAX_LOADS) {
        let mut net = Net::new();
        let (w, b) = (fixed(&mut net, &[3, 3]), fixed(&mut net, &[3]));
        let mut results = Vec::new();
        for i in 0..count {
            let x = batched(&mut net);
            let h = product(&mut net, x, w);
            let f = Formula::new(&mut net.graph);
            results.push(((f.term(h) + f.term(b)).tanh() * (1.0 / (i + 1) as f64)).id);
        }
        let y = plain(&mut net, &results);
        train(&mut net, y);
        check(&net, &format!("parameters used {count} times"));
    }
}

#[test]
fn any_number_of_parameters_of_one_value() {
    for count in around(MAX_STORES) {
        let mut net = Net::new();
        let x = batched(&mut net);
        let params: Vec<NodeId> = (0..count).map(|_| fixed(&mut net, &[3])).collect();
        let scale = plain(&mut net, &params);
        let f = Formula::new(&mut net.graph);
        let y = (f.term(x) * f.term(scale)).id;
        train(&mut net, y);
        check(&net, &format!("{count} parameters with one gradient"));
    }
}
