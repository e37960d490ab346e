//! Loss and metrics over many rows.

use super::report::{Evaluation, Table};
use super::scalars::Scalars;
use crate::exec::{EntryPoint, Executor, Feed, RunError};
use crate::program::{BufferId, Finish, HostInput, Over, Program};

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
    let mut result = Evaluation {
        rows: rows.len() as u64,
        loss: loss.figure(rows.len()),
        metrics: Vec::new(),
        tables: Vec::new(),
    };
    let program = executor.program();
    for (metric, sums) in program.metrics.iter().zip(metrics) {
        match metric.finish.over {
            Over::Table { target } => result.tables.push(sums.table(&metric.name, program, target)),
            _ => result.metrics.push((metric.name.clone(), sums.figure(rows.len()))),
        }
    }
    Ok(result)
}

/// The sums of a metric over all batches.
struct Sums {
    values: Vec<BufferId>,
    finish: Finish,
    /// Each sum, of every element.
    sums: Vec<Vec<f64>>,
    /// Where values are read to.
    read: Vec<Vec<f32>>,
    /// The scores and the sides of all rows, for what ranks them.
    ranked: Vec<(f32, bool)>,
}

impl Sums {
    fn new(values: &[BufferId], finish: Finish) -> Sums {
        let (sums, read) = (vec![Vec::new(); finish.sums.len()], vec![Vec::new(); values.len()]);
        Sums { values: values.to_vec(), sums, finish, read, ranked: Vec::new() }
    }

    /// Adds a batch of `rows` rows.
    fn add(&mut self, executor: &Executor, rows: usize) {
        for (to, &value) in self.read.iter_mut().zip(&self.values) {
            to.clear();
            executor.read_rows(value, rows, to);
        }
        if self.finish.over == Over::Ranks {
            let sides = self.read[1].iter().map(|&side| side > 0.0);
            self.ranked.extend(self.read[0].iter().copied().zip(sides));
        }
        let elements = self.read.first().map_or(1, Vec::len);
        for (sums, number) in self.sums.iter_mut().zip(&self.finish.sums) {
            sums.resize(elements, 0.0);
            for (element, sum) in sums.iter_mut().enumerate() {
                *sum += number.value(|input| match input {
                    HostInput::Value(index) => f64::from(self.read[usize::from(index)][element]),
                    _ => rows as f64,
                });
            }
        }
    }

    /// The figure over `rows` rows.
    fn figure(&self, rows: usize) -> f64 {
        let sum = |sums: &[f64], input| match input {
            HostInput::Sum(index) => sums[usize::from(index)],
            _ => rows as f64,
        };
        let of_element = |element: usize| -> Vec<f64> {
            self.sums.iter().map(|sums| sums.get(element).copied().unwrap_or(0.0)).collect()
        };
        let sums = match &self.finish.over {
            Over::Numbers | Over::Table { .. } => of_element(0),
            Over::Ranks => ranks(&self.ranked).to_vec(),
            Over::Classes { each, class } => {
                let classes = self.sums.first().map_or(0, Vec::len);
                let counted = match class {
                    Some(class) => *class as usize..*class as usize + 1,
                    None => 0..classes,
                };
                let mut totals = vec![0.0; each.len()];
                for sums in counted.map(of_element) {
                    for (total, number) in totals.iter_mut().zip(each) {
                        *total += number.value(|input| sum(&sums, input));
                    }
                }
                totals
            }
        };
        self.finish.figure.value(|input| sum(&sums, input))
    }

    /// The counts, by the classes of a target.
    fn table(&self, name: &str, program: &Program, target: u32) -> Table {
        let domain = &program.targets[target as usize].domain;
        let classes = 0..domain.classes().unwrap_or(0);
        let labels = classes.filter_map(|class| domain.label(class));
        let counts = self.sums.first().map_or(&[][..], Vec::as_slice);
        Table {
            name: name.to_string(),
            classes: labels.map(|label| label.to_string()).collect(),
            counts: counts.iter().map(|&count| count as u64).collect(),
        }
    }
}

/// How many pairs of an upper and a lower row have their scores in this order, where equal scores
/// are half a pair, and the rows on the upper and on the lower side: the statistic of Mann and
/// Whitney. NaN where a score is none.
fn ranks(rows: &[(f32, bool)]) -> [f64; 3] {
    let mut rows = rows.to_vec();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    if rows.iter().any(|(score, _)| score.is_nan()) {
        return [f64::NAN; 3];
    }
    // Half pairs, and the rows so far on either side.
    let (mut halves, mut upper, mut lower) = (0u128, 0u128, 0u128);
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        let above = equal.iter().filter(|(_, side)| *side).count() as u128;
        let below = equal.len() as u128 - above;
        halves += above * (2 * lower + below);
        (upper, lower) = (upper + above, lower + below);
    }
    [halves as f64 / 2.0, upper as f64, lower as f64]
}
