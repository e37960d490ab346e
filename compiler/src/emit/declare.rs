//! Declares the buffers that are kept between runs, at the start of the arena.

use super::layout::{self, Kept};
use super::plan::{PlannedValue, Role};
use super::{Leaves, Stage};
use crate::Precision;
use crate::diagnostic::Span;
use crate::graph::op::{Leaf, Operator, Source};
use crate::graph::{DType, NodeId, Shape};
use crate::model::{Figure, Metric, Model};
use arenet_program::{self as program, Buffer, BufferId, Layout, ParamId, Program, StateId};
use arenet_program::{HostNumber, PerEntry};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// Gives the leaves their buffers at the start of the arena.
pub fn declare(
    model: &Model,
    stages: &PerEntry<Stage>,
    program: &mut Program,
    leaves: &mut Leaves,
    persistent: &mut Vec<PlannedValue>,
) {
    let layouts = layouts(stages);
    let layout_of = |kept: Kept, shape: &Shape| {
        layouts.get(&kept).copied().unwrap_or_else(|| layout::rows_of(shape))
    };
    let mut add = |leaf: Leaf, name: &str, span: Span, (layout, dtype)| {
        let id = BufferId(program.buffers.len() as u32);
        let offset = program.arena_bytes;
        let buffer = Buffer { offset, layout, dtype };
        let bytes = buffer.bytes(program.batch).unwrap_or(1 << 50);
        program.buffers.push(buffer);
        program.arena_bytes += bytes;
        leaves.insert(leaf, id);
        let role = Role::Persistent;
        let name = name.into();
        persistent.push(PlannedValue { name, role, span, offset, bytes, first: 0, last: 0 });
        id
    };
    let leaf_of = |node: NodeId| {
        *model.graph.node(node).op.leaf().expect("a port or parameter of a model is a leaf")
    };
    for (index, param) in model.params.iter().enumerate() {
        let layout = place(param, layout_of(Kept::Param(ParamId::at(index)), &param.shape));
        let buffer = add(leaf_of(param.node), &param.name, param.span, layout);
        let state = |(slot, name): (usize, &str)| {
            let source = Source::State(StateId { param: ParamId::at(index), slot: slot as u32 });
            let full = format!("{}.{name}", param.name);
            let buffer = add(Leaf::f32(source, param.shape), &full, param.span, layout);
            program::State { name: name.to_string(), buffer }
        };
        let states = model.slots(index).into_iter().enumerate().map(state).collect();
        let shape = param.shape.dims().iter().map(|&dim| dim as u64).collect();
        program.params.push(program::Param { name: param.name.clone(), shape, buffer, states });
    }
    let mut port = |kept: Kept, port: &crate::model::Port| program::Port {
        name: port.name.clone(),
        width: port.shape.fixed_elements() as u64,
        buffer: {
            let dtype = match port.dtype {
                DType::F32 => program::DType::F32,
                DType::I32 => program::DType::I32,
            };
            let layout = (layout_of(kept, &port.shape), dtype);
            add(leaf_of(port.node), &port.name, model.graph.span(port.node), layout)
        },
        domain: port.domain.clone(),
        missing: port.missing.clone(),
        from: port.from.clone(),
        columns: Vec::new(),
    };
    program.inputs =
        (0..).zip(&model.inputs).map(|(index, input)| port(Kept::Input(index), input)).collect();
    if model.loss.is_some() {
        let targets = (0..).zip(&model.targets);
        program.targets =
            targets.map(|(index, target)| port(Kept::Target(index), target)).collect();
    }
    let mut scalars = Vec::new();
    let mut known = HashSet::default();
    // Layers and updates alone use the graph's list, and that of a step starts with the model's: an
    // id stands for one number in all stages.
    for (stage, node) in
        stages.iter().flat_map(|stage| stage.graph.nodes.iter().map(move |node| (stage, node)))
    {
        let Some(&leaf) = node.op.leaf() else { continue };
        let number = match leaf.source {
            Source::PerRow(factor) => HostNumber::per_row(factor),
            Source::Host(id) => stage.graph.hosts[id.index()].clone(),
            _ => continue,
        };
        if known.insert(leaf) {
            let id =
                add(leaf, &leaf.text(), Span::default(), (Layout::scalar(), program::DType::F32));
            scalars.push((number, id));
        }
    }
    program.scalars = scalars;
}

