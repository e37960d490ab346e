//! The text of a graph, as `arenet show --ir` prints it and as the golden tests hold it.

use super::{Graph, NodeId};
use std::fmt;

impl fmt::Display for Graph {
    /// One line a node, such as `%3: f32[N, 3] = matmul %0 %1  # h`, then the numbers of the
    /// host, and the roots in the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for id in self.ids() {
            let node = self.node(id);
            let line = format!("{id}: {} = {}{}", node.ty(), node.op, list(&node.inputs));
            match self.origins.get(node.origin.0 as usize) {
                Some(origin) if !origin.name.is_empty() => {
                    writeln!(f, "{line:<55} # {}", origin.name)?
                }
                _ => writeln!(f, "{line}")?,
            }
        }
        for (id, number) in self.hosts.iter().enumerate() {
            writeln!(f, "host {id} = {number}")?;
        }
        writeln!(f, "roots{}", list(&self.roots))
    }
}

fn list(ids: &[NodeId]) -> String {
    ids.iter().map(|id| format!(" {id}")).collect()
}
