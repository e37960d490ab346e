//! Figures of the steps of an epoch, each of a net as it was before the step's update.

use crate::exec::Executor;
use crate::program::{Figure, HostInput, Program};

/// The terms of the loss, where it is no mean over the rows, added up over the batches of an epoch.
pub(super) struct Running {
    figures: Vec<Figure>,
    /// The sums of each figure, one figure after another.
    sums: Vec<f64>,
}

impl Running {
    pub fn new(program: &Program) -> Running {
        let figures = program.terms.clone();
        let count = figures.iter().map(|figure| figure.finish.sums.len()).sum();
        Running { figures, sums: vec![0.0; count] }
    }

    /// Adds a batch of `rows` rows that has been run.
    #[inline]
    pub fn add(&mut self, executor: &Executor, rows: usize) {
        let mut sums = self.sums.iter_mut();
        for Figure { values, finish } in &self.figures {
            for (number, sum) in finish.sums.iter().zip(&mut sums) {
                *sum += number.value(|input| match input {
                    HostInput::Value(index) => executor.scalar(values[usize::from(index)]).into(),
                    _ => rows as f64,
                });
            }
        }
    }

    /// What has been added up.
    pub fn sums(&self) -> &[f64] {
        &self.sums
    }

    /// Goes on from other sums, which are as many.
    pub fn restore(&mut self, sums: &[f64]) {
        self.sums.copy_from_slice(sums);
    }

    /// Begins again.
    pub fn clear(&mut self) {
        self.sums.fill(0.0);
    }

    /// The loss over the batches of so many rows, if it is made of terms.
    pub fn loss(&self, rows: usize) -> Option<f64> {
        let mut sums = &self.sums[..];
        let mut figure = |Figure { finish, .. }: &Figure| {
            let (own, rest) = sums.split_at(finish.sums.len());
            sums = rest;
            finish.figure.value(|input| match input {
                HostInput::Sum(index) => own[usize::from(index)],
                _ => rows as f64,
            })
        };
        let losses: Vec<f64> = self.figures.iter().map(&mut figure).collect();
        (!losses.is_empty()).then(|| losses.iter().sum())
    }
}
