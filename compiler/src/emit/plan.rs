//! The memory plan of an entry point: what lives when, as its kernels read and write it, and where.

use super::{Draft, Stage, Values};
use crate::diagnostic::Span;
use crate::graph::{Graph, NodeId};
use crate::pass::memory::{self, Lifetime};
use arenet_program::{Access, BufferId, PerEntry, Program};
use std::collections::HashSet;
use std::sync::Arc;

/// A value of the memory plan, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedValue {
    /// The name of the statement it comes from, marked where it is a gradient or an inner value.
    pub name: Arc<str>,
    /// What it is.
    pub role: Role,
    /// The statement.
    pub span: Span,
    /// Where it lies in the arena.
    pub offset: u64,
    /// Its size.
    pub bytes: u64,
    /// The step that writes it.
    pub first: u32,
    /// The last step that reads it, after which its bytes are free.
    pub last: u32,
}

/// What a planned value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Kept between runs: parameters, optimizer states, inputs, targets and scalars.
    Persistent,
    /// Computed by the forward pass and kept for the backward pass.
    Saved,
    /// Used up within its own half of the step.
    Transient,
}

impl Role {
    /// Its name in the plan.
    pub fn name(self) -> &'static str {
        match self {
            Role::Persistent => "persistent",
            Role::Saved => "saved",
            Role::Transient => "transient",
        }
    }
}

/// The memory plan of one entry point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The values, those kept between runs first.
    pub values: Vec<PlannedValue>,
    /// The bytes of all of them together, as placed.
    pub bytes: u64,
    /// The most bytes alive at once.
    pub lower_bound: u64,
}

impl Plan {
    /// The bytes alive at each step. A value that takes the place of another at its last read is
    /// counted once there.
    pub fn alive(&self, steps: usize) -> Vec<u64> {
        let mut born = vec![0u64; steps + 1];
        let mut freed = vec![0u64; steps + 2];
        let is_placed = |value: &&PlannedValue| value.role != Role::Persistent;
        let ends: HashSet<(u32, u64)> = (self.values.iter().filter(is_placed))
            .filter(|value| value.first < value.last)
            .map(|value| (value.last, value.offset))
            .collect();
        for value in &self.values {
            let (first, last) = match value.role {
                Role::Persistent => (0, steps),
                _ => (value.first as usize, (value.last as usize).min(steps)),
            };
            let inherits = is_placed(&value) && ends.contains(&(value.first, value.offset));
            born[(first + usize::from(inherits)).min(steps)] += value.bytes;
            freed[last + 1] += value.bytes;
        }
        let mut alive = 0;
        let after = born.iter().zip(&freed).map(|(born, freed)| {
            alive = alive + born - freed;
            alive
        });
        after.take(steps).collect()
    }
}

/// Gives the values of every entry point their places, behind what is kept between runs.
pub fn place(draft: Draft, stages: &PerEntry<Stage>) -> (Program, PerEntry<Plan>) {
    let Draft { mut program, persistent, values } = draft;
    let base = program.arena_bytes;
    let plans = PerEntry::new(|entry| {
        let planner = Planner { stage: &stages[entry], values: &values[entry] };
        let accesses =
            program.routines[entry].steps.iter().map(|step| step.kernel.access()).collect();
        let plan = planner.plan(accesses, &mut program, base, &persistent);
        let routine = &mut program.routines[entry];
        (routine.lower_bound, routine.bytes) = (plan.lower_bound, plan.bytes);
        program.arena_bytes = program.arena_bytes.max(plan.bytes);
        plan
    });
    (program, plans)
}

/// Plans one entry point. A value is an index into [`Values::nodes`].
struct Planner<'a> {
    stage: &'a Stage,
    values: &'a Values,
}

