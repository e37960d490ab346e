//! What the net makes of single rows.

use super::evaluate::Tally;
use super::report::TrainError;
use super::{EntryPoint, Trainer};
use crate::exec::{Coming, Executor, Feed, RunError};

/// A row of the data, and what the net makes of it.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The row, from 0.
    pub row: u32,
    /// For each output its values.
    pub outputs: Vec<Vec<f32>>,
    /// For each target its values as the arena has them: of classes, the bits of their indices.
    pub targets: Vec<Vec<f32>>,
}

impl Look {
    /// Predicts a batch of rows, and looks at each of them.
    pub(crate) fn each(
        executor: &mut Executor,
        feed: &mut Feed,
        coming: Coming,
        mut each: impl FnMut(&Look),
    ) -> Result<(), RunError> {
        let rows = coming.now();
        executor.load(feed, coming)?;
        executor.run(EntryPoint::Predict, rows.len())?;
        let program = executor.program();
        let read = |output: &crate::program::Output| {
            let mut values = Vec::new();
            executor.read_rows(output.buffer, rows.len(), &mut values);
            values
        };
        let outputs: Vec<Vec<f32>> = program.outputs.iter().map(read).collect();
        let mut look = Look::default();
        look.outputs.resize(outputs.len(), Vec::new());
        look.targets.resize(program.targets.len(), Vec::new());
        for (at, &row) in rows.iter().enumerate() {
            look.row = row;
            for (all, values) in outputs.iter().zip(&mut look.outputs) {
                let width = all.len() / rows.len();
                values.clear();
                values.extend_from_slice(&all[at * width..][..width]);
            }
            for (target, values) in look.targets.iter_mut().enumerate() {
                values.clear();
                let port = program.inputs.len() + target;
                feed.add_rows(port, std::iter::once(row as usize), values)?;
            }
            each(&look);
        }
        Ok(())
    }
}

impl Trainer {
    /// Looks at the rows held out, or without any at those trained on, at most so many, each with
    /// its loss alone. A row's figures do not depend on others.
    ///
    /// # Errors
    /// None after the trainer was made.
    pub fn look(
        &mut self,
        most: usize,
        mut each: impl FnMut(&Look, f64),
    ) -> Result<(), TrainError> {
        let Trainer { executor, scalars, data, valid, validation_rows, training_rows, .. } = self;
        let (feed, rows): (_, Vec<u32>) = match validation_rows.is_empty() {
            true => (data, training_rows.iter().take(most).collect()),
            false => {
                let rows = validation_rows.iter().copied().take(most);
                (valid.as_mut().unwrap_or(data), rows.collect())
            }
        };
        let program = executor.verified().clone();
        let program = program.program();
        let mut tally = Tally::new(program, |_| false);
        for at in 0..rows.len() {
            let coming = || Coming { rows: &rows, now: at..at + 1 };
            executor.load(feed, coming())?;
            scalars.set_rows(executor, 1);
            executor.run(EntryPoint::Eval, 1)?;
            tally.clear();
            tally.read(executor, 1);
            tally.add();
            let loss = tally.result(program).loss;
            Look::each(executor, feed, coming(), |look| each(look, loss))?;
        }
        Ok(())
    }
}
