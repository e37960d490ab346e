//! Graph + schedule -> a program over buffers, and its memory plan.

mod declare;
mod init;
mod kernel;
pub mod layout;
mod narrow;
mod plan;
mod scores;
mod tape;

pub use init::init_graph;
pub use narrow::narrow;
pub use plan::{Plan, PlannedValue, Role, place};
pub(crate) use plan::{first_gradient, statement_ends};

use crate::diagnostic::Lines;
use crate::graph::op::Leaf;
use crate::graph::{Graph, Node, NodeId, OriginId};
use crate::model::{self, Model};
use crate::pass::fuse::{Cluster, ClusterId, Fusion, Updates, fuse, spread_source};
use crate::pass::schedule::{Schedule, kept, schedule};
use arenet_program::lines::{Address, Line};
use arenet_program::{
    self as program, Buffer, BufferId, EntryPoint, Layout, PerEntry, Program, Scores,
};
use declare::{declare, declare_results};
use rustc_hash::FxHashMap as HashMap;

/// One entry point of the program on its way through the passes.
pub struct Stage {
    /// What it computes.
    pub graph: Graph,
    /// Its kernels.
    pub fusion: Fusion,
    /// Their order.
    pub schedule: Schedule,
    classes: layout::Classes,
}

/// A program whose values have no place in the arena yet, but for those kept between runs.
pub struct Draft {
    program: Program,
    persistent: Vec<PlannedValue>,
    values: PerEntry<Values>,
}

/// What the steps of an entry point compute and keep for each other.
struct Values {
    /// The nodes, each with a buffer of its own in this order.
    nodes: Vec<NodeId>,
    /// The index of the first of these buffers.
    first: usize,
    /// The cluster of each step.
    clusters: Vec<ClusterId>,
}

/// The persistent buffers, by what their leaf is.
type Leaves = HashMap<Leaf, BufferId>;

/// Groups the nodes of each entry point's graph into kernels and orders them; the caller says
/// whether values may lie in columns.
pub fn stages(graphs: PerEntry<Graph>, batch: u64, columns: bool) -> PerEntry<Stage> {
    let mut stages = graphs.map(|graph| {
        let classes = layout::classes(&graph, batch, columns);
        let bytes = |id: NodeId| classes.layout(&graph, id).bytes(batch).unwrap_or(u64::MAX);
        let ordered = |updates| {
            let fusion = fuse(&graph, updates);
            schedule(&graph, &fusion, &bytes).map(|schedule| (fusion, schedule))
        };
        let (fusion, schedule) = ordered(Updates::Fused)
            .or_else(|| ordered(Updates::Last))
            .expect("no circle goes through updates that come last");
        Stage { graph, fusion, schedule, classes }
    });
    layout::agree(&mut stages.iter_mut().map(|stage| &mut stage.classes).collect::<Vec<_>>());
    stages
}

