//! What a trained net looks like from inside, where that explains why it is no better: units that
//! never fire, saturated layers, gradients that vanish, a prediction that is always the same.
//!
//! It is measured by the compiler's evaluator on some of the rows trained on, after the run.

use crate::error::Diagnostics;
use crate::trainer::Trainer;
use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::Diagnostic;
use arenet_compiler::eval::{draw_outside, evaluate};
use arenet_compiler::graph::op::{Leaf, Op, Source, UnaryFn};
use arenet_compiler::graph::{Graph, NodeId, Tensor};
use arenet_compiler::model::{Compared, Model};
use arenet_compiler::pass::differentiate::differentiate;
use std::collections::HashSet;
use std::sync::Arc;

/// The most rows that are looked at, and the least of larger data.
const MOST_ROWS: usize = 1000;
const LEAST_ROWS: usize = 50;
/// The operations that are always allowed, the most, and those for each second of the training: a
/// few percent of its time.
const WORK: f64 = 1e7;
const MOST_WORK: f64 = 3e8;
const WORK_PER_SECOND: f64 = 3e7;
/// The operations of a step for each of a prediction.
const STEP: f64 = 4.0;

/// The share of a layer's units from which on it is told that they never fire, and of its values
/// that they are saturated.
const SHARE: f64 = 0.5;
const SATURATED_SHARE: f64 = 0.75;
/// From here on a sigmoid is saturated: near 1, or near 0.
const SATURATED: f64 = 0.99;
/// A gradient this small beside the largest of the layers has vanished.
const VANISHED: f64 = 1e-5;

/// How the units of a hidden layer are used, on some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    /// The statement.
    pub name: String,
    /// The activation: `relu`, `sigmoid` or `tanh`.
    pub function: &'static str,
    /// How many there are.
    pub units: usize,
    /// Those that never fire; of `relu`.
    pub dead: Option<usize>,
    /// The share of values at the ends of the function, where it has no slope; of the others.
    pub saturated: Option<f64>,
}

/// A trained net on some rows.
struct Trained<'a> {
    model: &'a Model,
    text: &'a str,
    graph: &'a Graph,
    values: &'a [Tensor],
    rows: usize,
}

impl Trainer {
    /// Looks at the net as it is now on some of the rows trained on, for a few percent of the time
    /// that the training took: whether units never fire, layers are saturated, gradients vanish, or
    /// every prediction is the same. Nothing is found in most nets, nor in those that were
    /// compiled, which have no text.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/iris.csv")?).build()?;
    /// trainer.train()?;
    /// assert!(trainer.diagnosis().is_empty());
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn diagnosis(&self) -> Diagnostics {
        self.examine().0
    }

    /// [`Trainer::diagnosis`], and what it has seen of the units of hidden layers.
    #[doc(hidden)]
    pub fn examine(&self) -> (Diagnostics, Vec<Units>) {
        let none = || {
            let (file, text) = (String::new(), Arc::from(""));
            (Diagnostics { found: vec![], file, text }, Vec::new())
        };
        let Some(text) = self.text.as_ref().filter(|_| !self.by_gradients) else { return none() };
        let model = &*text.model;
        let rows = rows(model, self.inner.training_rows(), self.seconds);
        let executor = self.inner.executor();
        let params = executor.program().params.iter();
        let floats = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
        let params = params.map(|param| floats(executor.read(param.buffer))).collect();
        let ports = self.inner.some_rows(rows);
        let (found, units) = diagnose(model, &text.text, params, ports, rows);
        let (file, text) = (text.file.clone(), text.text.clone());
        (Diagnostics { found, file, text }, units)
    }
}

/// How many of `all` rows are looked at after a training of so many seconds; maybe none.
fn rows(model: &Model, all: usize, seconds: f64) -> usize {
    let shapes = |id: &NodeId| model.graph.shape(*id);
    let of_node = |id: NodeId| {
        let node = model.graph.node(id);
        let inputs: Vec<_> = node.inputs.iter().map(shapes).collect();
        node.op.flops(&inputs, &node.shape, 1) as f64
    };
    let work = STEP * model.graph.ids().map(of_node).sum::<f64>().max(1.0);
    let most = (WORK + WORK_PER_SECOND * seconds).min(MOST_WORK) / work;
    let rows = (most as usize).min(MOST_ROWS).min(all);
    if rows < LEAST_ROWS.min(all) { 0 } else { rows }
}

