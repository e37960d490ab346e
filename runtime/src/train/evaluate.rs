//! Loss and metrics over many rows.

use super::report::Evaluation;
use super::scalars::Scalars;
use crate::exec::{EntryPoint, Executor, Feed, RunError};
use crate::program::{BufferId, Finish, HostInput};

/// Evaluates the net over these rows of the data, in batches of the planned size.
pub(crate) fn evaluate(
    executor: &mut Executor,
    scalars: &mut Scalars,
    feed: &Feed,
    rows: &[u32],
) -> Result<Evaluation, RunError> {
    let program = executor.program();
    let batch = usize::try_from(program.batch).unwrap_or(usize::MAX);
    let loss = program.loss.ok_or(RunError::Entry(EntryPoint::Eval))?;
    let mut loss = Sums::new(&[loss], Finish::mean());
    let metrics = program.metrics.iter();
    let mut metrics: Vec<Sums> =
        metrics.map(|metric| Sums::new(&metric.values, metric.finish.clone())).collect();
    for rows in rows.chunks(batch) {
        executor.load(feed, rows);
        scalars.set_rows(executor, rows.len());
        executor.run(EntryPoint::Eval, rows.len())?;
        loss.add(executor, rows.len());
        metrics.iter_mut().for_each(|metric| metric.add(executor, rows.len()));
    }
    let metrics = executor.program().metrics.iter().zip(metrics);
    let metrics = metrics.map(|(metric, sums)| (metric.name.clone(), sums.figure(rows.len())));
    let metrics = metrics.collect();
    Ok(Evaluation { rows: rows.len() as u64, loss: loss.figure(rows.len()), metrics })
}

/// The sums of a metric over all batches.
struct Sums {
    values: Vec<BufferId>,
    finish: Finish,
    sums: Vec<f64>,
}

impl Sums {
    fn new(values: &[BufferId], finish: Finish) -> Sums {
        Sums { values: values.to_vec(), sums: vec![0.0; finish.sums.len()], finish }
    }

    /// Adds a batch of `rows` rows.
    fn add(&mut self, executor: &Executor, rows: usize) {
        for (sum, number) in self.sums.iter_mut().zip(&self.finish.sums) {
            *sum += number.value(|input| match input {
                HostInput::Value(index) => {
                    f64::from(executor.scalar(self.values[usize::from(index)]))
                }
                _ => rows as f64,
            });
        }
    }

    /// The figure over `rows` rows.
    fn figure(&self, rows: usize) -> f64 {
        self.finish.figure.value(|input| match input {
            HostInput::Sum(index) => self.sums[usize::from(index)],
            _ => rows as f64,
        })
    }
}
