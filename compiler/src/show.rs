//! Prints the later stages: kernels as formulas, the schedule and the memory plan.

pub mod diagram;
pub mod gradients;
mod host;
pub mod layers;
mod names;
mod operation;
pub mod optimizer;

pub use names::{Names, names};

use crate::diagnostic::{Lines, Span};
use crate::emit::{Plan, PlannedValue, Role, Stage};
use crate::graph::op::{Binding, Leaf};
use crate::graph::{Graph, NodeId};
use crate::model::Model;
use crate::pass::fuse::{ClusterId, spread_source};
use crate::pass::schedule::kept;
use arenet_program::Routine;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::fmt::Write;

/// The kernels in the order in which they run, each as the formulas of what it keeps.
pub fn schedule(model: &Model, stage: &Stage) -> String {
    let mut text = String::new();
    for (step, formulas) in formulas(model, stage).iter().enumerate() {
        _ = writeln!(text, "{step:>4}  {}", formulas.join("\n      "));
    }
    text
}

/// What each kernel computes, in the order in which they run.
pub fn formulas(model: &Model, stage: &Stage) -> Vec<Vec<String>> {
    let kept = kept(&stage.graph, &stage.fusion);
    let names = names(model, stage, &kept);
    let texts = |id: &ClusterId| {
        let formulas = cluster(model, stage, (&kept, &names), *id);
        formulas.into_iter().map(|(_, text)| text).collect()
    };
    stage.schedule.iter().map(texts).collect()
}

/// The most operations that a formula writes out. One that is used several times is written out
/// as often, so a short kernel could make formulas of any length.
const LONGEST: usize = 64;

/// The formulas of one kernel: one for each of its results, and for each part of those that would
/// make them too long.
fn cluster(
    model: &Model,
    stage: &Stage,
    (kept, names): (&[bool], &Names),
    id: ClusterId,
) -> Vec<(NodeId, String)> {
    let cluster = &stage.fusion.clusters[id.0 as usize];
    let named = named(stage, kept, id);
    let writer = Writer { model, graph: &stage.graph, stage, own: id, named: &named, names };
    let mut formulas = Vec::new();
    for node in cluster.members() {
        if stage.graph.node(node).op.is_assign() {
            let operands = stage.graph.node(node).inputs.iter();
            let operands: Vec<String> =
                operands.map(|&operand| writer.operand(operand, Binding::Sum)).collect();
            formulas.push((node, operands.join(" <- ")));
        } else if named.contains(&node) {
            let formula = writer.formula(node, Binding::Sum);
            formulas.push((node, format!("{} = {formula}", names.of(node))));
        }
    }
    formulas
}

/// The nodes of a kernel that have a formula of their own.
fn named(stage: &Stage, kept: &[bool], id: ClusterId) -> HashSet<NodeId> {
    let mut named = HashSet::default();
    // How many operations the formula of each node has.
    let mut lengths: HashMap<NodeId, usize> = HashMap::default();
    for node in stage.fusion.clusters[id.0 as usize].members() {
        let inputs = stage.graph.node(node).inputs.iter();
        let sources =
            inputs.map(|&input| spread_source(&stage.graph, &stage.fusion.cluster_of, input));
        let written = sources.filter(|source| !named.contains(source));
        let length = 1 + written.filter_map(|source| lengths.get(&source)).sum::<usize>();
        if kept[node.index()] || length > LONGEST {
            named.insert(node);
        }
        lengths.insert(node, length);
    }
    named
}

struct Writer<'a> {
    model: &'a Model,
    graph: &'a Graph,
    stage: &'a Stage,
    own: ClusterId,
    named: &'a HashSet<NodeId>,
    names: &'a Names,
}

impl Writer<'_> {
    /// A value as an operand: by name where it has one, as a formula where only this kernel sees
    /// it.
    fn operand(&self, id: NodeId, binding: Binding) -> String {
        let source = spread_source(self.graph, &self.stage.fusion.cluster_of, id);
        if let Some(leaf) = self.graph.node(source).op.leaf() {
            return self.leaf(leaf);
        }
        let inner = self.stage.fusion.cluster_of[source.index()] == Some(self.own);
        if inner && !self.named.contains(&source) {
            self.formula(source, binding)
        } else {
            self.names.of(source)
        }
    }

    fn leaf(&self, leaf: &Leaf) -> String {
        names::of_leaf(self.model, self.graph, leaf)
    }

    /// The formula of a node, in parentheses where it binds less tightly than `binding`.
    fn formula(&self, id: NodeId, binding: Binding) -> String {
        let node = self.graph.node(id);
        let operand = |i: usize, binding| self.operand(node.inputs[i], binding);
        let (text, own) = node.op.formula(node.inputs.len(), &operand);
        if own < binding { format!("({text})") } else { text }
    }
}

/// The figures of a memory plan in a line.
pub fn plan_figures(plan: &Plan, entry: &Routine) -> String {
    let ratio = plan.bytes as f64 / plan.lower_bound.max(1) as f64;
    format!(
        "arena {} bytes, lower bound {} bytes, ratio {ratio:.2}, {} steps\n",
        plan.bytes,
        plan.lower_bound,
        entry.steps.len()
    )
}

/// The cells of a line of the memory plan.
pub type PlanRow = [String; 7];

/// The memory plan as the rows of a table, its head first; a value is followed by the place of its
/// statement in the source.
pub fn plan(plan: &Plan, entry: &Routine, source: &str) -> Vec<PlanRow> {
    let head = ["value", "at", "role", "offset", "bytes", "steps", "freed after"];
    let lines = Lines::new(source);
    let row = |value: &PlannedValue| {
        let at = match value.span {
            Span { start: 0, end: 0 } => String::new(), // what the host computes
            span => {
                let (line, column) = lines.line_column(span.start as usize);
                format!("{line}:{column}")
            }
        };
        let (steps, freed) = lifetime(value, entry);
        let role = value.role.name().to_string();
        let [offset, bytes] = [value.offset, value.bytes].map(|n| n.to_string());
        [value.name.to_string(), at, role, offset, bytes, steps, freed]
    };
    [head.map(String::from)].into_iter().chain(plan.values.iter().map(row)).collect()
}

/// The steps from a value's first to its last, and the kernel after which its bytes are free.
fn lifetime(value: &PlannedValue, entry: &Routine) -> (String, String) {
    let PlannedValue { first, last, .. } = value;
    match entry.steps.get(*last as usize) {
        _ if value.role == Role::Persistent => ("all".into(), "-".into()),
        None => (format!("{first}..end"), "-".into()),
        Some(step) => {
            let freed = format!("{} ({})", step.kernel.name(), step.origin.name);
            (format!("{first}..{last}"), freed)
        }
    }
}
