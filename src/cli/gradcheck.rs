//! `arenet gradcheck`: the gradients of a model beside central differences, both in 64-bit floats.

use arenet::internals::runtime::program::StreamId;
use std::path::PathBuf;

use arenet::internals::compiler::Purpose;
use arenet::internals::compiler::eval::{draw_outside, evaluate};
use arenet::internals::compiler::graph::op::{Distribution, Leaf, Random, Source as LeafSource};
use arenet::internals::compiler::graph::{DType, Graph, NodeId, Tensor};
use arenet::internals::compiler::init::Init;
use arenet::internals::compiler::model::{Domain, Model, Port};
use arenet::internals::compiler::pass::differentiate::differentiate;
use arenet::internals::compiler::pass::mode::in_training;
use arenet::internals::runtime::random::Stream;
use clap::Args;

use super::failure::{Failure, Kind};
use super::source::Source;
use super::{Context, console, units};

/// What to check.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet gradcheck models/digits.net")]
pub struct GradcheckArgs {
    /// The model
    model: PathBuf,
    /// Seed of the random weights and rows
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// Rows of random data.
const ROWS: usize = 5;
/// The most elements of a parameter that are moved.
const SAMPLES: usize = 24;
/// How far an element is moved to either side.
const STEP: f64 = 1e-5;
/// The largest error that passes, relative to the gradient.
const TOLERANCE: f64 = 1e-5;
/// Gradients smaller than this, relative to the parameter's largest, drown in rounding.
const FLOOR: f64 = 1e-3;

/// Gradients smaller than this drown in the rounding of the losses, such as that of a bias before a
/// normalisation, which is 0.
const LEAST: f64 = 1e-5;

/// What was found for one parameter.
struct Finding {
    name: String,
    checked: usize,
    elements: usize,
    error: f64,
}

/// Checks and prints a line for each parameter.
pub fn run(cx: &Context, args: &GradcheckArgs) -> Result<(), Failure> {
    let source = Source::read(cx, &args.model)?;
    let built = source.build(cx, Some(ROWS as u64), Purpose::Train)?;
    let Some(compiled) = built.compiled else {
        let text = format!("{}: a compiled program has no formulas to check", source.name());
        return Err(Failure::usage(text).help("give the .net file"));
    };
    let Some(loss) = compiled.model.loss else {
        return Err(Failure::without_train(&source.name(), ", so no gradients"));
    };
    let findings = check(&compiled.model, loss, args.seed);
    let wide = findings.iter().map(|finding| finding.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in &findings {
        let verdict = if finding.passes() { "ok" } else { "FAIL" };
        text.push_str(&format!(
            "{:<wide$}  max relative error {:.1e}  {} of {}  {verdict}\n",
            finding.name,
            finding.error,
            finding.checked,
            units::plural(finding.elements as u64, "element"),
        ));
    }
    console::print(text)?;
    match findings.iter().filter(|finding| !finding.passes()).count() {
        0 => Ok(()),
        failed => {
            let what = units::plural(failed as u64, "parameter");
            let text = format!("{}: the gradients of {what} are wrong", source.name());
            Err(Failure::new(Kind::Model, text))
        }
    }
}

impl Finding {
    fn passes(&self) -> bool {
        self.error <= TOLERANCE // and so not NaN
    }
}

/// Compares every trained parameter's gradient with central differences.
fn check(model: &Model, loss: NodeId, seed: u64) -> Vec<Finding> {
    // The net as it is trained; random zeros are the same in all evaluations.
    let mut training = model.graph.clone();
    let loss = in_training(&mut training)[loss.index()];
    let drawn = draw_outside(&mut training, model.inputs.len());
    let mut values = Values::random(model, &drawn, seed);
    let trained: Vec<usize> =
        (0..model.params.len()).filter(|&i| model.params[i].optimizer.is_some()).collect();
    let leaves: Vec<NodeId> = trained.iter().map(|&i| model.params[i].node).collect();
    let mut graph = training.clone();
    let grads = differentiate(&mut graph, loss, &leaves);
    let analytic = values.evaluate(&graph);

    let check_param = |(&index, grad): (&usize, &Option<NodeId>)| {
        let param = &model.params[index];
        let elements = values.params[index].data.len();
        let grad = grad.map(|node| analytic[node.index()].data.as_slice());
        let largest =
            grad.iter().copied().flatten().fold(0.0f64, |max, value| max.max(value.abs()));
        let floor = (FLOOR * largest).max(LEAST);
        let (mut error, mut checked) = (0.0f64, 0);
        for element in (0..elements).step_by(elements.div_ceil(SAMPLES).max(1)) {
            let exact = grad.map_or(0.0, |grad| grad[element]);
            let numeric = values.slope(&training, loss, index, element);
            let size = exact.abs().max(numeric.abs()).max(floor);
            let relative = (exact - numeric).abs() / size;
            // `max` would drop a NaN.
            error = if relative > error || relative.is_nan() { relative } else { error };
            checked += 1;
        }
        Finding { name: param.name.clone(), checked, elements, error }
    };
    trained.iter().zip(&grads).map(check_param).collect()
}

/// Random values for all leaves.
struct Values {
    inputs: Vec<Tensor>,
    targets: Vec<Tensor>,
    params: Vec<Tensor>,
}

impl Values {
    fn random(model: &Model, drawn: &[Random], seed: u64) -> Values {
        let mut stream = 0;
        let mut next = || {
            stream += 1;
            Stream { seed, stream: StreamId(stream) }
        };
        let params = model.params.iter().map(|param| {
            let stream = next();
            Tensor::from_fn(param.shape, ROWS, |e| initial(param.init, stream, e as u64))
        });
        let params = params.collect();
        let mut port = |port: &Port| {
            let stream = next();
            Tensor::from_fn(port.shape, ROWS, |e| value_in(port, stream, e as u64))
        };
        let inputs = model.inputs.iter().map(&mut port);
        let drawn = drawn.iter().map(|random| {
            let stream = Stream { seed, stream: random.stream };
            Tensor::from_fn(random.shape, ROWS, |e| drawn_value(random, stream, e as u64))
        });
        let inputs = inputs.chain(drawn).collect();
        let targets = model.targets.iter().map(&mut port).collect();
        Values { inputs, targets, params }
    }

    fn evaluate(&self, graph: &Graph) -> Vec<Tensor> {
        evaluate(graph, |leaf| self.of(leaf), ROWS)
    }

    fn of(&self, leaf: &Leaf) -> Tensor {
        match leaf.source {
            LeafSource::Input(i) => self.inputs[i as usize].clone(),
            LeafSource::Target(i) => self.targets[i as usize].clone(),
            LeafSource::Param(i) => self.params[i.index()].clone(),
            LeafSource::PerRow(factor) => Tensor::scalar(factor / ROWS as f64),
            // Updates and new statistics read it, which are not differentiated.
            LeafSource::State(_) | LeafSource::Host(_) | LeafSource::Const(_) => {
                Tensor::from_fn(leaf.shape, ROWS, |_| f64::NAN)
            }
        }
    }

    /// The slope of the loss along one element of a parameter.
    fn slope(&mut self, graph: &Graph, loss: NodeId, param: usize, element: usize) -> f64 {
        let at = self.params[param].data[element];
        let mut loss_at = |value: f64| {
            self.params[param].data[element] = value;
            self.evaluate(graph)[loss.index()].data[0]
        };
        let (above, below) = (loss_at(at + STEP), loss_at(at - STEP));
        self.params[param].data[element] = at;
        (above - below) / (2.0 * STEP)
    }
}

fn drawn_value(random: &Random, stream: Stream, element: u64) -> f64 {
    let uniform = f64::from(stream.uniform(0, element));
    match random.distribution {
        Distribution::Mask(share, kept) => kept * f64::from(u8::from(uniform >= share)),
        Distribution::Uniform(low, high) => low + (high - low) * uniform,
        Distribution::Normal(mean, deviation) => {
            mean + deviation * f64::from(stream.normal(0, element))
        }
        Distribution::Truncated(..) | Distribution::Orthogonal(_) => {
            unreachable!("these are initial values, which `initial` draws")
        }
    }
}

/// A parameter's element at the start; constants get some noise, as zero biases would hide much.
fn initial(init: Init, stream: Stream, element: u64) -> f64 {
    match init {
        Init::Constant(value) => value + 0.1 * f64::from(stream.normal(0, element)),
        Init::Uniform(low, high) => low + (high - low) * f64::from(stream.uniform(0, element)),
        Init::Normal(mean, deviation) => mean + deviation * f64::from(stream.normal(0, element)),
        Init::Truncated(mean, deviation, low, high) => {
            (mean + deviation * f64::from(stream.normal(0, element))).clamp(low, high)
        }
        // Of the same size, if not at right angles.
        Init::Orthogonal(gain) => gain * f64::from(stream.normal(0, element)),
    }
}

fn value_in(port: &Port, stream: Stream, element: u64) -> f64 {
    let uniform = f64::from(stream.uniform(0, element));
    let (low, high) = match &port.domain {
        Domain::Any if port.dtype == DType::I32 => (0.0, 1.0),
        Domain::Any => return uniform,
        // A class is its index.
        Domain::Range(low, high) | Domain::RangeOr(low, high, _) => (0.0, (high - low) as f64),
        Domain::Names(names) => (0.0, names.len() as f64),
        Domain::Interval(low, high) => (*low, *high),
    };
    let value = low + (high - low) * uniform;
    if port.dtype == DType::I32 { value.floor() } else { value }
}