/// Emits the program for batches of up to `batch` rows.
pub fn emit(model: &Model, stages: &PerEntry<Stage>, batch: u64, source: &str) -> Draft {
    let origins = origins(model, source);
    let mut program = Program { name: model.name.clone(), batch, ..Program::default() };
    program.training = model.training.clone();
    let mut leaves = Leaves::default();
    let mut persistent = Vec::new();
    declare(model, stages, &mut program, &mut leaves, &mut persistent);
    let results = declare_results(model, &stages[EntryPoint::Eval], &mut program, &mut persistent);
    let of_step = model.step_results().len();
    let values = PerEntry::new(|entry| {
        let stage = &stages[entry];
        let mut emitter = Emitter {
            stage,
            leaves: &leaves,
            buffers: leaf_buffers(&stage.graph, &leaves),
            results: HashMap::default(),
            batch,
            origins: &origins,
        };
        let scalars = match entry {
            EntryPoint::Eval => &stage.graph.roots[..],
            EntryPoint::Train => stage.graph.roots.get(..of_step).unwrap_or_default(),
            EntryPoint::Init | EntryPoint::Predict | EntryPoint::Update | EntryPoint::Fit => {
                &[][..]
            }
        };
        for (&root, &buffer) in scalars.iter().zip(&results) {
            emitter.results.entry(root).or_insert(buffer);
        }
        emitter.draw_in_place();
        let first = program.buffers.len();
        let nodes = emitter.keep(&mut program.buffers);
        let is_step = |cluster: &ClusterId| !emitter.is_drawn(*cluster);
        let clusters: Vec<ClusterId> = stage.schedule.iter().copied().filter(is_step).collect();
        let mut steps = Vec::with_capacity(clusters.len());
        for &cluster in &clusters {
            let (step, traces) = emitter.step(cluster);
            let number = steps.len() as u32;
            program.lines.extend(traces.into_iter().map(|(part, instr, origin)| Line {
                address: Address { entry, step: number, part, instr },
                origin: origins[origin.0 as usize].clone(),
            }));
            steps.push(step);
        }
        program.routines[entry].steps = steps;
        match entry {
            EntryPoint::Predict => program.outputs = outputs(model, &emitter, &program.targets),
            EntryPoint::Eval => {
                // Equal formulas have become one node, and so one buffer.
                let metrics = program.metrics.iter_mut().map(|metric| &mut metric.figure);
                let figures = program.terms.iter_mut().chain(metrics);
                let values = figures.flat_map(|figure| &mut figure.values);
                for (value, root) in values.zip(scalars.iter().skip(1)) {
                    // A leaf is where it is.
                    *value = emitter.buffers[root.index()].unwrap_or(emitter.results[root]);
                }
            }
            EntryPoint::Fit => {
                for (fit, &root) in model.fits.iter().zip(&stage.graph.roots) {
                    let model::Fit { params, statistic, level, .. } = fit.clone();
                    let values = emitter.buffer(root);
                    let fit = program::Fit { params, values, statistic, level };
                    program
                        .training
                        .iter_mut()
                        .for_each(|training| training.fits.push(fit.clone()));
                }
            }
            EntryPoint::Init | EntryPoint::Train | EntryPoint::Update => {}
        }
        Values { nodes, first, clusters }
    });
    Draft { program, persistent, values }
}

/// The outputs, and what each says of a target.
fn outputs(model: &Model, emitter: &Emitter, targets: &[program::Port]) -> Vec<program::Output> {
    let claims = scores::claims(model);
    let graph = &emitter.stage.graph;
    let output = |((name, node), &root): (&(String, NodeId), &NodeId)| {
        let width = graph.shape(root).fixed_elements() as u64;
        let fits = |scores: &Scores| {
            targets.get(scores.target as usize).and_then(program::Port::scores) == Some(width)
        };
        let scores = scores::of(model, &claims, *node).filter(fits);
        program::Output { name: name.clone(), width, buffer: emitter.buffer(root), scores }
    };
    model.outputs.iter().zip(&graph.roots).map(output).collect()
}

/// The elements of every value at a batch, with the statement that it comes from; `None` is more
/// than 64 bits can count.
pub fn sizes<'a>(
    model: &'a Model,
    stages: &'a PerEntry<Stage>,
    batch: u64,
) -> impl Iterator<Item = (OriginId, Option<u64>)> + 'a {
    let leaves = declare::leaf_layouts(model, stages);
    let origin = |node: NodeId| model.graph.node(node).origin;
    let of_leaves = leaves.into_iter().map(move |(node, layout)| (origin(node), layout));
    let of_stage = |stage: &'a Stage| {
        let ids = stage.graph.ids();
        ids.map(|id| (stage.graph.node(id).origin, stage.classes.layout(&stage.graph, id)))
    };
    let layouts = of_leaves.chain(stages.iter().flat_map(of_stage));
    layouts.map(move |(origin, layout)| (origin, layout.elements(batch)))
}

/// The buffers of the leaves among the nodes.
fn leaf_buffers(graph: &Graph, leaves: &Leaves) -> Vec<Option<BufferId>> {
    let buffer = |node: &Node| leaves.get(node.op.leaf()?).copied();
    graph.nodes.iter().map(buffer).collect()
}

