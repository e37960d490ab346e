//! Builds the graph of the initial values.

use crate::Precision;
use crate::graph::op::{self, Leaf, Source};
use crate::graph::{Graph, NodeId};
use crate::init::Init;
use crate::model::Model;
use arenet_program::{ParamId, StateId, StreamId};

/// The graph that writes the parameters' initial values and zeroes the optimizer states. Weights
/// that are not of f32 have none: they are always loaded.
pub fn init_graph(model: &Model) -> Graph {
    let mut graph = Graph { origins: model.graph.origins.clone(), ..Graph::default() };
    let params = model.params.iter().enumerate();
    for (index, param) in params.filter(|(_, param)| param.precision == Precision::F32) {
        graph.current = model.graph.node(param.node).origin;
        let leaf = graph.add(model.graph.node(param.node).op, &[]);
        let stream = StreamId(index as u32);
        let mut random = |distribution| {
            let random = op::Random { shape: param.shape, distribution, stream };
            graph.add(random, &[])
        };
        let value = match param.init {
            Init::Constant(value) => {
                let value = graph.constant(value);
                spread(&mut graph, value, param)
            }
            Init::Uniform(low, high) => random(op::Distribution::Uniform(low, high)),
            Init::Normal(mean, deviation) => random(op::Distribution::Normal(mean, deviation)),
            Init::Truncated(mean, deviation, low, high) => {
                random(op::Distribution::Truncated(mean, deviation, low, high))
            }
            Init::Orthogonal(gain) => random(op::Distribution::Orthogonal(gain)),
        };
        let assign = graph.add(op::Assign, &[leaf, value]);
        graph.roots.push(assign);
        for slot in 0..model.slots(index).len() as u32 {
            let source = Source::State(StateId { param: ParamId::at(index), slot });
            let leaf = graph.add(Leaf::f32(source, param.shape), &[]);
            let zero = graph.constant(0.0);
            let zero = spread(&mut graph, zero, param);
            let assign = graph.add(op::Assign, &[leaf, zero]);
            graph.roots.push(assign);
        }
    }
    graph
}

/// A scalar in a parameter's shape.
fn spread(graph: &mut Graph, scalar: NodeId, param: &crate::model::Param) -> NodeId {
    if param.shape.is_scalar() {
        return scalar;
    }
    graph.add(op::Broadcast { shape: param.shape }, &[scalar])
}
