//! Decides the layout of every value: the order of its elements in the arena.
//!
//! Values that elementwise nodes connect must agree, so the nodes fall into classes. A class of
//! fixed two-dimensional values lies in panels if it holds a parameter and meets nothing but matrix
//! products, as their vector operand or their result. A class of narrow rows of a batch lies in
//! columns if all it meets can read and write them: a vector then holds sixteen rows, where the
//! lanes of a row of its own would mostly be padding. Everything else lies in rows.

use crate::graph::op::{Leaf, Source};
use crate::graph::{Graph, Node, NodeId, Shape};
use crate::pass::lists::Lists;
use arenet_program::{LANES, Layout, ParamId, Rows, StateId};
use rustc_hash::FxHashMap as HashMap;

/// The widest rows that lie in columns. A wider row fills most of a vector.
const MAX_COLUMNS: usize = 12;
/// The batches whose rows may lie in columns. A smaller one does not fill a vector; for a larger
/// one, the room that a product takes to transpose an operand would be too much.
const BATCHES: std::ops::RangeInclusive<u64> = LANES..=1 << 16;

/// The order of a class's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Rows,
    Panels,
    Columns,
}

/// A leaf that has one layout in every graph: a parameter with its optimizer states, or a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// An index into `Model::params`.
    Param(ParamId),
    /// An index into `Model::inputs`.
    Input(u32),
    /// An index into `Model::targets`.
    Target(u32),
}

impl Kept {
    /// What a leaf is kept as; numbers are not.
    pub fn of(leaf: &Leaf) -> Option<Kept> {
        match leaf.source {
            Source::Param(param) | Source::State(StateId { param, .. }) => Some(Kept::Param(param)),
            Source::Input(index) => Some(Kept::Input(index)),
            Source::Target(index) => Some(Kept::Target(index)),
            Source::PerRow(_) | Source::Host(_) | Source::Const(_) => None,
        }
    }
}

/// The classes of one graph.
pub struct Classes {
    batch: u64,
    class_of: Vec<usize>,
    /// What each class could be.
    forms: Vec<Form>,
    /// The leaves in each class.
    kept: Lists<Kept>,
}

/// Groups the nodes of a graph into classes, for batches of up to `batch` rows; whether any may lie
/// in columns is the caller's choice.
pub fn classes(graph: &Graph, batch: u64, may_be_columns: bool) -> Classes {
    let count = graph.nodes.len();
    let mut parent: Vec<usize> = (0..count).collect();
    for id in graph.ids() {
        let node = graph.node(id);
        for input in node.inputs.iter().take(graph.traits(id).alike) {
            let (a, b) = (find(&mut parent, id.index()), find(&mut parent, input.index()));
            parent[a.max(b)] = a.min(b);
        }
    }
    // The leaves of one parameter and its states may be several nodes; they share a layout.
    let class_of: Vec<usize> = (0..count).map(|i| find(&mut parent, i)).collect();
    let kept_leaf = |id: NodeId| Some((class_of[id.index()], Kept::of(graph.node(id).op.leaf()?)?));
    let kept = Lists::new(count, || graph.ids().filter_map(kept_leaf));
    let panels = panels(graph, &class_of, &kept);
    let columns = if may_be_columns && BATCHES.contains(&batch) {
        columns(graph, &class_of)
    } else {
        vec![false; count]
    };
    let form = |(panels, columns)| match (panels, columns) {
        (true, _) => Form::Panels,
        (_, true) => Form::Columns,
        _ => Form::Rows,
    };
    let mut forms: Vec<Form> = panels.into_iter().zip(columns).map(form).collect();
    // What is read by strides cannot lie in several panels, which have none.
    for id in graph.ids() {
        let Some(strided) = graph.traits(id).strided else { continue };
        let weight = graph.node(id).inputs[strided];
        let in_columns = forms[class_of[id.index()]] == Form::Columns;
        if in_columns && graph.shape(weight).last().is_some_and(|cols| cols > LANES as usize) {
            forms[class_of[weight.index()]] = Form::Rows;
        }
    }
    Classes { batch, class_of, forms, kept }
}

