//! Declares what lies at the start of the arena and is kept between runs.

use super::plan::{PlannedValue, Role};
use super::{Leaves, Stage, layout};
use crate::diagnostic::Span;
use crate::graph::{DType, NodeId};
use crate::model::{Domain, Model};
use crate::op::{self, Leaf, Op, Source};
use arenet_runtime::program::{self, Buffer, BufferId, Layout, Program};
use rustc_hash::FxHashSet as HashSet;

/// Gives the leaves their buffers at the start of the arena.
pub fn declare(
    model: &Model,
    stages: &[Stage; 4],
    in_rows: &HashSet<u32>,
    program: &mut Program,
    leaves: &mut Leaves,
    persistent: &mut Vec<PlannedValue>,
) {
    let panels = panel_params(stages, in_rows);
    let mut add = |leaf: Leaf, name: String, span: Span, layout: Layout| {
        let dtype = match leaf.dtype {
            DType::F32 => program::DType::F32,
            DType::I32 => program::DType::I32,
        };
        let id = BufferId(program.buffers.len() as u32);
        let bytes = layout.bytes(program.batch).unwrap_or(1 << 50);
        let offset = program.arena_bytes;
        program.buffers.push(Buffer { offset, layout, dtype });
        program.arena_bytes += bytes;
        leaves.insert(leaf, id);
        let role = Role::Persistent;
        persistent.push(PlannedValue { name, role, span, offset, bytes, first: 0, last: 0 });
        id
    };
    let leaf_of = |node: NodeId| match model.graph.node(node).op {
        Op::Leaf(leaf) => leaf,
        _ => unreachable!("a port or parameter of a model is a leaf"),
    };
    for (index, param) in model.params.iter().enumerate() {
        let layout = layout::layout(&param.shape, panels.contains(&(index as u32)));
        let buffer = add(leaf_of(param.node), param.name.clone(), param.span, layout);
        let slots = match (param.optimizer, &model.training) {
            (Some(optimizer), Some(_)) => model.optimizers[optimizer].slots(),
            _ => Vec::new(),
        };
        let state = |(slot, name)| {
            let source = Source::State { param: index as u32, slot: slot as u32 };
            let name = format!("{}.{name}", param.name);
            add(Leaf::f32(source, param.shape), name, param.span, layout)
        };
        let states = slots.into_iter().enumerate().map(state).collect();
        let shape = param.shape.dims().iter().map(|&dim| dim as u64).collect();
        program.params.push(program::Param { name: param.name.clone(), shape, buffer, states });
    }
    let mut port = |port: &crate::model::Port| program::Port {
        name: port.name.clone(),
        width: port.shape.fixed_elements() as u64,
        buffer: {
            let layout = layout::layout(&port.shape, false);
            let span = model.graph.origins[model.graph.node(port.node).origin.0 as usize].span;
            add(leaf_of(port.node), port.name.clone(), span, layout)
        },
        domain: match &port.domain {
            Domain::Any => program::Domain::Any,
            Domain::Range(low, high) => program::Domain::Range(*low, *high),
            Domain::Names(names) => program::Domain::Names(names.clone()),
        },
    };
    program.inputs = model.inputs.iter().map(&mut port).collect();
    if model.training.is_some() {
        program.targets = model.targets.iter().map(&mut port).collect();
    }
    let mut scalars = Vec::new();
    for node in stages.iter().flat_map(|stage| &stage.graph.nodes) {
        if let Op::Leaf(leaf @ Leaf { source: Source::Scalar(scalar), .. }) = node.op
            && !scalars.iter().any(|&(known, _)| known == leaf)
        {
            let id = add(leaf, op::Operator::text(&leaf), Span::default(), Layout::scalar());
            scalars.push((leaf, (scalar, id)));
        }
    }
    program.scalars = scalars.into_iter().map(|(_, scalar)| scalar).collect();
}

/// Gives the loss and the metrics, which every entry point writes to the same place, their buffers.
pub fn declare_results(
    model: &Model,
    program: &mut Program,
    persistent: &mut Vec<PlannedValue>,
) -> Vec<BufferId> {
    let mut add = |name: &str, node: NodeId| {
        let id = BufferId(program.buffers.len() as u32);
        let (offset, layout) = (program.arena_bytes, Layout::scalar());
        program.buffers.push(Buffer { offset, layout, dtype: program::DType::F32 });
        let bytes = layout.bytes(1).unwrap_or_default();
        program.arena_bytes += bytes;
        let span = model.graph.origins[model.graph.node(node).origin.0 as usize].span;
        let (name, role) = (name.into(), Role::Persistent);
        persistent.push(PlannedValue { name, role, span, offset, bytes, first: 0, last: 0 });
        id
    };
    let Some(loss) = model.loss.filter(|_| model.training.is_some()) else { return Vec::new() };
    let loss = add("loss", loss);
    let metrics: Vec<_> =
        (model.metrics.iter()).map(|metric| (metric, add(&metric.name, metric.node))).collect();
    program.loss = Some(loss);
    let describe = |&(metric, buffer): &(&crate::model::Metric, BufferId)| program::Metric {
        name: metric.name.clone(),
        buffer,
        finish: metric.finish,
    };
    program.metrics = metrics.iter().map(describe).collect();
    [loss].into_iter().chain(metrics.into_iter().map(|(_, buffer)| buffer)).collect()
}

/// The parameters that lie in panels.
fn panel_params(stages: &[Stage; 4], in_rows: &HashSet<u32>) -> HashSet<u32> {
    let mut panels = HashSet::default();
    for stage in stages {
        for id in stage.graph.ids() {
            if let Op::Leaf(Leaf { source: Source::Param(param), .. }) = stage.graph.node(id).op {
                let layout = stage.classes.layout(&stage.graph, in_rows, id);
                if matches!(layout, Layout::Panels { .. }) {
                    panels.insert(param);
                }
            }
        }
    }
    panels
}
