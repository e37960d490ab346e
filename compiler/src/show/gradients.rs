//! The backward pass: a formula for each gradient of a value or parameter.

use super::cluster;
use super::names::{names_of, of_leaf};
use crate::emit::stages;
use crate::graph::{Graph, NodeId};
use crate::model::Model;
use crate::pass::schedule::kept;
use crate::pass::simplify::simplify;
use crate::pass::update::loss_and_gradients;
use arenet_program::{EntryPoint, PerEntry};
use std::collections::HashSet;

/// The gradients of the loss of a model that is trained, in the order in which they are computed
/// for steps of `batch` rows.
pub fn gradients(model: &Model, batch: u64) -> Vec<String> {
    let (graph, params) = loss_and_gradients(model);
    let graph = simplify(&graph);
    let split = graph.roots[0].index() + 1;
    let stages = stages(
        PerEntry::new(|entry| match entry {
            EntryPoint::Train => graph.clone(),
            _ => Graph::default(),
        }),
        batch,
        true,
    );
    let stage = &stages[EntryPoint::Train];
    let kept = kept(&stage.graph, &stage.fusion);
    let mut named: HashSet<NodeId> = graph.roots[1..].iter().copied().collect();
    let is_value = |id: NodeId| kept[id.index()] && !named.contains(&id);
    let mut names = names_of(model, stage, split, is_value);
    let mut same = Vec::new();
    for (&root, param) in graph.roots[1..].iter().zip(&params) {
        let name = format!("∂{}", model.params[*param].name);
        let is_own = root.index() >= split && graph.node(root).op.leaf().is_none();
        match named.remove(&root) && is_own {
            true => names.set(root, name),
            false => same.push((name, root)),
        }
    }
    let order = stage.schedule.iter();
    let formulas: Vec<(NodeId, String)> =
        order.flat_map(|&id| cluster(model, stage, (&kept, &names), id)).collect();
    // Values of the forward pass without a name are told where a gradient reads them.
    let mut told: HashSet<&str> = HashSet::new();
    let mut lines: Vec<String> = Vec::new();
    for (id, formula) in formulas.iter().rev() {
        let Some((name, right)) = formula.split_once(" = ") else { continue };
        if id.index() >= split || (name.starts_with('%') && told.contains(name)) {
            told.extend(right.split([' ', '(', ')', ',']).map(|word| word.trim_end_matches('ᵀ')));
            lines.push(formula.clone());
        }
    }
    lines.reverse();
    lines.extend(same.into_iter().map(|(name, root)| match graph.node(root).op.leaf() {
        Some(leaf) => format!("{name} = {}", of_leaf(model, &graph, leaf)),
        None => format!("{name} = {}", names.of(root)),
    }));
    lines
}