/// Where each statement stands, found in one walk over the text.
fn origins(model: &Model, source: &str) -> Vec<program::Origin> {
    let lines = Lines::new(source);
    let origin = |origin: &crate::graph::Origin| {
        let (line, column) = lines.line_column(origin.span.start as usize);
        program::Origin { name: origin.name.clone(), line: line as u32, column: column as u32 }
    };
    model.graph.origins.iter().map(origin).collect()
}

/// Emits one entry point.
struct Emitter<'a> {
    stage: &'a Stage,
    leaves: &'a Leaves,
    /// The buffers of leaves and of the values that are kept.
    buffers: Vec<Option<BufferId>>,
    /// Where the loss and the metrics go, and random values that are only assigned.
    results: HashMap<NodeId, BufferId>,
    batch: u64,
    /// The statements of the source text.
    origins: &'a [program::Origin],
}

impl Emitter<'_> {
    fn layout(&self, id: NodeId) -> Layout {
        self.stage.classes.layout(&self.stage.graph, id)
    }

    fn cluster(&self, id: ClusterId) -> &Cluster {
        &self.stage.fusion.clusters[id.0 as usize]
    }

    fn buffer(&self, id: NodeId) -> BufferId {
        self.buffers[id.index()].expect("what is read has been kept")
    }

    /// Lets random values that nothing but an assignment reads be drawn where they are assigned to:
    /// initial values then need no room of their own.
    fn draw_in_place(&mut self) {
        let graph = &self.stage.graph;
        let mut reads = vec![0u32; graph.nodes.len()];
        for input in graph.nodes.iter().flat_map(|node| &node.inputs) {
            reads[input.index()] += 1;
        }
        for node in &graph.nodes {
            let (true, &[target, value]) = (node.op.is_assign(), &node.inputs[..]) else {
                continue;
            };
            if graph.node(value).op.is_random()
                && reads[value.index()] == 1
                && let Some(leaf) = graph.node(target).op.leaf()
            {
                self.results.insert(value, self.leaves[leaf]);
            }
        }
    }

    /// Gives a buffer to every value that is kept for another step or the outside, and says which
    /// these are.
    fn keep(&mut self, buffers: &mut Vec<Buffer>) -> Vec<NodeId> {
        let Stage { graph, fusion, schedule, .. } = self.stage;
        let kept = kept(graph, fusion);
        let mut nodes = Vec::new();
        for id in schedule.iter().flat_map(|&id| fusion.clusters[id.0 as usize].members()) {
            if !kept[id.index()] {
                continue;
            }
            let buffer = self.results.get(&id).copied().unwrap_or_else(|| {
                let (layout, dtype) = (self.layout(id), program::DType::F32);
                buffers.push(Buffer { offset: 0, layout, dtype });
                nodes.push(id);
                BufferId(buffers.len() as u32 - 1)
            });
            self.buffers[id.index()] = Some(buffer);
        }
        nodes
    }

    /// Whether a cluster does nothing but assign what is in its place already.
    fn is_drawn(&self, id: ClusterId) -> bool {
        let cluster = self.cluster(id);
        let drawn = |node: &NodeId| {
            let node = self.stage.graph.node(*node);
            let random = |value: &NodeId| self.stage.graph.node(*value).op.is_random();
            let placed = node.inputs.get(1).filter(|value| random(value));
            node.op.is_assign() && placed.is_some_and(|value| self.results.contains_key(value))
        };
        cluster.anchor.is_none() && cluster.nodes.iter().all(drawn)
    }

    /// Whether a node's value has a buffer.
    fn is_kept(&self, id: NodeId) -> bool {
        self.buffers[id.index()].is_some()
    }

    /// Whether a node is read in place, by strides.
    fn is_spread(&self, id: NodeId) -> bool {
        spread_source(&self.stage.graph, &self.stage.fusion.cluster_of, id) != id
    }

    fn source(&self, id: NodeId) -> NodeId {
        spread_source(&self.stage.graph, &self.stage.fusion.cluster_of, id)
    }
}
