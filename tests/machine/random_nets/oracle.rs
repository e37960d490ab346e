//! Training in 64-bit arithmetic, node by node, on the graph as it was lowered: neither simplified
//! nor fused, and without the runtime's kernels.
//!
//! Beside the exact run there are noisy ones, in which every operation errs as 32-bit arithmetic
//! may: how far they go apart is how well a result can be known (Parker: Monte Carlo Arithmetic,
//! 1997). Where an error decides which side of a kink is taken, nothing can be known.

use super::calls::Dice;
use arenet_compiler::graph::op::{BinaryFn, Distribution, Leaf, Op, Random, Source, UnaryFn};
use arenet_compiler::graph::{Graph, Node, Tensor};
use arenet_runtime::program::{HostInput, StateId, Training};
use arenet_runtime::random::Stream;
use std::collections::HashMap;

/// How far an operation errs in a noisy run: several times as far as one rounding.
const NOISE: f64 = 8.0 / (1 << 24) as f64;
/// Nearer to a kink than so many times what the noise does, the side is not known.
pub const MARGIN: f64 = 4.0;
/// What a batch is computed from.
pub struct Moment<'d> {
    pub inputs: &'d [Tensor],
    pub targets: &'d [Tensor],
    pub rows: usize,
    /// The rows of the step, and those of other batches before these.
    pub step_rows: usize,
    pub before: usize,
    /// Steps and epochs done.
    pub step: u64,
    pub epoch: u64,
}

/// One run: its parameters and states.
#[derive(Clone)]
pub struct Run {
    pub params: Vec<Tensor>,
    states: HashMap<StateId, Tensor>,
    noise: Option<Noise>,
}

/// Errors to come.
#[derive(Clone)]
struct Noise(u64);

impl Noise {
    /// An error relative to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(1);
        (2.0 * Dice::new(self.0).unit() - 1.0) * NOISE
    }
}

/// The rates of a run, by its lengths.
pub struct Course<'m> {
    pub training: &'m Training,
    pub steps: u64,
    pub seed: u64,
    /// The rate that each schedule starts from now.
    pub bases: Vec<f64>,
}

impl Run {
    /// The exact run and so many noisy ones from these parameters on.
    pub fn all(params: Vec<Tensor>, noisy: usize) -> Vec<Run> {
        let run = |lane: usize| Run {
            params: params.clone(),
            states: HashMap::new(),
            noise: (lane > 0).then_some(Noise((lane as u64) << 40)),
        };
        (0..=noisy).map(run).collect()
    }

    /// The values of all nodes.
    pub fn evaluate(&mut self, graph: &Graph, course: &Course, moment: &Moment) -> Vec<Tensor> {
        let mut values: Vec<Tensor> = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let inputs: Vec<&Tensor> = node.inputs.iter().map(|id| &values[id.index()]).collect();
            let mut value = match node.op {
                Op::Leaf(leaf) => self.leaf(&leaf, graph, course, moment),
                Op::Random(random) => mask(&random, course.seed, moment),
                op => op.eval(&inputs, moment.rows),
            };
            if let Some(noise) = &mut self.noise {
                disturb(&mut value, node, &inputs, moment.rows, noise);
            }
            values.push(value);
        }
        values
    }

    fn leaf(&self, leaf: &Leaf, graph: &Graph, course: &Course, moment: &Moment) -> Tensor {
        match leaf.source {
            Source::Input(i) => moment.inputs[i as usize].clone(),
            Source::Target(i) => moment.targets[i as usize].clone(),
            Source::Param(i) => self.params[i.index()].clone(),
            Source::State(state) => {
                let zero = || Tensor::from_fn(leaf.shape, moment.rows, |_| 0.0);
                self.states.get(&state).cloned().unwrap_or_else(zero)
            }
            Source::Const(value) => Tensor::scalar(value),
            Source::PerRow(factor) => Tensor::scalar(factor / moment.rows as f64),
            Source::Host(id) => {
                let number = &graph.hosts[id.index()];
                Tensor::scalar(number.value(|input| course.host(input, moment)))
            }
        }
    }

    /// Adds to a state, which may err.
    pub fn add_to(&mut self, state: StateId, terms: impl Iterator<Item = f64>) {
        let sum = &mut self.states.get_mut(&state).expect("it is there").data;
        for (sum, term) in sum.iter_mut().zip(terms) {
            let error = self.noise.as_mut().map_or(0.0, Noise::next);
            *sum += term + (sum.abs() + term.abs()) * error;
        }
    }

    /// Multiplies the elements of a parameter, which may err.
    pub fn scale(&mut self, param: usize, by: impl Fn(usize) -> f64) {
        for (i, w) in self.params[param].data.iter_mut().enumerate() {
            let (by, noise) = (by(i), self.noise.as_mut());
            if by != 1.0 {
                *w *= by * (1.0 + noise.map_or(0.0, Noise::next));
            }
        }
    }

    /// Stores what a graph assigns.
    pub fn assign(&mut self, graph: &Graph, values: &[Tensor]) {
        for &root in graph.roots.iter().filter(|root| graph.node(**root).op.is_assign()) {
            let value = values[root.index()].clone();
            match graph.node(graph.node(root).inputs[0]).op.source() {
                Some(Source::Param(i)) => self.params[i.index()] = value,
                Some(Source::State(state)) => _ = self.states.insert(state, value),
                other => panic!("{other:?} is assigned"),
            }
        }
    }
}

