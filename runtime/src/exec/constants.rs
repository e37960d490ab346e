//! The constants of a program's expressions, each held once.

use std::collections::HashMap;

/// The constants in the order in which they were first asked for.
#[derive(Clone, Debug)]
pub struct Constants {
    values: Vec<f32>,
    /// Where each is, by its bits: -0 is not 0.
    index: HashMap<u32, usize>,
}

impl Constants {
    /// Those that every program has: zero starts every product without a bias, and is the first;
    /// one is the row that sums columns.
    pub fn new() -> Constants {
        let values = vec![0.0, 1.0];
        let index = values.iter().zip(0..).map(|(value, index)| (f32::to_bits(*value), index));
        Constants { index: index.collect(), values }
    }

    /// The position of a constant, which is added if it is new.
    pub fn index_of(&mut self, value: f32) -> usize {
        *self.index.entry(value.to_bits()).or_insert_with(|| {
            self.values.push(value);
            self.values.len() - 1
        })
    }

    /// All of them.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Default for Constants {
    fn default() -> Constants {
        Constants::new()
    }
}
