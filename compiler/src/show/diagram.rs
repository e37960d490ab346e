//! A net as boxes with edges between them: a box is a statement, or a part of one where others
//! stand between its parts, as the blocks of a residual net do.

use super::operation::{Expression, expressions, layer_names, operation};
use crate::graph::op::Source;
use crate::graph::{NodeId, OriginId, Shape};
use crate::model::Model;
use crate::syntax::parse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The boxes in an order in which edges lead from earlier to later ones.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    /// Statements, inputs and targets.
    pub boxes: Vec<Statement>,
    /// Which values go from which box to which.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The name of the statement.
    pub name: String,
    /// What it does.
    pub operation: String,
    /// What it is.
    pub kind: Kind,
    /// The block that it stands in.
    pub block: Option<String>,
    /// The parameters that it uses, with their shapes, and how often all boxes together use one of
    /// a layer with a name.
    pub params: Vec<(String, Shape, usize)>,
    /// Whether training computes a gradient here.
    pub has_gradient: bool,
    /// The parameters among those that get a gradient.
    pub trained: Vec<String>,
}

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What comes from outside: an input or a target.
    Port,
    /// A statement.
    Layer,
    /// A statement with an output of the net.
    Output,
    /// The loss.
    Loss,
}

/// A value that one box computes and another reads; several of them as one edge.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The index of the first box.
    pub from: usize,
    /// The index of the second.
    pub to: usize,
    /// The shapes.
    pub shapes: Vec<Shape>,
}

/// The diagram of what the outputs are computed by, and the loss if that is asked for.
pub fn diagram(model: &Model, source: &str, with_loss: bool) -> Diagram {
    let loss = model.loss.filter(|_| with_loss);
    let (is_used, parts) = (used(model, loss), parts(model, loss));
    let file = parse(source).0;
    let expressions: HashMap<(u32, u32), Expression> = expressions(&file)
        .into_iter()
        .map(|of| ((of.expr.span.start, of.expr.span.end), of))
        .collect();
    let shared = layer_names(&file);
    let graph = &model.graph;
    let mut split: HashMap<OriginId, usize> = HashMap::new();
    parts.members.iter().for_each(|part| *split.entry(part.origin).or_default() += 1);
    let of_params = params(model, &parts, &is_used);
    let mut uses: HashMap<usize, usize> = HashMap::new();
    of_params.iter().flatten().for_each(|(param, count)| *uses.entry(*param).or_default() += count);
    let learns = learns(model, loss);
    let statement = |(index, part): (usize, &Part)| {
        let last = *part.nodes.last().expect("a part has nodes");
        let origin = graph.origin(last);
        let span = graph.span(last);
        let expression = expressions.get(&(span.start, span.end));
        let is_port =
            matches!(graph.node(last).op.source(), Some(Source::Input(_) | Source::Target(_)));
        let is_output = |id: &NodeId| model.outputs.iter().any(|(_, output)| output == id);
        let kind = match part.nodes.iter().any(is_output) {
            _ if is_port => Kind::Port,
            _ if loss.is_some_and(|loss| part.nodes.contains(&loss)) => Kind::Loss,
            true => Kind::Output,
            false => Kind::Layer,
        };
        let words = match (graph.node(last).op.source(), expression) {
            (Some(Source::Input(_)), _) => "input".to_string(),
            (Some(Source::Target(_)), _) => "target".to_string(),
            (_, Some(of)) if split[&part.origin] == 1 => operation(of.expr),
            _ => summary(model, &part.nodes),
        };
        let param = |(param, _): (&usize, &usize)| {
            let of = &model.params[*param];
            let layer = of.name.split('.').next().unwrap_or_default();
            let count = if shared.contains(&layer) { uses[param] } else { 1 };
            (of.name.clone(), of.shape, count)
        };
        let trained =
            of_params[index].keys().filter(|&&param| model.params[param].optimizer.is_some());
        let has_gradient = part.nodes.iter().any(|id| learns[id.index()]);
        Statement {
            name: origin.map_or(String::new(), |origin| origin.name.clone()),
            operation: words,
            kind,
            block: expression.and_then(|of| of.block.map(String::from)),
            params: of_params[index].iter().map(param).collect(),
            has_gradient,
            trained: trained
                .filter(|_| has_gradient)
                .map(|&i| model.params[i].name.clone())
                .collect(),
        }
    };
    let boxes = parts.members.iter().enumerate().map(statement).collect();
    Diagram { boxes, edges: edges(model, &parts) }
}

/// Nodes of one statement that can be computed together.
struct Part {
    origin: OriginId,
    nodes: Vec<NodeId>,
}

/// The parts, and the one of each node.
struct Parts {
    members: Vec<Part>,
    of: HashMap<NodeId, usize>,
}

