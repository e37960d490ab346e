//! Orders the clusters: topologically, the one that frees most memory first.

use super::fuse::{ClusterId, Fusion, spread_source};
use super::lists::Lists;
use crate::graph::{Graph, NodeId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The clusters in the order in which they run.
pub type Schedule = Vec<ClusterId>;

/// What a cluster reads from other clusters or from leaves, each once.
fn reads(graph: &Graph, fusion: &Fusion, id: ClusterId) -> Vec<NodeId> {
    let cluster = &fusion.clusters[id.0 as usize];
    let mut reads: Vec<NodeId> = Vec::new();
    for node in cluster.members() {
        for &operand in graph.node(node).reads() {
            let source = spread_source(graph, &fusion.cluster_of, operand);
            if fusion.cluster_of[source.index()] != Some(id) && !reads.contains(&source) {
                reads.push(source);
            }
        }
    }
    reads
}

/// The values of a cluster that are kept: others read them, or the outside does.
pub fn kept(graph: &Graph, fusion: &Fusion) -> Vec<bool> {
    let mut kept = vec![false; graph.nodes.len()];
    for root in &graph.roots {
        kept[root.index()] = true;
    }
    for id in graph.ids() {
        let own = fusion.cluster_of[id.index()];
        for &operand in &graph.node(id).inputs {
            let source = spread_source(graph, &fusion.cluster_of, operand);
            // A spread node reads nothing by itself; its users do, and they are seen below.
            let spreads = graph.node(id).op.is_broadcast() && own.is_none();
            let other = fusion.cluster_of[source.index()] != own || source != operand;
            kept[source.index()] |= !spreads && other;
        }
    }
    for id in graph.ids() {
        let node = graph.node(id);
        kept[id.index()] &= !node.op.is_assign() && fusion.cluster_of[id.index()].is_some();
    }
    kept
}

/// Orders the clusters. `bytes` is the size of a node's value.
///
/// Among the clusters that are ready, the one that frees most bytes beyond those it takes runs
/// first, then the one that stands first in the text. A cluster that overwrites a parameter waits
/// for all that read the old value; `None` where clusters would wait for each other in a circle.
pub fn schedule(graph: &Graph, fusion: &Fusion, bytes: &dyn Fn(NodeId) -> u64) -> Option<Schedule> {
    let count = fusion.clusters.len();
    let kept = kept(graph, fusion);
    let all_reads: Vec<Vec<NodeId>> =
        (0..count as u32).map(|id| reads(graph, fusion, ClusterId(id))).collect();
    let readers = Lists::new(graph.nodes.len(), || {
        let clusters = all_reads.iter().enumerate();
        clusters.flat_map(|(cluster, reads)| reads.iter().map(move |id| (id.index(), cluster)))
    });
    let mut waits = vec![0usize; count];
    let mut releases: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (cluster, reads) in all_reads.iter().enumerate() {
        for read in reads {
            if let Some(writer) = fusion.cluster_of[read.index()] {
                releases[writer.0 as usize].push(cluster);
                waits[cluster] += 1;
            }
        }
        for leaf in fusion.clusters[cluster].assigned(graph) {
            for &reader in readers.of(leaf.index()) {
                if reader != cluster {
                    releases[reader].push(cluster);
                    waits[cluster] += 1;
                }
            }
        }
    }

    let mut left: Vec<usize> = (0..graph.nodes.len()).map(|node| readers.of(node).len()).collect();
    let size = |nodes: &mut dyn Iterator<Item = NodeId>| -> i64 {
        let bytes = nodes.map(bytes).fold(0, u64::saturating_add);
        i64::try_from(bytes).unwrap_or(i64::MAX)
    };
    let gain = |cluster: usize, left: &[usize]| -> i64 {
        let frees =
            |read: &&NodeId| fusion.cluster_of[read.index()].is_some() && left[read.index()] == 1;
        let freed = size(&mut all_reads[cluster].iter().filter(frees).copied());
        let members = fusion.clusters[cluster].members();
        let taken = size(&mut members.filter(|node| kept[node.index()]));
        freed - taken
    };
    let mut ready: BinaryHeap<(i64, Reverse<usize>)> =
        (0..count).filter(|&c| waits[c] == 0).map(|c| (gain(c, &left), Reverse(c))).collect();
    let mut order = Vec::with_capacity(count);
    let mut done = vec![false; count];
    while let Some((_, Reverse(cluster))) = ready.pop() {
        if std::mem::replace(&mut done[cluster], true) {
            continue;
        }
        order.push(ClusterId(cluster as u32));
        for read in &all_reads[cluster] {
            let left_of_it = &mut left[read.index()];
            *left_of_it -= 1;
            // Its last reader has become worth more: it is queued again under its new gain.
            if *left_of_it == 1 {
                let last = readers.of(read.index()).iter().find(|&&reader| !done[reader]);
                if let Some(&last) = last.filter(|&&last| waits[last] == 0) {
                    ready.push((gain(last, &left), Reverse(last)));
                }
            }
        }
        for &next in &releases[cluster] {
            waits[next] -= 1;
            if waits[next] == 0 {
                ready.push((gain(next, &left), Reverse(next)));
            }
        }
    }
    (order.len() == count).then_some(order)
}
