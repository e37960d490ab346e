//! Loss and metrics over many rows.

use super::report::Evaluation;
use super::scalars::Scalars;
use crate::exec::{EntryPoint, Executor, Feed, RunError};
use crate::program::{BufferId, Finish};

/// Evaluates the net as it is over these rows of the data, as many at once as it is planned for.
///
/// The loss and the metrics of a batch are means over its rows, so each counts by its rows.
pub(crate) fn evaluate(
    executor: &mut Executor,
    scalars: &mut Scalars,
    feed: &Feed,
    rows: &[u32],
) -> Result<Evaluation, RunError> {
    let program = executor.program();
    let batch = usize::try_from(program.batch).unwrap_or(usize::MAX);
    let mut metrics: Vec<Sum> = program.metrics.iter().map(|m| Sum::new(m.buffer)).collect();
    let mut loss = Sum::new(program.loss.ok_or(RunError::Entry(EntryPoint::Eval))?);
    for rows in rows.chunks(batch) {
        executor.load(feed, rows);
        scalars.set_rows(executor, rows.len());
        executor.run(EntryPoint::Eval, rows.len())?;
        loss.add(executor, rows.len());
        metrics.iter_mut().for_each(|metric| metric.add(executor, rows.len()));
    }
    let count = rows.len() as f64;
    let metrics = executor.program().metrics.iter().zip(metrics).map(|(metric, sum)| {
        let mean = sum.sum / count;
        let figure = match metric.finish {
            Finish::Mean => mean,
            Finish::Root => mean.sqrt(),
        };
        (metric.name.clone(), figure)
    });
    let metrics = metrics.collect();
    Ok(Evaluation { rows: rows.len() as u64, loss: loss.sum / count, metrics })
}

/// The sum over all rows of a value that a run gives the mean of.
struct Sum {
    of: BufferId,
    sum: f64,
}

impl Sum {
    fn new(of: BufferId) -> Sum {
        Sum { of, sum: 0.0 }
    }

    fn add(&mut self, executor: &Executor, rows: usize) {
        self.sum += f64::from(executor.scalar(self.of)) * rows as f64;
    }
}
