//! Algebraic simplification: the same values and gradients with fewer operations.
//!
//! One walk over the graph rebuilds it node by node; a node is first rewritten, then looked up
//! among those that exist, so common subexpressions meet. A second walk drops what nothing uses.
//!
//! The rules stand with the operators. They keep what IEEE 754 computes but for the sign of a zero
//! and the rounding of products with several numbers, which are multiplied beforehand: x 0 is not
//! 0, x - x is not 0, and sums are never reordered. The stable forms of log(sigmoid x) and
//! log(softmax x) are more exact.

use crate::graph::{Graph, MAX_INPUTS, NodeId, Rewriter};
use crate::model::{Compared, Model};

/// Simplifies what the roots need; they keep their order. Losses are written out, so nothing is
/// differentiated after it.
pub fn simplify(graph: &Graph) -> Graph {
    rewrite(graph, true).0
}

/// Rebuilds a graph, and says where its nodes went; the caller says whether losses are written out.
fn rewrite(graph: &Graph, writes_out: bool) -> (Graph, Vec<Option<NodeId>>) {
    let live = live(graph);
    let mut builder = Rewriter::new(graph, writes_out);
    let mut places: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
    for id in graph.ids().filter(|id| live[id.index()]) {
        let node = graph.node(id);
        let mut inputs = [NodeId(0); MAX_INPUTS];
        for (new, old) in inputs.iter_mut().zip(&node.inputs) {
            *new = places[old.index()].expect("inputs come first");
        }
        builder.graph.current = node.origin;
        places[id.index()] = Some(builder.add(node.op, &inputs[..node.inputs.len()]));
    }
    let place = |root: &NodeId| places[root.index()].expect("roots are live");
    builder.graph.roots = graph.roots.iter().map(place).collect();
    builder.graph.current = graph.current;

    let (swept, moved) = sweep(builder.graph);
    let places = places.into_iter().map(|place| place.and_then(|id| moved[id.index()]));
    (swept, places.collect())
}

/// Simplifies the forward pass of a model, to be differentiated. Inputs, targets and parameters
/// stay, used or not.
pub fn simplify_model(mut model: Model) -> Model {
    model.set_roots();
    let mut graph = std::mem::take(&mut model.graph);
    let ports = model.inputs.iter().chain(&model.targets).map(|port| port.node);
    graph.roots.extend(ports.chain(model.params.iter().map(|param| param.node)));
    let (graph, places) = rewrite(&graph, false);

    let place = |id: &mut NodeId| *id = places[id.index()].expect("it is a root");
    model.inputs.iter_mut().for_each(|port| place(&mut port.node));
    model.targets.iter_mut().for_each(|port| place(&mut port.node));
    model.params.iter_mut().for_each(|param| place(&mut param.node));
    model.outputs.iter_mut().for_each(|(_, node)| place(node));
    let metrics = model.metrics.iter_mut().map(|metric| &mut metric.figure);
    let figures = model.terms.iter_mut().chain(metrics);
    figures.flat_map(|figure| &mut figure.values).for_each(place);
    model.statistics.iter_mut().for_each(|statistic| place(&mut statistic.new));
    model.fits.iter_mut().for_each(|fit| place(&mut fit.of));
    model.loss.iter_mut().for_each(place);
    let still = |&Compared { value, target, scale }: &Compared| {
        let (value, target) = (places[value.index()]?, places[target.index()]?);
        Some(Compared { value, target, scale })
    };
    model.compared = model.compared.iter().filter_map(still).collect();
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
