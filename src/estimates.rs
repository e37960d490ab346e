//! Which outputs estimate which targets of numbers.

use crate::trainer::Trainer;
use arenet_compiler::graph::op::{Binary, BinaryFn, Op};

impl Trainer {
    /// The outputs and the targets, by their places, of which the loss or a metric takes the
    /// difference: both are of one unit. Nothing is known of a net that was compiled.
    #[doc(hidden)]
    pub fn estimates(&self) -> Vec<(usize, usize)> {
        let Some(text) = &self.text else { return Vec::new() };
        let model = &text.model;
        let differ = |a, b| {
            model.graph.nodes.iter().any(|node| {
                matches!(node.op, Op::Binary(Binary(BinaryFn::Sub)))
                    && matches!(node.inputs[..], [x, y] if (x, y) == (a, b) || (x, y) == (b, a))
            })
        };
        let targets = model.targets.iter().map(|target| target.node).enumerate();
        let pairs = targets.flat_map(|(target, node)| {
            let outputs = model.outputs.iter().enumerate();
            let own = outputs.filter(move |(_, (_, output))| differ(*output, node));
            own.map(move |(output, _)| (output, target))
        });
        pairs.collect()
    }
}
