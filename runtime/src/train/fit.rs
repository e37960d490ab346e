//! Statistics of columns, which are parameters: taken of the rows that are trained on, before the
//! first step. Values that are NaN do not count. All sums are in 64 bits, row after row, so they
//! have the same bits whatever the batch.

use super::TrainError;
use super::chosen::{Chosen, Of};
use crate::exec::{EntryPoint, Executor, Feed};
use crate::program::{Fit, Param, Program, Statistic};

/// Sets the parameters of those fits that are `wanted`, and says whether it could: without rows
/// they stay as they are.
///
/// # Errors
/// A value that is infinite, and so would be its statistic.
pub(super) fn fit(
    executor: &mut Executor,
    data: &mut Feed,
    rows: &Chosen,
    wanted: impl Fn(&Fit) -> bool,
) -> Result<bool, TrainError> {
    let program = executor.verified().clone();
    let program = program.program();
    let fits = program.training.iter().flat_map(|training| &training.fits);
    let fits: Vec<&Fit> = fits.filter(|fit| wanted(fit)).collect();
    if rows.is_empty() {
        return Ok(fits.is_empty());
    }
    let mut levels: Vec<u32> = fits.iter().map(|fit| fit.level).collect();
    levels.sort_unstable();
    levels.dedup();
    for level in levels {
        let fits = fits.iter().filter(|fit| fit.level == level);
        let mut all: Vec<(&Fit, Columns)> =
            fits.map(|&fit| (fit, Columns::new(fit.statistic, width(fit, program)))).collect();
        let passes = all.iter().map(|(fit, _)| fit.statistic.passes()).max().unwrap_or(0);
        for pass in 0..passes {
            look(executor, data, rows, &mut all, pass)?;
        }
        for (fit, columns) in &all {
            for (id, values) in fit.params.iter().zip(columns.statistics()) {
                let param = &program.params[id.index()];
                finite(param, &values)?;
                executor.write(param.buffer, &values)?;
            }
        }
    }
    Ok(true)
}

/// One pass over all rows, in batches of the planned size.
fn look(
    executor: &mut Executor,
    data: &mut Feed,
    rows: &Chosen,
    all: &mut [(&Fit, Columns)],
    pass: u32,
) -> Result<(), TrainError> {
    let batch = usize::try_from(executor.program().batch).unwrap_or(usize::MAX);
    let mut values = Vec::new();
    let of_pass = |fit: &Fit| pass < fit.statistic.passes();
    Of::Chosen(rows).each(batch, |coming| {
        let rows = coming.now().len();
        executor.load(data, coming)?;
        executor.run(EntryPoint::Fit, rows)?;
        for (fit, columns) in all.iter_mut().filter(|(fit, _)| of_pass(fit)) {
            values.clear();
            executor.read_rows(fit.values, rows, &mut values);
            columns.add(&values, pass);
        }
        Ok::<(), TrainError>(())
    })?;
    all.iter_mut().for_each(|(_, columns)| columns.end_pass(pass));
    Ok(())
}

fn finite(param: &Param, values: &[f32]) -> Result<(), TrainError> {
    let Some(column) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let message = format!(
        "`{}` would be {} in column {column}: a value that it is taken of is infinite, or more \
         than a 32-bit float holds",
        param.name, values[column]
    );
    Err(TrainError::Settings(message))
}

/// The number of columns whose statistic it is.
fn width(fit: &Fit, program: &Program) -> usize {
    program.params[fit.params[0].index()].shape.iter().product::<u64>() as usize
}

/// What is known of each column so far.
pub enum Columns {
    /// For [`Statistic::Deviation`].
    Deviation(Vec<Moments>),
    /// For [`Statistic::Mean`].
    Mean(Vec<Moments>),
    /// For [`Statistic::Range`]: the least and the largest.
    Range(Vec<[f32; 2]>),
    /// For [`Statistic::Median`].
    Median(Vec<Middle>),
}

impl Columns {
    /// Of so many columns nothing.
    pub fn new(statistic: Statistic, width: usize) -> Columns {
        match statistic {
            Statistic::Deviation => Columns::Deviation(vec![Moments::default(); width]),
            Statistic::Mean => Columns::Mean(vec![Moments::default(); width]),
            Statistic::Range => Columns::Range(vec![[f32::INFINITY, f32::NEG_INFINITY]; width]),
            Statistic::Median => Columns::Median(vec![Middle::default(); width]),
        }
    }

