//! Figures of a stream of rows, each evaluated before the net learns from it: prequential
//! evaluation, of A. P. Dawid (1984). Such figures need no held-out rows.

use super::evaluate::Tally;
use super::report::Evaluation;
use crate::exec::Executor;
use crate::program::{Finish, Over, Verified};
use std::collections::VecDeque;
use std::sync::Arc;

/// Loss and metrics over the rows that were tested by `Trainer::test`, all
/// of them and the last ones.
pub struct Prequential {
    program: Arc<Verified>,
    all: Tally,
    recent: Tally,
    /// The rows and the values of each of the last tests, the latest one last.
    last: VecDeque<(usize, Vec<Vec<f32>>)>,
    /// The tests that `last` has at most.
    window: usize,
}

impl Prequential {
    pub(super) fn new(program: &Arc<Verified>, window: usize) -> Prequential {
        // Ranks are of rows that are all there, and a stream has no end.
        let bounded = |finish: &Finish| !finish.is_table() && finish.over != Over::Ranks;
        let source = program.program();
        Prequential {
            program: program.clone(),
            all: Tally::new(source, bounded),
            recent: Tally::new(source, |finish| !finish.is_table()),
            last: VecDeque::new(),
            window: window.max(1),
        }
    }

    /// Adds a batch that has been evaluated.
    pub(super) fn add(&mut self, executor: &Executor, rows: usize) {
        self.all.read(executor, rows);
        self.all.add();
        self.recent.read(executor, rows);
        let mut values = match self.last.len() < self.window {
            true => Vec::new(),
            false => self.last.pop_front().map_or_else(Vec::new, |(_, values)| values),
        };
        self.recent.copy_to(&mut values);
        self.last.push_back((rows, values));
    }

    /// The figures over all rows; without metrics that are of ranks, such as `auc`, for which all
    /// rows would have to be kept, and without tables.
    pub fn all(&self) -> Evaluation {
        self.all.result(self.program.program())
    }

    /// The figures over the rows of the last tests; without tables.
    pub fn recent(&mut self) -> Evaluation {
        // Added up again each time, so that no rounding is carried on for ever.
        self.recent.clear();
        for (rows, values) in &self.last {
            self.recent.copy_from(*rows, values);
            self.recent.add();
        }
        self.recent.result(self.program.program())
    }
}
