//! Loss and metrics over many rows.

use super::chosen::Of;
use super::report::{Evaluation, Table};
use super::scalars::Scalars;
use crate::exec::{EntryPoint, Executor, Feed, RunError};
use crate::program::{Figure, Finish, HostInput, Over, Program};

/// Evaluates the net over these rows of the data, in batches of the planned size.
pub(crate) fn evaluate(
    executor: &mut Executor,
    scalars: &mut Scalars,
    feed: &mut Feed,
    rows: Of<'_>,
) -> Result<Evaluation, RunError> {
    let program = executor.program();
    let batch = usize::try_from(program.batch).unwrap_or(usize::MAX);
    program.loss.ok_or(RunError::Entry(EntryPoint::Eval))?;
    let mut tally = Tally::new(program, |_| true);
    rows.each(batch, |coming| {
        let rows = coming.now().len();
        executor.load(feed, coming)?;
        scalars.set_rows(executor, rows);
        executor.run(EntryPoint::Eval, rows)?;
        tally.read(executor, rows);
        tally.add();
        Ok(())
    })?;
    Ok(tally.result(executor.program()))
}

/// The loss and metrics over the rows that have been evaluated.
pub(super) struct Tally {
    /// Those of the loss, which add up, then of metrics with their places in the program.
    sums: Vec<(Option<usize>, Sums)>,
    /// The rows of the batch that was read last.
    batch: usize,
    rows: u64,
}

impl Tally {
    /// Of the loss and of those metrics.
    pub fn new(program: &Program, counts: impl Fn(&Finish) -> bool) -> Tally {
        let mean = |loss| Figure { values: vec![loss], finish: Finish::mean() };
        let mean = program.loss.filter(|_| program.terms.is_empty()).map(mean);
        let loss = program.terms.iter().cloned().chain(mean).map(|term| (None, Sums::new(term)));
        let metrics = program.metrics.iter().enumerate();
        let metrics = metrics
            .filter(|(_, metric)| counts(&metric.figure.finish))
            .map(|(place, metric)| (Some(place), Sums::new(metric.figure.clone())));
        Tally { sums: loss.chain(metrics).collect(), batch: 0, rows: 0 }
    }

    /// Reads the values of a batch of `rows` rows that has been evaluated.
    pub fn read(&mut self, executor: &Executor, rows: usize) {
        self.batch = rows;
        for (_, sums) in &mut self.sums {
            for (to, &value) in sums.read.iter_mut().zip(&sums.figure.values) {
                to.clear();
                executor.read_rows(value, rows, to);
            }
        }
    }

    /// Copies the values of the batch that was read.
    pub fn copy_to(&self, values: &mut Vec<Vec<f32>>) {
        let read = self.sums.iter().flat_map(|(_, sums)| &sums.read);
        values.resize_with(read.clone().count(), Vec::new);
        values.iter_mut().zip(read).for_each(|(to, from)| to.clone_from(from));
    }

    /// Takes such values for those of a batch of `rows` rows.
    pub fn copy_from(&mut self, rows: usize, values: &[Vec<f32>]) {
        self.batch = rows;
        let read = self.sums.iter_mut().flat_map(|(_, sums)| &mut sums.read);
        read.zip(values).for_each(|(to, from)| to.clone_from(from));
    }

    /// Counts the batch that was read.
    pub fn add(&mut self) {
        self.rows += self.batch as u64;
        for (_, sums) in &mut self.sums {
            sums.add(self.batch);
        }
    }

    /// Forgets all rows, but not the batch that was read.
    pub fn clear(&mut self) {
        self.rows = 0;
        for (_, sums) in &mut self.sums {
            sums.sums.iter_mut().for_each(Vec::clear);
            sums.ranked.clear();
        }
    }

    /// The figures over all rows.
    pub fn result(&self, program: &Program) -> Evaluation {
        let rows = self.rows;
        let mut result = Evaluation { rows, loss: 0.0, metrics: Vec::new(), tables: Vec::new() };
        for (place, sums) in &self.sums {
            let Some(metric) = place.map(|place| &program.metrics[place]) else {
                result.loss += sums.figure(rows);
                continue;
            };
            match metric.figure.finish.over {
                Over::Table { target } => {
                    result.tables.push(sums.table(&metric.name, program, target));
                }
                _ => result.metrics.push((metric.name.clone(), sums.figure(rows))),
            }
        }
        result
    }
}

/// The sums of a metric over all batches.
struct Sums {
    figure: Figure,
    /// Each sum, of every element.
    sums: Vec<Vec<f64>>,
    /// Where values are read to.
    read: Vec<Vec<f32>>,
    /// The scores and the sides of all rows, for what ranks them.
    ranked: Vec<(f32, bool)>,
}

impl Sums {
    fn new(figure: Figure) -> Sums {
        let sums = vec![Vec::new(); figure.finish.sums.len()];
        let read = vec![Vec::new(); figure.values.len()];
        Sums { figure, sums, read, ranked: Vec::new() }
    }

    /// Adds a batch of `rows` rows, whose values have been read.
    fn add(&mut self, rows: usize) {
        let finish = &self.figure.finish;
        if finish.over == Over::Ranks {
            let sides = self.read[1].iter().map(|&side| side > 0.0);
            self.ranked.extend(self.read[0].iter().copied().zip(sides));
        }
        let elements = self.read.first().map_or(1, Vec::len);
        for (sums, number) in self.sums.iter_mut().zip(&finish.sums) {
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
    fn figure(&self, rows: u64) -> f64 {
        let sum = |sums: &[f64], input| match input {
            HostInput::Sum(index) => sums[usize::from(index)],
            _ => rows as f64,
        };
        let of_element = |element: usize| -> Vec<f64> {
            self.sums.iter().map(|sums| sums.get(element).copied().unwrap_or(0.0)).collect()
        };
        let finish = &self.figure.finish;
        let sums = match &finish.over {
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
        finish.figure.value(|input| sum(&sums, input))
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