/// How each port and parameter lies.
pub fn leaf_layouts(model: &Model, stages: &PerEntry<Stage>) -> Vec<(NodeId, Layout)> {
    let layouts = layouts(stages);
    let of = |kept: Kept, shape: &Shape| {
        layouts.get(&kept).copied().unwrap_or_else(|| layout::rows_of(shape))
    };
    let params = (0..).map(ParamId).zip(&model.params);
    let params =
        params.map(|(i, param)| (param.node, place(param, of(Kept::Param(i), &param.shape)).0));
    let inputs = (0..).zip(&model.inputs).map(|(i, port)| (port.node, Kept::Input(i), port));
    let targets = (0..).zip(&model.targets).map(|(i, port)| (port.node, Kept::Target(i), port));
    let ports = inputs.chain(targets).map(|(node, kept, port)| (node, of(kept, &port.shape)));
    params.chain(ports).collect()
}

/// How a parameter lies, and what its elements are.
fn place(param: &crate::model::Param, layout: Layout) -> (Layout, program::DType) {
    match (param.precision, param.shape.dims()) {
        (Precision::F32, _) => (layout, program::DType::F32),
        (Precision::Bf16, _) => (layout, program::DType::Bf16),
        (Precision::Int8, dims) => {
            let [rows, cols] = [dims[0], dims[1]].map(|dim| dim as u64);
            (Layout::Quads { rows, cols }, program::DType::I8)
        }
    }
}

/// Gives the loss, its terms and the metrics, which every entry point writes to the same place,
/// their buffers, and metrics that lie as evaluation has them.
pub fn declare_results(
    model: &Model,
    eval: &Stage,
    program: &mut Program,
    persistent: &mut Vec<PlannedValue>,
) -> Vec<BufferId> {
    let mut roots = eval.graph.roots.iter();
    let mut add = |name: &str, node: NodeId| {
        let id = BufferId(program.buffers.len() as u32);
        let layout = |root: &NodeId| eval.classes.layout(&eval.graph, *root);
        // Nothing evaluates a program that only predicts.
        let layout = roots.next().map_or(Layout::scalar(), layout);
        let offset = program.arena_bytes;
        program.buffers.push(Buffer { offset, layout, dtype: program::DType::F32 });
        let bytes = layout.bytes(program.batch).unwrap_or(1 << 50);
        program.arena_bytes += bytes;
        let span = model.graph.span(node);
        let (name, role) = (name.into(), Role::Persistent);
        persistent.push(PlannedValue { name, role, span, offset, bytes, first: 0, last: 0 });
        id
    };
    let Some(loss) = model.loss else { return Vec::new() };
    let loss = add("loss", loss);
    program.loss = Some(loss);
    let mut figure = |name: &str, figure: &Figure| program::Figure {
        values: figure.values.iter().map(|&node| add(name, node)).collect(),
        finish: figure.finish.clone(),
    };
    program.terms = model.terms.iter().map(|term| figure("loss", term)).collect();
    let describe = |metric: &Metric| program::Metric {
        name: metric.name.clone(),
        figure: figure(&metric.name, &metric.figure),
        rises: metric.rises,
        subject: metric.subject,
    };
    program.metrics = model.metrics.iter().map(describe).collect();
    let figures = program.terms.iter().chain(program.metrics.iter().map(|metric| &metric.figure));
    let values = figures.flat_map(|figure| &figure.values);
    [loss].into_iter().chain(values.copied()).collect()
}

/// The layouts of the leaves that are used.
fn layouts(stages: &PerEntry<Stage>) -> HashMap<Kept, Layout> {
    let mut layouts = HashMap::default();
    for stage in stages.iter() {
        for id in stage.graph.ids() {
            if let Some(kept) = stage.graph.node(id).op.leaf().and_then(Kept::of) {
                layouts.insert(kept, stage.classes.layout(&stage.graph, id));
            }
        }
    }
    layouts
}
