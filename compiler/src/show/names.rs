//! The names of values in formulas: those of their statements, where only one value has the name.

use crate::emit::{Stage, first_gradient, statement_ends};
use crate::graph::op::{Leaf, Source};
use crate::graph::{Graph, NodeId};
use crate::model::{Model, Port};
use arenet_program::{HostNumber, StateId};
use rustc_hash::FxHashMap as HashMap;

/// The names of values of an entry point; one without a name is written as its id.
pub struct Names(HashMap<NodeId, String>);

impl Names {
    /// How a value is written.
    pub fn of(&self, id: NodeId) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// Gives a value a name.
    pub(super) fn set(&mut self, id: NodeId, name: String) {
        self.0.insert(id, name);
    }
}

/// Names the values that kernels keep as the memory plan does: the last value of a statement is
/// called like it, and the only gradient of its rows is marked with ∂.
pub fn names(model: &Model, stage: &Stage, kept: &[bool]) -> Names {
    let split = first_gradient(&stage.graph);
    names_of(model, stage, split, |id| kept[id.index()])
}

/// Names these values, where the backward pass begins at the node `split`.
pub(super) fn names_of(
    model: &Model,
    stage: &Stage,
    split: usize,
    is_value: impl Fn(NodeId) -> bool,
) -> Names {
    let graph = &stage.graph;
    let ends = statement_ends(graph, split);
    let mut values: HashMap<String, Vec<NodeId>> = HashMap::default();
    for id in graph.ids().filter(|id| graph.node(*id).op.leaf().is_none()) {
        let node = graph.node(id);
        let Some(origin) = graph.origin(id).filter(|_| is_value(id)) else { continue };
        let end = ends[node.origin.0 as usize];
        let name = match id.index() >= split {
            _ if node.op.is_assign() || origin.name.is_empty() => continue,
            true if node.shape.batch() => format!("∂{}", origin.name),
            false if end == Some(id) => origin.name.clone(),
            _ => continue,
        };
        values.entry(name).or_default().push(id);
    }
    for leaf in graph.nodes.iter().filter_map(|node| node.op.leaf()) {
        values.remove(&of_leaf(model, graph, leaf));
    }
    let only = |(name, ids): (String, Vec<NodeId>)| match ids[..] {
        [id] => Some((id, name)),
        _ => None,
    };
    Names(values.into_iter().filter_map(only).collect())
}

/// How a leaf is written.
pub(super) fn of_leaf(model: &Model, graph: &Graph, leaf: &Leaf) -> String {
    let port = |ports: &[Port], i: u32| ports[i as usize].name.clone();
    match leaf.source {
        Source::Input(i) => port(&model.inputs, i),
        Source::Target(i) => port(&model.targets, i),
        Source::Param(i) => model.params[i.index()].name.clone(),
        Source::State(StateId { param, slot }) => {
            let slots = model.slots(param.index());
            let slot = slots.get(slot as usize).copied().unwrap_or("state");
            format!("{}.{slot}", model.params[param.index()].name)
        }
        Source::PerRow(factor) => HostNumber::per_row(factor).name(),
        Source::Host(id) => graph.hosts[id.index()].name(),
        Source::Const(value) => format!("{value}"),
    }
}
