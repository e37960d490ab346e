//! Nets, data and runs that the tests share.

#[path = "../common/weights.rs"]
mod weights;

pub use weights::{Tensor, Weights, file_of, predictor_of};

use arenet::internals::prelude::*;
use arenet::internals::runtime::random::Stream;
use arenet_runtime::program::StreamId;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A classifier of 12 numbers into 3 classes, with everything that carries a state.
pub const CLASSIFIER: &str = "
net classifier {
    input x: [N, 12]
    h = x |> dense(20) |> relu |> dropout(0.2)
    output logits = h |> dense(3)
}
train {
    target label: i32[N] in 0..3
    loss = cross_entropy(logits, label)
    metric accuracy(logits, label)
    optimizer = adam(lr: cosine(0.02, to: 0.001, warmup: 5))
    batch = 8  epochs = 4  seed = 3  valid = 0.2
}";

/// A line through points.
pub const LINE: &str = "
net line {
    input x: [N, 2]
    output y = x |> dense(1)
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    metric rmse(y, t)
    optimizer = sgd(lr: 0.1)
    batch = 4  epochs = 3
}";

pub fn program(source: &str) -> Arc<Verified> {
    program_for(source, None)
}

/// Compiled for steps of `batch` rows, where it is given.
pub fn program_for(source: &str, batch: Option<u64>) -> Arc<Verified> {
    let options = CompileOptions { batch, ..CompileOptions::default() };
    let compiled = compile(source, &options);
    compiled.unwrap_or_else(|found| panic!("{source}\n{found:#?}")).program
}

pub fn floats(width: usize, values: Vec<f32>) -> Array {
    Array { width, data: Values::F32(values) }
}

pub fn uniform(stream: u32, count: usize) -> Vec<f32> {
    let stream = Stream { seed: 9, stream: StreamId(stream) };
    (0..count as u64).map(|element| 2.0 * stream.uniform(0, element) - 1.0).collect()
}

/// Rows whose class is the third with the largest sum.
pub fn classes(rows: usize, width: usize) -> Dataset {
    let x = uniform(0, rows * width);
    let class = |row: &[f32]| {
        let sums = row.chunks_exact(width / 3).map(|part| part.iter().sum::<f32>());
        sums.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0 as i32
    };
    let label = x.chunks_exact(width).map(class).collect();
    Dataset {
        rows,
        inputs: vec![floats(width, x)],
        targets: vec![Array { width: 1, data: Values::I32(label) }],
        ..Dataset::default()
    }
}

/// Points on t = 3 x₀ - x₁ + 0.5.
pub fn line(rows: usize) -> Dataset {
    let x = uniform(1, rows * 2);
    let t = x.chunks_exact(2).map(|x| 3.0 * x[0] - x[1] + 0.5).collect();
    Dataset { rows, inputs: vec![floats(2, x)], targets: vec![floats(1, t)], ..Dataset::default() }
}

pub fn trainer(source: &str, data: Dataset, settings: &Settings) -> Trainer {
    Trainer::new(program(source), data, settings).unwrap()
}

/// Runs to the end; the reports without their times.
pub fn finish(trainer: &mut Trainer) -> Vec<EpochReport> {
    let mut reports = Vec::new();
    while !trainer.is_done() {
        let report = trainer.run_epoch(&mut |_| ControlFlow::Continue(())).unwrap().unwrap();
        reports.push(EpochReport { seconds: 0.0, rows_per_second: 0.0, ..report });
    }
    reports
}

/// Runs up to `steps` steps in all.
pub fn run_to(trainer: &mut Trainer, steps: u64) {
    while trainer.steps() < steps && !trainer.is_done() {
        let mut left = steps - trainer.steps();
        let mut on_step = |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        trainer.run_epoch(&mut on_step).unwrap();
    }
}

/// The bits of all parameters.
pub fn bits(tensors: &[Tensor]) -> Vec<u32> {
    tensors.iter().flat_map(|tensor| tensor.data.iter().map(|v| v.to_bits())).collect()
}

/// A file of this test run, which is removed in the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// Whatever its name, it is nobody else's file: tests run side by side.
    pub fn new(name: &str) -> Scratch {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("arenet-training-{}-{count}-{name}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Overwrites the parameters of a trainer.
pub fn load(trainer: &mut Trainer, weights: &[Tensor]) {
    let bytes = file_of(weights, &BTreeMap::new());
    trainer.load_weights(&mut WeightsFile::of_bytes(&bytes, "weights").unwrap()).unwrap();
}

/// All tensors of a file of weights, in its order, and the metadata.
pub fn read_weights(
    path: impl AsRef<Path>,
) -> Result<(Vec<Tensor>, BTreeMap<String, String>), DataError> {
    let mut file = WeightsFile::open(path)?;
    let mut tensors = Vec::new();
    for (index, head) in file.heads().to_vec().into_iter().enumerate() {
        let mut data = Vec::new();
        file.read(index, 0..head.shape.iter().product(), &mut data)?;
        tensors.push(Tensor { name: head.name, shape: head.shape, data });
    }
    Ok((tensors, file.metadata().clone()))
}
