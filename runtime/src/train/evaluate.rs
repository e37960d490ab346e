//! Loss and metrics over many rows.

use super::report::Evaluation;
use super::scalars::Scalars;
use crate::exec::{EntryPoint, Executor, Feed, RunError};
use crate::program::{BufferId, Finish, Metric};

/// Evaluates the net as it is over these rows of the data, as many at once as it is planned for.
///
/// The loss and most metrics of a batch are means over its rows, so each counts by its rows; a
/// count is added to the others as it is.
pub(crate) fn evaluate(
    executor: &mut Executor,
    scalars: &mut Scalars,
    feed: &Feed,
    rows: &[u32],
) -> Result<Evaluation, RunError> {
    let program = executor.program();
    let batch = usize::try_from(program.batch).unwrap_or(usize::MAX);
    let sum = |metric: &Metric| Sum { of: metric.buffer, finish: metric.finish, sum: 0.0 };
    let mut metrics: Vec<Sum> = program.metrics.iter().map(sum).collect();
    let loss = program.loss.ok_or(RunError::Entry(EntryPoint::Eval))?;
    let mut loss = Sum { of: loss, finish: Finish::Mean, sum: 0.0 };
    for rows in rows.chunks(batch) {
        executor.load(feed, rows);
        scalars.set_rows(executor, rows.len());
        executor.run(EntryPoint::Eval, rows.len())?;
        loss.add(executor, rows.len());
        metrics.iter_mut().for_each(|metric| metric.add(executor, rows.len()));
    }
    let metrics = executor.program().metrics.iter().zip(metrics);
    let metrics = metrics.map(|(metric, sum)| (metric.name.clone(), sum.figure(rows.len())));
    let metrics = metrics.collect();
    Ok(Evaluation { rows: rows.len() as u64, loss: loss.figure(rows.len()), metrics })
}

/// The sum over all rows of what runs give the means or counts of.
struct Sum {
    of: BufferId,
    finish: Finish,
    sum: f64,
}

impl Sum {
    /// Adds a run of `rows` rows.
    fn add(&mut self, executor: &Executor, rows: usize) {
        let value = f64::from(executor.scalar(self.of));
        self.sum += match self.finish {
            Finish::Mean | Finish::Root => value * rows as f64,
            Finish::Share(_) => value,
        };
    }

    /// The figure over `rows` rows.
    fn figure(&self, rows: usize) -> f64 {
        let mean = self.sum / rows as f64;
        match self.finish {
            Finish::Mean => mean,
            Finish::Root => mean.sqrt(),
            Finish::Share(each) => self.sum / (rows as f64 * each as f64),
        }
    }
}
