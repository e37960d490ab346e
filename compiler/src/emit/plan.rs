//! The memory plan of an entry point: what lives when, and where.

use super::{Emitter, Stage};
use crate::diagnostic::Span;
use crate::graph::NodeId;
use crate::pass::fuse::ClusterId;
use crate::pass::memory::{self, Lifetime};
use crate::pass::schedule::{kept, reads};
use arenet_program::{self as program, Buffer, BufferId, Program};
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

impl Emitter<'_> {
    /// Places the kept values after the persistent ones, which end at `base`.
    pub(super) fn plan(
        &mut self,
        program: &mut Program,
        base: u64,
        persistent: &[PlannedValue],
    ) -> Plan {
        let Stage { graph, fusion, schedule, .. } = self.stage;
        let kept = kept(graph, fusion);
        let mut lifetimes: Vec<Lifetime> = Vec::new();
        let mut values: Vec<(NodeId, usize)> = Vec::new();
        // Values that share a place, one taking over from another at its last read.
        let mut place_of: Vec<Option<usize>> = vec![None; graph.nodes.len()];
        let end = schedule.len() as u32;
        let mut last_read: Vec<Option<u32>> = vec![None; graph.nodes.len()];
        for root in &graph.roots {
            last_read[root.index()] = Some(end);
        }
        for (step, &cluster) in schedule.iter().enumerate() {
            for read in reads(graph, fusion, cluster) {
                // `None` is less than all.
                let last = &mut last_read[read.index()];
                *last = (*last).max(Some(step as u32));
            }
        }
        for (step, &id) in schedule.iter().enumerate() {
            let step = step as u32;
            let mut heirs = self.inheritable(id, |read| last_read[read.index()] == Some(step));
            heirs.retain(|read| place_of[read.index()].is_some());
            let cluster = &fusion.clusters[id.0 as usize];
            for node in cluster.members().filter(|node| kept[node.index()]) {
                if let Some(&buffer) = self.results.get(&node) {
                    self.buffers[node.index()] = Some(buffer);
                    continue;
                }
                let last = last_read[node.index()].unwrap_or(step);
                let layout = self.layout(node);
                // The sums of columns keep apart from what the product streams.
                let inherits = !cluster.column_sums.contains(&node);
                let found = heirs.iter().position(|&read| inherits && self.layout(read) == layout);
                let place = found.and_then(|found| place_of[heirs.swap_remove(found).index()]);
                let place = match place {
                    Some(place) => {
                        lifetimes[place].last = last;
                        place
                    }
                    None => {
                        let bytes = layout.bytes(self.batch).unwrap_or(1 << 50);
                        lifetimes.push(Lifetime { first: step, last, bytes });
                        lifetimes.len() - 1
                    }
                };
                place_of[node.index()] = Some(place);
                values.push((node, place));
            }
        }
        let placement = memory::place(&lifetimes);
        for &(node, place) in &values {
            let id = BufferId(program.buffers.len() as u32);
            let offset = base + placement.offsets[place];
            let (layout, dtype) = (self.layout(node), program::DType::F32);
            program.buffers.push(Buffer { offset, layout, dtype });
            self.buffers[node.index()] = Some(id);
        }
        let mut plan = Plan {
            values: persistent.to_vec(),
            bytes: base + placement.bytes,
            lower_bound: base + memory::lower_bound(&lifetimes),
        };
        for value in &mut plan.values {
            value.last = end;
        }
        let mut step_of = vec![0; fusion.clusters.len()];
        for (step, id) in (0..).zip(schedule) {
            step_of[id.0 as usize] = step;
        }
        let split = self.first_gradient();
        let ends = self.statement_ends(split);
        for &(node, place) in &values {
            let cluster = fusion.cluster_of[node.index()];
            let first = cluster.map_or(0, |cluster| step_of[cluster.0 as usize]);
            let last = last_read[node.index()].unwrap_or(first);
            plan.values.push(self.planned(
                node,
                (first, last),
                base + placement.offsets[place],
                (split, &ends),
            ));
        }
        plan
    }

    /// What a cluster reads for the last time, element by element just before it writes the same
    /// element, so that a result of the same layout may take its place.
    fn inheritable(&self, id: ClusterId, dies: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
        let Stage { graph, fusion, .. } = self.stage;
        let cluster = self.cluster(id);
        let inputs = |node: NodeId| graph.node(node).inputs.iter().copied();
        let anchor: Vec<NodeId> = cluster.anchor.into_iter().flat_map(inputs).collect();
        // Other anchors read in their own order.
        let in_place = cluster.anchor.is_some_and(|anchor| graph.traits(anchor).in_place);
        let tail: Vec<NodeId> = cluster.nodes.iter().copied().flat_map(inputs).collect();
        let (mut streams, mut gathers) = (tail.clone(), anchor.clone());
        if in_place {
            (streams, gathers) = (vec![anchor[0]], anchor[1..].to_vec());
        }
        gathers.extend(cluster.body.iter().chain(&cluster.column_sums).copied().flat_map(inputs));
        gathers.extend(cluster.bias.map(|(row, _)| row));
        gathers.extend(tail.iter().copied().filter(|&read| self.is_spread(read)));
        // A broadcast that is stored reads its operand again and again.
        let stored = |&id: &NodeId| graph.node(id).op.is_broadcast();
        gathers.extend(cluster.nodes.iter().copied().filter(stored).flat_map(inputs));
        gathers.iter_mut().for_each(|read| *read = self.source(*read));
        gathers.sort_unstable();
        streams.retain(|&read| {
            let elsewhere = fusion.cluster_of[read.index()].is_some_and(|owner| owner != id);
            elsewhere && dies(read) && gathers.binary_search(&read).is_err()
        });
        streams.sort();
        streams.dedup();
        streams
    }

    /// For each statement, its last node in the forward pass.
    fn statement_ends(&self, split: usize) -> Vec<Option<NodeId>> {
        let graph = &self.stage.graph;
        let mut ends = vec![None; graph.origins.len()];
        for id in graph.ids().take(split) {
            ends[graph.node(id).origin.0 as usize] = Some(id);
        }
        ends
    }

    /// How a kept value is shown, given where the backward pass begins and which node is the last
    /// of each statement.
    fn planned(
        &self,
        node: NodeId,
        (first, last): (u32, u32),
        offset: u64,
        (split, ends): (usize, &[Option<NodeId>]),
    ) -> PlannedValue {
        let graph = &self.stage.graph;
        let origin = graph.node(node).origin;
        let named = &graph.origins[origin.0 as usize];
        let name = if node.index() >= split {
            format!("∂{} {node}", named.name)
        } else if ends[origin.0 as usize] == Some(node) {
            named.name.clone()
        } else {
            format!("{} {node}", named.name)
        };
        let read_back = |id: ClusterId| {
            let members = self.cluster(id).members();
            members.min().is_some_and(|first| first.index() >= split)
        };
        let backward = self.stage.schedule.get(last as usize).is_some_and(|&id| read_back(id));
        let role = match node.index() < split && backward && last < self.stage.schedule.len() as u32
        {
            true => Role::Saved,
            false => Role::Transient,
        };
        let bytes = self.layout(node).bytes(self.batch).unwrap_or(1 << 50);
        PlannedValue { name: name.into(), role, span: named.span, offset, bytes, first, last }
    }

    /// The index of the first node of the backward pass: those of the forward pass come before the
    /// loss.
    fn first_gradient(&self) -> usize {
        let graph = &self.stage.graph;
        let trains = graph.roots.iter().any(|&root| graph.node(root).op.is_assign());
        match graph.roots.first() {
            Some(loss) if trains => loss.index() + 1,
            _ => graph.nodes.len(),
        }
    }
}