/// What there is to say of a net with these parameters on these rows of its ports.
fn diagnose(
    model: &Model,
    text: &str,
    params: Vec<Vec<f64>>,
    ports: Vec<Vec<f64>>,
    rows: usize,
) -> (Vec<Diagnostic>, Vec<Units>) {
    let Some(loss) = model.loss.filter(|_| rows > 0) else { return Default::default() };
    let mut graph = model.graph.clone();
    draw_outside(&mut graph, ports.len());
    let weights = weights(model, &graph);
    let leaves: Vec<NodeId> = weights.iter().map(|&param| model.params[param].node).collect();
    let grads = differentiate(&mut graph, loss, &leaves);
    let known = |leaf: &Leaf, data: &[f64]| Tensor { shape: leaf.shape, data: data.to_vec() };
    let leaf = |leaf: &Leaf| match leaf.source {
        Source::Input(i) if (i as usize) < model.inputs.len() => known(leaf, &ports[i as usize]),
        Source::Target(i) => known(leaf, &ports[model.inputs.len() + i as usize]),
        Source::Param(i) => known(leaf, &params[i.index()]),
        Source::PerRow(factor) => Tensor::scalar(factor / rows as f64),
        // Masks and new statistics, which only training reads.
        _ => Tensor::from_fn(leaf.shape, rows, |_| 0.0),
    };
    let values = evaluate(&graph, leaf, rows);
    let trained = Trained { model, text, graph: &model.graph, values: &values, rows };
    let mut found = trained.constant_predictions();
    let units = trained.units();
    found.extend(units.iter().filter_map(|(id, units)| trained.unused(*id, units)));
    if found.is_empty() {
        let norm = |grad: &Option<NodeId>| {
            let data = &values[(*grad)?.index()].data;
            Some((data.iter().map(|g| g * g).sum::<f64>() / data.len() as f64).sqrt())
        };
        let norms: Vec<f64> = grads.iter().map(|grad| norm(grad).unwrap_or(0.0)).collect();
        found.extend(trained.vanished(&weights, &norms));
    }
    (found, units.into_iter().map(|(_, units)| units).collect())
}

/// The weights of products that are trained.
fn weights(model: &Model, graph: &Graph) -> Vec<usize> {
    let products = graph.nodes.iter().filter(|node| matches!(node.op, Op::MatMul(_)));
    let operands: HashSet<NodeId> = products.flat_map(|node| node.inputs.iter().copied()).collect();
    let is_trained = |&i: &usize| {
        let param = &model.params[i];
        param.optimizer.is_some() && operands.contains(&param.node)
    };
    (0..model.params.len()).filter(is_trained).collect()
}

