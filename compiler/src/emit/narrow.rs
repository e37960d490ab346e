//! Decides which weights are kept in fewer bits.

use crate::Precision;
use crate::graph::op::Source;
use crate::graph::{Graph, NodeId};
use crate::model::Model;
use arenet_program::{MAX_INT8_ROWS, PerEntry};
use rustc_hash::FxHashSet as HashSet;

/// Gives every weight that may have it the precision: one that these graphs, which are all that a
/// program runs but for its initial values, use as nothing but the vector operand of products
/// without a transposition. Biases and all else stay f32, and so do weights with too many rows for
/// sums in 32 bits.
pub fn narrow(model: &mut Model, graphs: &PerEntry<Graph>, precision: Precision) {
    let (mut products, mut others) = (HashSet::default(), HashSet::default());
    for graph in graphs.iter() {
        let param = |id: NodeId| match graph.node(id).op.source()? {
            Source::Param(param) => Some(param.index()),
            _ => None,
        };
        others.extend(graph.roots.iter().filter_map(|&root| param(root)));
        for id in graph.ids() {
            let narrow = graph.traits(id).narrow;
            for (index, &input) in graph.node(id).inputs.iter().enumerate() {
                let uses = if narrow == Some(index) { &mut products } else { &mut others };
                uses.extend(param(input));
            }
        }
    }
    for &index in products.difference(&others) {
        let param = &mut model.params[index];
        let rows = param.shape.dims().first().map_or(0, |&rows| rows as u64);
        if precision != Precision::Int8 || rows <= MAX_INT8_ROWS {
            param.precision = precision;
        }
    }
}