impl Planner<'_> {
    /// Places the values after the persistent ones, which end at `base`.
    fn plan(
        &self,
        accesses: Vec<Access>,
        program: &mut Program,
        base: u64,
        persistent: &[PlannedValue],
    ) -> Plan {
        let nodes = &self.values.nodes;
        let end = accesses.len() as u32;
        let spans = self.spans(&accesses);
        let buffers = &mut program.buffers[self.values.first..][..nodes.len()];
        let mut lifetimes: Vec<Lifetime> = Vec::new();
        // Values share a place where one takes over from another at its last read.
        let mut place_of = vec![0; nodes.len()];
        for (step, access) in (0..).zip(&accesses) {
            let mut heirs = self.inheritable(access, |read| spans[read].1 == step);
            let cluster = self.values.clusters[step as usize];
            let apart = &self.stage.fusion.clusters[cluster.0 as usize].column_sums;
            for value in self.own(&access.writes) {
                // The sums of columns keep apart from what the product streams.
                let inherits = !apart.contains(&nodes[value]);
                let layout = buffers[value].layout;
                let heir =
                    heirs.iter().position(|&read| inherits && buffers[read].layout == layout);
                let (first, last) = spans[value];
                place_of[value] =
                    heir.map_or(lifetimes.len(), |heir| place_of[heirs.swap_remove(heir)]);
                match lifetimes.get_mut(place_of[value]) {
                    Some(lifetime) => lifetime.last = last,
                    None => {
                        let bytes = buffers[value].bytes(program.batch).unwrap_or(1 << 50);
                        lifetimes.push(Lifetime { first, last, bytes });
                    }
                }
            }
        }
        let placement = memory::place(&lifetimes);
        let mut plan = Plan {
            values: persistent.to_vec(),
            bytes: base + placement.bytes,
            lower_bound: base + memory::lower_bound(&lifetimes),
        };
        for value in &mut plan.values {
            value.last = end;
        }
        let split = first_gradient(&self.stage.graph);
        let ends = statement_ends(&self.stage.graph, split);
        for (value, buffer) in buffers.iter_mut().enumerate() {
            buffer.offset = base + placement.offsets[place_of[value]];
            let bytes = buffer.bytes(program.batch).unwrap_or(1 << 50);
            let planned = self.planned(value, spans[value], (split, &ends));
            plan.values.push(PlannedValue { offset: buffer.offset, bytes, ..planned });
        }
        plan
    }

    /// The values among some buffers.
    fn own(&self, buffers: &[BufferId]) -> impl Iterator<Item = usize> {
        let Values { first, nodes, .. } = self.values;
        let values = buffers.iter().filter_map(|id| (id.0 as usize).checked_sub(*first));
        values.filter(|&value| value < nodes.len())
    }

    /// The step that writes each value, and the last that reads it: the end where the outside does.
    fn spans(&self, accesses: &[Access]) -> Vec<(u32, u32)> {
        let mut spans = vec![(0, 0); self.values.nodes.len()];
        for (step, access) in (0..).zip(accesses) {
            self.own(&access.writes).for_each(|value| spans[value] = (step, step));
            let reads: Vec<BufferId> = access.reads().collect();
            self.own(&reads).for_each(|value| spans[value].1 = step);
        }
        let graph = &self.stage.graph;
        let mut is_root = vec![false; graph.nodes.len()];
        graph.roots.iter().for_each(|root| is_root[root.index()] = true);
        for (span, node) in spans.iter_mut().zip(&self.values.nodes) {
            if is_root[node.index()] {
                span.1 = accesses.len() as u32;
            }
        }
        spans
    }

    /// What a step reads for the last time, element by element just before it writes the same
    /// element, so that a result of the same layout may take its place.
    fn inheritable(&self, access: &Access, dies: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut streams: Vec<BufferId> = access.streams.clone();
        streams.retain(|read| !access.gathers.contains(read));
        let mut values: Vec<usize> = self.own(&streams).filter(|&value| dies(value)).collect();
        values.sort_by_key(|&value| self.values.nodes[value]);
        values.dedup();
        values
    }

    /// How a value is shown, but for its place, given where the backward pass begins and which node
    /// is the last of each statement.
    fn planned(
        &self,
        value: usize,
        (first, last): (u32, u32),
        (split, ends): (usize, &[Option<NodeId>]),
    ) -> PlannedValue {
        let (graph, node) = (&self.stage.graph, self.values.nodes[value]);
        let origin = graph.node(node).origin;
        let named = &graph.origins[origin.0 as usize];
        let name = if node.index() >= split {
            format!("∂{} {node}", named.name)
        } else if ends[origin.0 as usize] == Some(node) {
            named.name.clone()
        } else {
            format!("{} {node}", named.name)
        };
        let reader = self.values.clusters.get(last as usize);
        let backward = reader.is_some_and(|id| {
            let members = self.stage.fusion.clusters[id.0 as usize].members();
            members.min().is_some_and(|first| first.index() >= split)
        });
        let role = if node.index() < split && backward { Role::Saved } else { Role::Transient };
        let (name, span) = (name.into(), named.span);
        PlannedValue { name, role, span, offset: 0, bytes: 0, first, last }
    }
}

/// For each statement, its last node in the forward pass, which ends at `split`.
pub(crate) fn statement_ends(graph: &Graph, split: usize) -> Vec<Option<NodeId>> {
    let mut ends = vec![None; graph.origins.len()];
    for id in graph.ids().take(split) {
        ends[graph.node(id).origin.0 as usize] = Some(id);
    }
    ends
}

/// The index of the first node of the backward pass: those of the forward pass come before the
/// loss.
pub(crate) fn first_gradient(graph: &Graph) -> usize {
    let trains = graph.roots.iter().any(|&root| graph.node(root).op.is_assign());
    match graph.roots.first() {
        Some(&loss) if trains && !graph.node(loss).op.is_assign() => loss.index() + 1,
        _ => graph.nodes.len(),
    }
}
