//! Prints the later stages: kernels as formulas, the schedule and the memory plan.

mod host;
pub mod optimizer;

use crate::diagnostic::{Lines, Span};
use crate::emit::{Plan, PlannedValue, Role, Stage};
use crate::graph::op::{Binding, Leaf, Source};
use crate::graph::{Graph, NodeId};
use crate::model::Model;
use crate::pass::fuse::{ClusterId, spread_source};
use crate::pass::schedule::kept;
use arenet_program::{HostNumber, Routine, StateId};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::fmt::Write;

/// The kernels in the order in which they run, each as the formulas of what it keeps.
pub fn schedule(model: &Model, stage: &Stage) -> String {
    let kept = kept(&stage.graph, &stage.fusion);
    let mut text = String::new();
    for (step, &id) in stage.schedule.iter().enumerate() {
        let formulas = cluster(model, stage, &kept, id);
        _ = writeln!(text, "{step:>4}  {}", formulas.join("\n      "));
    }
    text
}

/// The most operations that a formula writes out. One that is used several times is written out
/// as often, so a short kernel could make formulas of any length.
const LONGEST: usize = 64;

/// The formulas of one kernel: one for each of its results, and for each part of those that would
/// make them too long.
pub fn cluster(model: &Model, stage: &Stage, kept: &[bool], id: ClusterId) -> Vec<String> {
    let cluster = &stage.fusion.clusters[id.0 as usize];
    let named = named(stage, kept, id);
    let writer = Writer { model, graph: &stage.graph, stage, own: id, named: &named };
    let mut formulas = Vec::new();
    for node in cluster.members() {
        if stage.graph.node(node).op.is_assign() {
            let operands = stage.graph.node(node).inputs.iter();
            let operands: Vec<String> =
                operands.map(|&operand| writer.operand(operand, Binding::Sum)).collect();
            formulas.push(operands.join(" <- "));
        } else if named.contains(&node) {
            formulas.push(format!("{node} = {}", writer.formula(node, Binding::Sum)));
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
            source.to_string()
        }
    }

    fn leaf(&self, leaf: &Leaf) -> String {
        let port = |ports: &[crate::model::Port], i: u32| ports[i as usize].name.clone();
        match leaf.source {
            Source::Input(i) => port(&self.model.inputs, i),
            Source::Target(i) => port(&self.model.targets, i),
            Source::Param(i) => self.model.params[i.index()].name.clone(),
            Source::State(StateId { param, slot }) => {
                let slots = self.model.slots(param.index());
                let slot = slots.get(slot as usize).copied().unwrap_or("state");
                format!("{}.{slot}", self.model.params[param.index()].name)
            }
            Source::PerRow(factor) => HostNumber::per_row(factor).name(),
            Source::Host(id) => self.graph.hosts[id.index()].name(),
            Source::Const(value) => format!("{value}"),
        }
    }

    /// The formula of a node, in parentheses where it binds less tightly than `binding`.
    fn formula(&self, id: NodeId, binding: Binding) -> String {
        let node = self.graph.node(id);
        let operand = |i: usize, binding| self.operand(node.inputs[i], binding);
        let (text, own) = node.op.formula(node.inputs.len(), &operand);
        if own < binding { format!("({text})") } else { text }
    }
}

/// The memory plan as a table, its figures in the heading; a value is followed by the place of its
/// statement in the source.
pub fn plan(plan: &Plan, entry: &Routine, source: &str) -> String {
    let mut text = String::new();
    let ratio = plan.bytes as f64 / plan.lower_bound.max(1) as f64;
    _ = writeln!(
        text,
        "arena {} bytes, lower bound {} bytes, ratio {ratio:.2}, {} steps\n",
        plan.bytes,
        plan.lower_bound,
        entry.steps.len()
    );
    let names = plan.values.iter().map(|value| value.name.chars().count());
    let width = names.max().unwrap_or(0).max(5);
    _ = writeln!(
        text,
        "{:<width$}  {:>7}  {:<10} {:>12} {:>12}  {:<10} freed after",
        "value", "at", "role", "offset", "bytes", "steps"
    );
    let lines = Lines::new(source);
    for value in &plan.values {
        let role = match value.role {
            Role::Persistent => "persistent",
            Role::Saved => "saved",
            Role::Transient => "transient",
        };
        let at = match value.span {
            Span { start: 0, end: 0 } => String::new(), // what the host computes
            span => {
                let (line, column) = lines.line_column(span.start as usize);
                format!("{line}:{column}")
            }
        };
        let (steps, freed) = lifetime(value, entry);
        _ = writeln!(
            text,
            "{:<width$}  {at:>7}  {role:<10} {:>12} {:>12}  {steps:<10} {freed}",
            value.name, value.offset, value.bytes
        );
    }
    text
}

/// The steps from a value's first to its last, and the kernel after which its bytes are free.
fn lifetime(value: &PlannedValue, entry: &Routine) -> (String, String) {
    let PlannedValue { first, last, .. } = value;
    match entry.steps.get(*last as usize) {
        _ if value.role == Role::Persistent => ("all".into(), "-".into()),
        None => (format!("{first}..end"), "-".into()),
        Some(step) => {
            let freed = format!("{last} {} ({})", step.kernel.name(), step.origin.name);
            (format!("{first}..{last}"), freed)
        }
    }
}