/// Groups the nodes that depend on what comes from outside.
fn parts(model: &Model, loss: Option<NodeId>) -> Parts {
    let graph = &model.graph;
    let (is_used, mut varies) = (used(model, loss), vec![false; graph.nodes.len()]);
    let mut parts = Parts { members: Vec::new(), of: HashMap::new() };
    let mut latest: HashMap<OriginId, usize> = HashMap::new();
    for id in graph.ids() {
        let node = graph.node(id);
        let is_port = matches!(node.op.source(), Some(Source::Input(_) | Source::Target(_)));
        varies[id.index()] = is_port || node.inputs.iter().any(|input| varies[input.index()]);
        if !varies[id.index()] || !is_used[id.index()] {
            continue;
        }
        // Behind all that it reads, a node may join the latest part of its statement.
        let reads = node.inputs.iter().filter_map(|input| parts.of.get(input));
        let after = reads.max().copied().unwrap_or(0);
        let part = match latest.get(&node.origin) {
            Some(&part) if part >= after => part,
            _ => {
                parts.members.push(Part { origin: node.origin, nodes: Vec::new() });
                parts.members.len() - 1
            }
        };
        latest.insert(node.origin, part);
        parts.members[part].nodes.push(id);
        parts.of.insert(id, part);
    }
    parts
}

/// The values that go from part to part.
fn edges(model: &Model, parts: &Parts) -> Vec<Edge> {
    let graph = &model.graph;
    let mut edges: BTreeMap<(usize, usize), BTreeSet<NodeId>> = BTreeMap::new();
    for (to, part) in parts.members.iter().enumerate() {
        for input in part.nodes.iter().flat_map(|&id| graph.node(id).inputs.iter()) {
            if let Some(&from) = parts.of.get(input).filter(|&&from| from != to) {
                edges.entry((from, to)).or_default().insert(*input);
            }
        }
    }
    let edge = |((from, to), values): ((usize, usize), BTreeSet<NodeId>)| {
        let mut shapes: Vec<Shape> = values.into_iter().map(|id| graph.shape(id)).collect();
        shapes.dedup();
        Edge { from, to, shapes }
    };
    edges.into_iter().map(edge).collect()
}

/// For each part the parameters that it uses, and how often: those that it reads at once, or as
/// what is computed of parameters alone.
fn params(model: &Model, parts: &Parts, is_used: &[bool]) -> Vec<BTreeMap<usize, usize>> {
    let graph = &model.graph;
    let index: HashMap<NodeId, usize> =
        model.params.iter().enumerate().map(|(index, param)| (param.node, index)).collect();
    let mut under: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); graph.nodes.len()];
    let mut of_parts = vec![BTreeMap::new(); parts.members.len()];
    for id in graph.ids().filter(|id| is_used[id.index()]) {
        let reads = graph.node(id).inputs.iter();
        let own: Vec<usize> =
            reads.flat_map(|input| under[input.index()].iter().copied()).collect();
        match parts.of.get(&id) {
            Some(&part) => {
                own.into_iter().for_each(|param| *of_parts[part].entry(param).or_default() += 1);
            }
            None => under[id.index()] = own.into_iter().chain(index.get(&id).copied()).collect(),
        }
    }
    of_parts
}

/// What the nodes of a part of a statement do, in few words.
fn summary(model: &Model, nodes: &[NodeId]) -> String {
    let graph = &model.graph;
    let is_param = |id: NodeId| {
        let node = graph.node(id);
        let source = if node.op.is_broadcast() { node.inputs[0] } else { id };
        matches!(graph.node(source).op.source(), Some(Source::Param(_)))
    };
    let word = |&id: &NodeId| {
        let node = graph.node(id);
        let text = node.op.text();
        let by_param = node.inputs.iter().any(|&input| is_param(input));
        match text.as_str() {
            _ if node.op.is_broadcast() => None,
            "matmul" if by_param => node.shape.last().map(|last| format!("dense({last})")),
            "add" if by_param => None,
            "add" => Some("+".to_string()),
            _ => Some(text),
        }
    };
    nodes.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

/// Which nodes the outputs and the loss depend on, and the inputs.
fn used(model: &Model, loss: Option<NodeId>) -> Vec<bool> {
    let mut used = super::layers::used(model);
    loss.into_iter().for_each(|loss| used[loss.index()] = true);
    for index in (0..used.len()).rev() {
        if used[index] {
            let node = &model.graph.nodes[index];
            let reads = if loss.is_some() { node.reads() } else { node.predicts_from() };
            reads.iter().for_each(|input| used[input.index()] = true);
        }
    }
    used
}

/// Which nodes depend on a parameter that is trained, and lead to the loss.
fn learns(model: &Model, loss: Option<NodeId>) -> Vec<bool> {
    let graph = &model.graph;
    let mut learns = vec![false; graph.nodes.len()];
    let Some(loss) = loss else { return learns };
    let trained = model.params.iter().filter(|param| param.optimizer.is_some());
    trained.for_each(|param| learns[param.node.index()] = true);
    for index in 0..learns.len() {
        learns[index] |= graph.nodes[index].inputs.iter().any(|input| learns[input.index()]);
    }
    let mut leads = vec![false; graph.nodes.len()];
    leads[loss.index()] = true;
    for index in (0..leads.len()).rev().filter(|&index| index <= loss.index()) {
        if leads[index] {
            graph.nodes[index].inputs.iter().for_each(|input| leads[input.index()] = true);
        }
    }
    learns.iter().zip(leads).map(|(learns, leads)| *learns && leads).collect()
}
