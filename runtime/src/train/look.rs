//! What the net makes of single rows.

use super::evaluate::Tally;
use super::report::TrainError;
use super::{EntryPoint, Trainer};
use crate::exec::Coming;

/// A row of the data, and what the net makes of it.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The row, from 0.
    pub row: u32,
    /// The loss of this row alone.
    pub loss: f64,
    /// For each output its values.
    pub outputs: Vec<Vec<f32>>,
    /// For each target its values as the arena has them: of classes, the bits of their indices.
    pub targets: Vec<Vec<f32>>,
}

impl Trainer {
    /// Looks at the rows held out, or without any at those trained on, at most so many. A row's
    /// figures do not depend on others.
    ///
    /// # Errors
    /// None after the trainer was made.
    pub fn look(&mut self, most: usize, mut each: impl FnMut(&Look)) -> Result<(), TrainError> {
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
        let (outputs, targets) = (program.outputs.len(), program.targets.len());
        let mut look = Look::default();
        look.outputs.resize(outputs, Vec::new());
        look.targets.resize(targets, Vec::new());
        for (at, &row) in rows.iter().enumerate() {
            executor.load(feed, Coming { rows: &rows, now: at..at + 1 })?;
            scalars.set_rows(executor, 1);
            executor.run(EntryPoint::Eval, 1)?;
            tally.clear();
            tally.read(executor, 1);
            tally.add();
            executor.run(EntryPoint::Predict, 1)?;
            (look.row, look.loss) = (row, tally.result(program).loss);
            for (output, values) in program.outputs.iter().zip(&mut look.outputs) {
                values.clear();
                executor.read_rows(output.buffer, 1, values);
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
