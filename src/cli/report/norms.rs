//! The norms of weights, and of what an epoch changes of them.

use arenet::Trainer;
use arenet::internals::runtime::program::{BufferId, Param, Program};

use super::run::Norm;

/// Of larger nets there are no norms: they take a copy of the weights, and time after each epoch.
const MOST_VALUES: u64 = 10_000_000;

/// The weights as they were after the last epoch.
pub struct Weights {
    buffers: Vec<BufferId>,
    before: Vec<Vec<f32>>,
}

impl Weights {
    /// The names of the weights of layers, and their values before the first epoch.
    pub fn new(program: &Program, trainer: &Trainer) -> (Vec<String>, Weights) {
        let values: u64 = program.params.iter().map(|p| p.shape.iter().product::<u64>()).sum();
        let is_weight = |param: &&Param| param.shape.len() > 1 && values <= MOST_VALUES;
        let weights: Vec<&Param> = program.params.iter().filter(is_weight).collect();
        let names = weights.iter().map(|param| param.name.clone()).collect();
        let buffers: Vec<BufferId> = weights.iter().map(|param| param.buffer).collect();
        let before = buffers.iter().map(|buffer| trainer.executor().read(*buffer)).collect();
        (names, Weights { buffers, before })
    }

    /// The norms after an epoch.
    pub fn norms(&mut self, trainer: &Trainer) -> Vec<Norm> {
        let norm = |(buffer, before): (&BufferId, &mut Vec<f32>)| {
            let now = trainer.executor().read(*buffer);
            let square = |x: f64| x * x;
            let weight: f64 = now.iter().map(|&x| square(x.into())).sum();
            let both = now.iter().zip(&*before);
            let change: f64 = both.map(|(&x, &y)| square(f64::from(x) - f64::from(y))).sum();
            *before = now;
            Norm { weight: weight.sqrt(), change: change.sqrt() }
        };
        self.buffers.iter().zip(&mut self.before).map(norm).collect()
    }
}