    /// Adds rows of values in a pass, counted from 0.
    pub fn add(&mut self, values: &[f32], pass: u32) {
        fn each<T>(columns: &mut [T], values: &[f32], add: impl Fn(&mut T, f32)) {
            for row in values.chunks_exact(columns.len()) {
                let given = columns.iter_mut().zip(row).filter(|(_, value)| !value.is_nan());
                given.for_each(|(column, &value)| add(column, value));
            }
        }
        match self {
            Columns::Deviation(columns) | Columns::Mean(columns) => {
                each(columns, values, Moments::add);
            }
            Columns::Range(columns) => each(columns, values, |[least, largest], value| {
                (*least, *largest) = (least.min(value), largest.max(value));
            }),
            Columns::Median(columns) => {
                each(columns, values, |middle, value| middle.add(value, pass));
            }
        }
    }

    /// Ends a pass over all rows.
    pub fn end_pass(&mut self, pass: u32) {
        if let Columns::Median(columns) = self {
            columns.iter_mut().for_each(|middle| middle.end_pass(pass));
        }
    }

    /// The values of each parameter, after the last pass.
    pub fn statistics(&self) -> Vec<Vec<f32>> {
        match self {
            Columns::Deviation(columns) => vec![
                columns.iter().map(|moments| moments.mean as f32).collect(),
                columns.iter().map(Moments::deviation).collect(),
            ],
            Columns::Mean(columns) => {
                vec![columns.iter().map(|moments| moments.mean as f32).collect()]
            }
            Columns::Range(columns) => {
                let some = |[least, largest]: &[f32; 2]| least <= largest;
                let least = |own: &[f32; 2]| if some(own) { own[0] } else { 0.0 };
                let range = |own: &[f32; 2]| match own[1] - own[0] {
                    range if some(own) && range > 0.0 => range,
                    _ => 1.0,
                };
                vec![columns.iter().map(least).collect(), columns.iter().map(range).collect()]
            }
            Columns::Median(columns) => vec![columns.iter().map(Middle::value).collect()],
        }
    }
}

/// The mean of numbers and the sum of the squared distances from it, one number after another.
/// (B. P. Welford, 1962.)
#[derive(Clone, Copy, Default)]
pub struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f32) {
        let value = f64::from(value);
        let from_old = value - self.mean;
        self.count += 1.0;
        self.mean += from_old / self.count;
        self.squares += from_old * (value - self.mean);
    }

    /// 1 for a constant column, also where only rounding makes it differ, as sklearn has it.
    fn deviation(&self) -> f32 {
        let &Moments { count, mean, squares } = self;
        let variance = squares / count.max(1.0);
        let rounding = count * mean * f64::EPSILON;
        let noise = count * f64::EPSILON * variance + rounding * rounding;
        let deviation = variance.sqrt() as f32;
        if variance <= noise || deviation == 0.0 { 1.0 } else { deviation }
    }
}

/// The middle of numbers, found by a byte of their bits in each pass: a radix selection.
#[derive(Clone, Default)]
pub struct Middle {
    /// The number in the middle, or those on either side of it.
    sides: [Side; 2],
}

/// One of the numbers in the order of their sizes.
#[derive(Clone, Default)]
struct Side {
    /// Its first bytes, as far as they are known.
    bytes: u32,
    /// How many numbers with these bytes are less.
    less: u64,
    /// The numbers with these bytes, by the next one.
    counts: Vec<u32>,
}

/// The values of a byte.
const BYTES: usize = 256;

impl Middle {
    fn add(&mut self, value: f32, pass: u32) {
        let key = u64::from(ordered(value));
        let place = 24 - 8 * pass;
        for side in &mut self.sides {
            // In the first pass there are no bytes yet that could differ.
            if (key >> place) >> 8 == u64::from(side.bytes) {
                side.counts.resize(BYTES, 0);
                side.counts[(key >> place) as usize % BYTES] += 1;
            }
        }
    }

    fn end_pass(&mut self, pass: u32) {
        if pass == 0 {
            let count: u64 = self.sides[0].counts.iter().map(|&count| u64::from(count)).sum();
            self.sides[0].less = count.saturating_sub(1) / 2;
            self.sides[1].less = count / 2;
        }
        for side in &mut self.sides {
            for (byte, count) in (0..).zip(std::mem::take(&mut side.counts)) {
                match side.less.checked_sub(u64::from(count)) {
                    Some(less) => side.less = less,
                    None => {
                        side.bytes = side.bytes << 8 | byte;
                        break;
                    }
                }
            }
        }
    }

    fn value(&self) -> f32 {
        // No number has these bits: there were none.
        let [low, high] = self.sides.each_ref().map(|side| f64::from(unordered(side.bytes)));
        if low.is_nan() { 0.0 } else { ((low + high) / 2.0) as f32 }
    }
}

/// The bits of a number so that they have the order of the numbers.
fn ordered(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The number that has these bits as [`ordered`].
fn unordered(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}