/// Whether each class could lie in panels.
fn panels(graph: &Graph, class_of: &[usize], kept: &Lists<Kept>) -> Vec<bool> {
    let mut panels = vec![true; class_of.len()];
    for id in graph.ids() {
        let (node, own) = (graph.node(id), class_of[id.index()]);
        panels[own] &= !node.shape.batch() && node.shape.dims().len() == 2;
        let admits = graph.traits(id).panels;
        panels[own] &= admits.result;
        for (input, admitted) in node.inputs.iter().zip(admits.inputs) {
            panels[class_of[input.index()]] &= admitted;
        }
    }
    for root in &graph.roots {
        panels[class_of[root.index()]] &= graph.node(*root).op.is_assign();
    }
    for (class, panels) in panels.iter_mut().enumerate() {
        *panels &= kept.of(class).iter().any(|kept| matches!(kept, Kept::Param(_)));
    }
    panels
}

/// Whether each class could lie in columns.
fn columns(graph: &Graph, class_of: &[usize]) -> Vec<bool> {
    let mut columns = vec![true; class_of.len()];
    for id in graph.ids() {
        let Node { inputs, shape, .. } = graph.node(id);
        let narrow = matches!(*shape.dims(), [cols] if cols <= MAX_COLUMNS);
        let admits = graph.traits(id).columns;
        columns[class_of[id.index()]] &= shape.batch() && narrow && admits.result;
        for (input, admitted) in inputs.iter().zip(admits.inputs) {
            columns[class_of[input.index()]] &= admitted;
        }
    }
    columns
}

fn find(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

/// Brings the graphs of a program in line: a leaf lies alike in all of them, so one that must lie
/// in rows in some graph takes the classes that it is in elsewhere along.
pub fn agree(graphs: &mut [&mut Classes]) {
    let mut classes_of: HashMap<Kept, Vec<(usize, usize)>> = HashMap::default();
    let mut in_rows: Vec<(usize, usize)> = Vec::new();
    for (graph, classes) in graphs.iter().enumerate() {
        for (class, form) in classes.forms.iter().enumerate() {
            let kept = classes.kept.of(class);
            for &kept in kept {
                classes_of.entry(kept).or_default().push((graph, class));
            }
            // Only leaves are in several graphs.
            if *form == Form::Rows && !kept.is_empty() {
                in_rows.push((graph, class));
            }
        }
    }
    while let Some((graph, class)) = in_rows.pop() {
        for index in 0..graphs[graph].kept.of(class).len() {
            let kept = graphs[graph].kept.of(class)[index];
            // Each leaf takes its classes along once.
            for (graph, class) in classes_of.remove(&kept).unwrap_or_default() {
                let form = &mut graphs[graph].forms[class];
                if std::mem::replace(form, Form::Rows) != Form::Rows {
                    in_rows.push((graph, class));
                }
            }
        }
    }
}

impl Classes {
    /// The layout of a node's value.
    pub fn layout(&self, graph: &Graph, id: NodeId) -> Layout {
        let shape = graph.shape(id);
        match (self.forms[self.class_of[id.index()]], &*shape.dims()) {
            (Form::Panels, [rows, cols]) => {
                Layout::Panels { rows: *rows as u64, cols: *cols as u64 }
            }
            (Form::Columns, [cols]) => {
                let rows = Rows { count: 1, batched: true };
                Layout::columns(rows, *cols as u64, self.batch).unwrap_or_else(|| rows_of(&shape))
            }
            _ => rows_of(&shape),
        }
    }
}

/// The layout of a shape in rows.
pub fn rows_of(shape: &Shape) -> Layout {
    match (&*shape.dims(), shape.batch()) {
        ([], false) => Layout::scalar(),
        ([], true) => Layout::list(Rows { count: 1, batched: true }),
        ([.., cols], batched) => {
            let rows = Rows { count: shape.rows_per_n() as u64, batched };
            Layout::matrix(rows, *cols as u64)
        }
    }
}
