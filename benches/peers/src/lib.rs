//! The same steps in three frameworks: what each of them starts from, and what it can do.

pub mod with_arenet;
pub mod with_burn;
pub mod with_candle;

#[path = "../../shared/mod.rs"]
pub mod shared;
#[path = "../../shared/workloads.rs"]
pub mod workloads;

use arenet::internals::runtime::random::Stream;
use workloads::Workload;

/// A net in one of the frameworks, with its data.
pub trait Net {
    /// One training step, or one forward pass where the workload only predicts.
    fn step(&mut self);

    /// The loss that the last training step found, before its update.
    fn loss(&self) -> f32;
}

/// What a net starts from, the same in every framework.
pub struct Start {
    /// Row after row.
    pub rows: Vec<f32>,
    pub targets: Targets,
    pub layers: Vec<Layer>,
}

/// What the net should have put out.
pub enum Targets {
    /// Row after row.
    Values(Vec<f32>),
    /// One of each row.
    Classes(Vec<u32>),
}

/// The parameters of a dense layer.
pub struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    /// As `[inputs, outputs]`, row after row.
    pub weights: Vec<f32>,
    pub biases: Vec<f32>,
}

/// Random rows, targets and parameters: Glorot-uniform weights, zero biases.
pub fn start(workload: &Workload) -> Start {
    let (batch, sizes) = (workload.batch, &workload.sizes);
    let outputs = sizes[sizes.len() - 1];
    let stream = |stream| Stream { seed: 0, stream };
    let values = |from: Stream, count: usize| (0..count as u64).map(move |e| from.uniform(0, e));
    let class = |row| stream(1).below(0, row, outputs as u32);
    let layer = |(index, pair): (usize, &[usize])| {
        let (inputs, outputs) = (pair[0], pair[1]);
        let bound = (6.0 / (inputs + outputs) as f32).sqrt();
        let uniform = values(stream(2 + index as u32), inputs * outputs);
        let weights = uniform.map(|u| (2.0 * u - 1.0) * bound).collect();
        Layer { inputs, outputs, weights, biases: vec![0.0; outputs] }
    };
    Start {
        rows: (0..(batch * sizes[0]) as u64).map(|e| stream(0).normal(0, e)).collect(),
        targets: match workload.loss.as_str() {
            "mse" => Targets::Values(values(stream(1), batch * outputs).collect()),
            _ => Targets::Classes((0..batch as u64).map(class).collect()),
        },
        layers: sizes.windows(2).enumerate().map(layer).collect(),
    }
}
