//! Every operator on its samples, by the runtime on every instruction set and by the oracle.

use crate::common::Net;
use arenet_compiler::graph::op::{self, Op, Sample};

/// The most that a result may be off, relative to the largest. What only picks or copies is exact.
fn tolerance(op: Op) -> f64 {
    match op {
        Op::Broadcast(_) | Op::Gather(_) | Op::Correct(_) | Op::Assign(_) | Op::Leaf(_) => 0.0,
        Op::Argmax(_) | Op::Iota(_) | Op::ToFloat(_) => 0.0,
        Op::Concat(_) | Op::Slice(_) | Op::Pad(_) | Op::Reshape(_) => 0.0,
        _ => 1e-6,
    }
}

fn check(sample: &Sample, batch: u64, rows: usize) {
    let mut net = Net::new();
    let leaves: Vec<_> = sample.inputs.iter().map(|&operand| net.leaf(operand)).collect();
    if sample.op.is_assign() {
        net.assign(leaves[0], leaves[1]);
    } else {
        let node = net.graph.add(sample.op, &leaves);
        net.watch(node);
    }
    let types: Vec<String> = sample.inputs.iter().map(|input| input.ty.to_string()).collect();
    let what = format!("{} {}", sample.op, types.join(" "));
    net.check(&what, batch, rows, &[1, 2], tolerance(sample.op));
}

#[test]
fn every_operator_gives_what_the_oracle_gives() {
    for sample in op::samples() {
        for (batch, rows) in [(1, 1), (3, 3), (40, 17), (40, 40)] {
            check(&sample, batch, rows);
        }
    }
}