impl Trained<'_> {
    fn of(&self, id: NodeId) -> &Tensor {
        &self.values[id.index()]
    }

    /// A warning at the statement of a node.
    fn warn(&self, code: Code, id: NodeId, text: String) -> Diagnostic {
        Diagnostic::warning(code, self.graph.span(id), text)
    }

    /// Whether the statement of a node calls this function, and not one that is made of it.
    fn calls(&self, id: NodeId, function: &str) -> bool {
        let words = self.text[self.graph.span(id).range()]
            .split(|c: char| !c.is_alphanumeric() && c != '_');
        words.into_iter().any(|word| word == function)
    }

    fn name(&self, id: NodeId) -> &str {
        &self.graph.origins[self.graph.node(id).origin.0 as usize].name
    }

    /// Outputs that are the same for every row, and classes.
    fn constant_predictions(&self) -> Vec<Diagnostic> {
        let is_one = |mut values: std::slice::Iter<f64>| {
            let first = values.next().copied();
            values.all(|&x| Some(x) == first)
        };
        let mut found: Vec<Diagnostic> = Vec::new();
        for &Compared { value: logits, target, .. } in &self.model.compared {
            let targets = &self.of(target).data;
            let (value, width) = (self.of(logits), self.graph.shape(logits).last().unwrap_or(1));
            if width < 2 || value.data.len() != targets.len() * width || is_one(targets.iter()) {
                continue;
            }
            // The first one at ties, as everywhere.
            let largest = |row: &[f64]| {
                (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as f64
            };
            let classes: Vec<f64> = value.data.chunks(width).map(largest).collect();
            if is_one(classes.iter()) {
                let right = targets.iter().filter(|target| **target == classes[0]).count();
                let share = 100.0 * right as f64 / targets.len() as f64;
                let ports = &self.model.targets;
                let label = ports.iter().find(|port| port.node == target).and_then(|port| {
                    port.domain.label(classes[0] as u64).map(|label| label.to_string())
                });
                let label = label.unwrap_or_else(|| classes[0].to_string());
                let count = |class: &f64| targets.iter().filter(|other| *other == class).count();
                let most = targets.iter().map(count).max();
                let which =
                    if most == Some(right) { "the most frequent class" } else { "one class" };
                let text = format!(
                    "every row is taken for {label}: the accuracy, {share:.1}%, is that of {which}"
                );
                let warning = self.warn(Code::ConstantPrediction, logits, text);
                found.push(warning.help("scale the inputs, or try another learning rate"));
                return found;
            }
        }
        for (name, id) in &self.model.outputs {
            let width = self.graph.shape(*id).fixed_elements();
            let data = &self.of(*id).data;
            let constant = |column: usize| {
                let values = || data.iter().skip(column).step_by(width).copied();
                let (low, high) =
                    values().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
                high - low <= 1e-6 * high.abs().max(low.abs())
            };
            if self.rows > 1 && (0..width).all(constant) {
                let text = format!("the output `{name}` is the same for every row");
                let warning = self.warn(Code::ConstantPrediction, *id, text);
                found.push(warning.help("scale the inputs, or try another learning rate"));
            }
        }
        found
    }

    /// The hidden layers whose activation has ends without a slope.
    fn units(&self) -> Vec<(NodeId, Units)> {
        let hidden = self.hidden();
        let of = |id: NodeId| {
            let Op::Unary(op) = self.graph.node(id).op else { return None };
            let value = self.of(id);
            let units = value.shape.last().unwrap_or(1);
            let name = self.name(id).to_string();
            let (function, least) = match op.0 {
                UnaryFn::Relu if self.calls(id, "relu") || self.calls(id, "relu6") => {
                    let never = |unit: &usize| {
                        value.data.iter().skip(*unit).step_by(units).all(|&x| x <= 0.0)
                    };
                    let dead = Some((0..units).filter(never).count());
                    let own = Units { name, function: "relu", units, dead, saturated: None };
                    return Some((id, own));
                }
                UnaryFn::Sigmoid => ("sigmoid", 0.0),
                UnaryFn::Tanh => ("tanh", -1.0),
                _ => return None,
            };
            let width = 1.0 - least;
            let is_flat = |&&x: &&f64| {
                let share = (x - least) / width;
                share.max(1.0 - share) > SATURATED
            };
            let flat = value.data.iter().filter(is_flat).count();
            let saturated = Some(flat as f64 / value.data.len().max(1) as f64);
            let own = Units { name, function, units, dead: None, saturated };
            self.calls(id, function).then_some((id, own))
        };
        self.graph.ids().filter(|id| hidden[id.index()]).filter_map(of).collect()
    }

    /// Warns of a layer most of whose units never fire, or are saturated.
    fn unused(&self, id: NodeId, layer: &Units) -> Option<Diagnostic> {
        let seen = match self.rows {
            1 => "the one row looked at".to_string(),
            rows => format!("{rows} rows looked at"),
        };
        let Units { name, function, units, dead, saturated } = layer;
        if let Some(dead) = dead.filter(|dead| *dead as f64 >= SHARE * *units as f64) {
            let text = format!(
                "{dead} of {units} units of `relu` in `{name}` never fire: they are 0 in all {seen}"
            );
            let help = "try a lower learning rate, `init: he`, or `leaky_relu`";
            return Some(self.warn(Code::DeadUnits, id, text).help(help));
        }
        let share = saturated.filter(|share| *share >= SATURATED_SHARE)?;
        let text = format!(
            "`{name}` is saturated: {:.0}% of its values in the {seen} are within 1% of the ends \
             of {function}, where it has no slope",
            100.0 * share
        );
        let help = "scale the inputs, or try a lower learning rate";
        Some(self.warn(Code::Saturated, id, text).help(help))
    }

    /// The values with the batch that lead to a product with a parameter: those of hidden layers.
    fn hidden(&self) -> Vec<bool> {
        let mut leads = vec![false; self.graph.nodes.len()];
        for id in self.graph.ids().rev() {
            let node = self.graph.node(id);
            let is_layer = matches!(node.op, Op::MatMul(_));
            for input in node.inputs.iter() {
                leads[input.index()] |= is_layer || leads[id.index()];
            }
        }
        for id in self.graph.ids() {
            leads[id.index()] &= self.graph.shape(id).batch();
        }
        leads
    }

    /// Layers that hardly learn, beside the one that learns most.
    fn vanished(&self, weights: &[usize], norms: &[f64]) -> Option<Diagnostic> {
        let largest = (0..norms.len()).max_by(|&a, &b| norms[a].total_cmp(&norms[b]))?;
        let least = (0..norms.len()).min_by(|&a, &b| norms[a].total_cmp(&norms[b]))?;
        if norms[largest] == 0.0 || norms[least] > VANISHED * norms[largest] {
            return None;
        }
        let [above, below] = [largest, least].map(|i| &self.model.params[weights[i]]);
        let text = format!(
            "the gradient of `{}` has vanished: it is {:.0e} of that of `{}`",
            below.name,
            norms[least] / norms[largest],
            above.name
        );
        let help = "try `relu` with `init: he`, `layer_norm`, or sums with what comes before";
        Some(Diagnostic::warning(Code::VanishingGradient, below.span, text).help(help))
    }
}
