//! Decides in which order each value's elements lie in the arena.
//!
//! Values that elementwise nodes connect must agree, so the nodes fall into classes. A class of
//! fixed two-dimensional values lies in panels if it holds a parameter and meets nothing but matrix
//! products, as their vector operand or their result; everything else lies in rows.

use crate::graph::{Graph, NodeId, Shape};
use crate::op::{Leaf, Op, Source};
use arenet_runtime::program::{Layout, Rows};
use rustc_hash::FxHashSet as HashSet;

/// The classes of one graph.
pub struct Classes {
    class_of: Vec<usize>,
    /// Whether each class could lie in panels.
    panels: Vec<bool>,
    /// The parameters in each class.
    params: Vec<Vec<u32>>,
}

/// Groups the nodes of a graph into classes.
pub fn classes(graph: &Graph) -> Classes {
    let count = graph.nodes.len();
    let mut parent: Vec<usize> = (0..count).collect();
    for id in graph.ids() {
        let node = graph.node(id);
        if matches!(node.op, Op::Unary(_) | Op::Binary(_) | Op::Assign(_)) {
            for input in &node.inputs {
                let (a, b) = (find(&mut parent, id.index()), find(&mut parent, input.index()));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    // The leaves of one parameter and its states may be several nodes; they share a layout.
    let class_of: Vec<usize> = (0..count).map(|i| find(&mut parent, i)).collect();
    let mut panels = vec![true; count];
    let mut params = vec![Vec::new(); count];
    let mut meets_product = vec![false; count];
    for id in graph.ids() {
        let (node, own) = (graph.node(id), class_of[id.index()]);
        panels[own] &= !node.shape.batch() && node.shape.dims().len() == 2;
        match node.op {
            Op::Leaf(Leaf { source: Source::Param(param), .. })
            | Op::Leaf(Leaf { source: Source::State { param, .. }, .. }) => params[own].push(param),
            Op::Leaf(Leaf { source: Source::Const(_), .. }) => {}
            Op::Unary(_) | Op::Binary(_) | Op::Assign(_) | Op::Random(_) => {}
            Op::Broadcast(_) => {
                let source = graph.node(node.inputs[0]).shape;
                panels[own] &= source.is_scalar();
                panels[class_of[node.inputs[0].index()]] = false;
            }
            Op::MatMul(_) => {
                panels[class_of[node.inputs[0].index()]] = false;
                meets_product[class_of[node.inputs[1].index()]] = true;
            }
            _ => {
                panels[own] = false;
                for input in &node.inputs {
                    panels[class_of[input.index()]] = false;
                }
            }
        }
    }
    for root in &graph.roots {
        let is_assign = matches!(graph.node(*root).op, Op::Assign(_));
        panels[class_of[root.index()]] &= is_assign;
    }
    for class in 0..count {
        panels[class] &= !params[class].is_empty();
    }
    Classes { class_of, panels, params }
}

fn find(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

/// The parameters that must lie in rows: each shares a class with something that must, in some
/// graph.
pub fn params_in_rows(graphs: &[&Classes]) -> HashSet<u32> {
    let mut rows = HashSet::default();
    loop {
        let before = rows.len();
        for classes in graphs {
            for (params, &panels) in classes.params.iter().zip(&classes.panels) {
                if !panels || params.iter().any(|param| rows.contains(param)) {
                    rows.extend(params);
                }
            }
        }
        if rows.len() == before {
            return rows;
        }
    }
}

impl Classes {
    /// The layout of a node's value.
    pub fn layout(&self, graph: &Graph, in_rows: &HashSet<u32>, id: NodeId) -> Layout {
        let class = self.class_of[id.index()];
        let free = self.params[class].iter().all(|param| !in_rows.contains(param));
        layout(&graph.shape(id), self.panels[class] && free)
    }
}

/// The layout of a shape.
pub fn layout(shape: &Shape, panels: bool) -> Layout {
    match (shape.dims(), shape.batch()) {
        ([], false) => Layout::scalar(),
        ([], true) => Layout::list(Rows { count: 1, batched: true }),
        ([rows, cols], false) if panels => {
            Layout::Panels { rows: *rows as u64, cols: *cols as u64 }
        }
        ([.., cols], batched) => {
            let rows = Rows { count: shape.rows_per_n() as u64, batched };
            Layout::matrix(rows, *cols as u64)
        }
    }
}