impl<'m> Course<'m> {
    pub fn new(training: &'m Training, steps: u64) -> Course<'m> {
        let bases = training.schedules.iter().map(|schedule| schedule.base).collect();
        Course { training, steps, seed: training.seed, bases }
    }

    fn host(&self, input: HostInput, moment: &Moment) -> f64 {
        match input {
            HostInput::Rows => moment.rows as f64,
            HostInput::StepRows => moment.step_rows as f64,
            HostInput::Step => moment.step as f64,
            HostInput::Steps => self.steps as f64,
            HostInput::Epoch => moment.epoch as f64,
            HostInput::Epochs => self.training.epochs as f64,
            HostInput::Rate(group) => {
                let schedule = &self.training.schedules[usize::from(group)];
                schedule.rate.value(|input| match input {
                    HostInput::Base => self.bases[usize::from(group)],
                    input => self.host(input, moment),
                })
            }
            HostInput::Momentum(group) => {
                let momentum = &self.training.schedules[usize::from(group)].momentum;
                let momentum = momentum.as_ref().expect("its schedule moves it");
                momentum.value(|input| self.host(input, moment))
            }
            input => panic!("a step reads {input:?}"),
        }
    }
}

/// The mask of a dropout: zeros where a uniform number is below the share.
fn mask(random: &Random, seed: u64, moment: &Moment) -> Tensor {
    let Distribution::Mask(share, kept) = random.distribution else {
        panic!("a step draws {}", random.distribution)
    };
    let stream = Stream { seed, stream: random.stream };
    let before = moment.before * random.shape.fixed_elements();
    Tensor::from_fn(random.shape, moment.rows, |i| {
        let uniform = stream.uniform(moment.step, (before + i) as u64);
        if uniform < share as f32 { 0.0 } else { kept }
    })
}

/// Lets an operation err: relative to its result, and of a sum to all that is added up.
fn disturb(value: &mut Tensor, node: &Node, inputs: &[&Tensor], rows: usize, noise: &mut Noise) {
    let absolute = || {
        let positive = |x: &&Tensor| {
            let data = x.data.iter().map(|x| x.abs()).collect();
            Tensor { shape: x.shape, data }
        };
        let inputs: Vec<Tensor> = inputs.iter().map(positive).collect();
        node.op.eval(&inputs.iter().collect::<Vec<_>>(), rows).data
    };
    let largest = || inputs.iter().flat_map(|x| &x.data).fold(1.0f64, |most, x| most.max(x.abs()));
    let sizes: Vec<f64> = match node.op {
        Op::Leaf(leaf) => match leaf.source {
            Source::Const(value) if f64::from(value as f32) == value => return,
            Source::Const(_) | Source::PerRow(_) | Source::Host(_) => value.data.clone(),
            _ => return,
        },
        Op::Binary(op) if matches!(op.0, BinaryFn::Max | BinaryFn::Min | BinaryFn::Gate) => return,
        Op::Unary(op)
            if matches!(op.0, UnaryFn::Neg | UnaryFn::Abs | UnaryFn::Sign | UnaryFn::Relu) =>
        {
            return;
        }
        Op::Binary(_) | Op::Unary(_) => value.data.clone(),
        Op::MatMul(_) | Op::Reduce(_) | Op::ScatterAdd(_) => absolute(),
        // The error of e^(x - max) is that of the exponent.
        Op::Softmax(_) | Op::CrossEntropy(_) | Op::Bce(_) => {
            let largest = largest();
            value.data.iter().map(|y| y.abs() + largest).collect()
        }
        Op::CrossEntropyGrad(_) => {
            let (width, largest) = (value.data.len() / inputs[2].data.len().max(1), largest());
            let of_row = |dy: &f64| vec![dy.abs() * largest; width];
            inputs[2].data.iter().flat_map(of_row).collect()
        }
        _ => return, // it moves numbers, or finds places
    };
    for (value, size) in value.data.iter_mut().zip(sizes) {
        *value += size * noise.next();
    }
}

/// A node at which some error decides what is computed.
pub fn undecided(graph: &Graph, values: &[Vec<Tensor>]) -> Option<String> {
    let exact = &values[0];
    // How far the noise moves what f makes of a lane.
    let near = |f: &dyn Fn(&[Tensor]) -> f64| {
        let at = f(exact);
        let moved = values[1..].iter().fold(0.0f64, |far, lane| far.max((f(lane) - at).abs()));
        moved > 0.0 && at.abs() < MARGIN * moved
    };
    for (index, node) in graph.nodes.iter().enumerate() {
        let count = exact[index].data.len();
        let input = |i: usize| node.inputs[i].index();
        let undecided = match node.op {
            Op::Unary(op) => {
                let kink = matches!(op.0, UnaryFn::Abs | UnaryFn::Sign | UnaryFn::Relu);
                kink && (0..count).any(|e| near(&|lane| lane[input(0)].data[e]))
            }
            Op::Binary(op) => match op.0 {
                BinaryFn::Max | BinaryFn::Min => {
                    let [a, b] = [input(0), input(1)];
                    (0..count).any(|e| near(&|lane| lane[a].data[e] - lane[b].data[e]))
                }
                BinaryFn::Gate => (0..count).any(|e| near(&|lane| lane[input(1)].data[e])),
                _ => false,
            },
            Op::Argmax(_) => {
                let width = exact[input(0)].shape.last().expect("it has rows");
                (0..count).any(|row| {
                    let best = row * width + exact[index].data[row] as usize;
                    let others = (row * width..(row + 1) * width).filter(|&e| e != best);
                    let x = input(0);
                    others.into_iter().any(|e| near(&|lane| lane[x].data[best] - lane[x].data[e]))
                })
            }
            _ => false,
        };
        if undecided {
            return Some(format!("%{index} ({})", node.op));
        }
    }
    None
}

/// How far each element of the noisy runs goes from the exact one at most, with that of the others
/// in part: a few runs may agree by chance.
pub fn spread(exact: &[f64], noisy: &[&[f64]]) -> Vec<f64> {
    let far = |(i, x): (usize, &f64)| {
        noisy.iter().fold(0.0f64, |far, lane| {
            let d = (lane[i] - x).abs();
            if d > far || d.is_nan() { d } else { far }
        })
    };
    let spreads: Vec<f64> = exact.iter().enumerate().map(far).collect();
    let mean = spreads.iter().sum::<f64>() / spreads.len().max(1) as f64;
    spreads.into_iter().map(|spread| spread.max(mean / 2.0)).collect()
}
