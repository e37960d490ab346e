//! Checks that a graph is well-formed. A violation is a mistake of the compiler, never of a user.

use super::{Graph, NodeId, Type};

/// Checks every node and root; the error is a sentence that names the node.
///
/// A well-formed graph has its inputs before their users, shapes and elements that are those its
/// operators infer, origins and roots that exist, and no leaf assigned twice.
pub fn verify(graph: &Graph) -> Result<(), String> {
    for id in graph.ids() {
        verify_node(graph, id).map_err(|why| format!("{id} ({}): {why}", graph.node(id).op))?;
    }
    match graph.roots.iter().find(|root| root.index() >= graph.nodes.len()) {
        Some(root) => Err(format!("the root {root} does not exist")),
        None => verify_assignments(graph),
    }
}

fn verify_node(graph: &Graph, id: NodeId) -> Result<(), String> {
    let node = graph.node(id);
    if let Some(input) = node.inputs.iter().find(|&&input| input >= id) {
        return Err(format!("its input {input} does not come before it"));
    }
    let types: Vec<Type> = node.inputs.iter().map(|&input| graph.node(input).ty()).collect();
    let inferred = node.op.infer(&types).map_err(|error| error.to_string())?;
    if inferred != node.ty() {
        return Err(format!("it says {}, but its operands make {inferred}", node.ty()));
    }
    // Graphs made by hand, in tests, have no origins at all.
    if !graph.origins.is_empty() && node.origin.0 as usize >= graph.origins.len() {
        return Err("its origin does not exist".into());
    }
    Ok(())
}

fn verify_assignments(graph: &Graph) -> Result<(), String> {
    let mut assigned = vec![false; graph.nodes.len()];
    for id in graph.ids().filter(|&id| graph.node(id).op.is_assign()) {
        let leaf = graph.node(id).inputs[0];
        if !graph.node(leaf).op.is_variable() {
            return Err(format!("{id} assigns to {leaf}, which is no parameter or state"));
        }
        if std::mem::replace(&mut assigned[leaf.index()], true) {
            return Err(format!("{id} assigns to {leaf}, which is assigned already"));
        }
    }
    Ok(())
}
