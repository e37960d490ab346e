//! Figures of the steps of an epoch, each of a net as it was before the step's update.

use crate::exec::Executor;
use crate::program::{Figure, HostInput, Program};

/// What is added up over the batches of an epoch beside their losses: the terms of the loss, where
/// it is no mean over the rows, and its parts.
pub(super) struct Running {
    /// Those of terms, then of parts with their places among the metrics.
    figures: Vec<(Option<usize>, Figure)>,
    /// The sums of each figure, one figure after another.
    sums: Vec<f64>,
}

/// The figures until now.
pub(super) struct Figures {
    /// The loss, if it is made of terms.
    pub loss: Option<f64>,
    /// The parts of the loss, by their places among the metrics.
    pub parts: Vec<(usize, f64)>,
}

impl Running {
    pub fn new(program: &Program) -> Running {
        let terms = program.terms.iter().map(|term| (None, term));
        let parts = program.parts().map(|(place, part)| (Some(place), &part.figure));
        let figures = terms.chain(parts).map(|(place, figure)| (place, figure.clone()));
        let figures: Vec<(Option<usize>, Figure)> = figures.collect();
        let count = figures.iter().map(|(_, figure)| figure.finish.sums.len()).sum();
        Running { figures, sums: vec![0.0; count] }
    }

    /// Adds a batch of `rows` rows that has been run.
    #[inline]
    pub fn add(&mut self, executor: &Executor, rows: usize) {
        let mut sums = self.sums.iter_mut();
        for (_, Figure { values, finish }) in &self.figures {
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

    /// The figures over the batches of so many rows.
    pub fn result(&self, rows: usize) -> Figures {
        let mut sums = &self.sums[..];
        let mut result = Figures { loss: None, parts: Vec::new() };
        for (place, Figure { finish, .. }) in &self.figures {
            let (own, rest) = sums.split_at(finish.sums.len());
            sums = rest;
            let figure = finish.figure.value(|input| match input {
                HostInput::Sum(index) => own[usize::from(index)],
                _ => rows as f64,
            });
            match *place {
                None => result.loss = Some(result.loss.unwrap_or(0.0) + figure),
                Some(place) => result.parts.push((place, figure)),
            }
        }
        result
    }
}
