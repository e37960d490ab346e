//! What is counted of the rows of a training before its first step, in one pass over them: classes,
//! and held-out rows that are trained on as well.

use super::Trainer;
use super::hash::hash;
use crate::exec::{Block, Feed, RunError};
use crate::program::{DType, Port, Program};
use std::collections::HashMap;

/// The most classes that are counted.
const MOST_CLASSES: u64 = 1 << 16;
/// The most rows held out of which copies are counted.
const MOST_HELD: usize = 1 << 22;
/// Numbers that are more than these are no two sides.
const MOST_SIDES: usize = 2;

/// A value of a target, and how many rows to train on and rows held out have it.
pub type Counted = (f64, [u64; 2]);

/// What is counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Of each target its values: all of its classes by their indices, or of a number one or two.
    /// Nothing of others.
    pub values: Vec<Option<Vec<Counted>>>,
    /// The rows held out that have the same values as one to train on, in every input and target;
    /// none where millions are held out.
    pub copies: u64,
}

/// The values of one target so far.
enum Counts {
    Classes(Vec<[u64; 2]>),
    /// By their bits.
    Numbers(HashMap<u32, [u64; 2]>),
    None,
}

impl Trainer {
    /// Counts, in one pass over the rows and, for copies, another over those held out. Of rows that
    /// cannot be read there is nothing to tell; the first step does.
    pub fn survey(&self) -> Survey {
        self.count().unwrap_or_default()
    }

    fn count(&self) -> Result<Survey, RunError> {
        let program = self.program.program();
        let mut counts: Vec<_> = program.targets.iter().map(|t| Counts::new(program, t)).collect();
        let mut count = |block: &Block<'_>, row: usize, side: usize| {
            let targets = block.row(row).skip(program.inputs.len());
            counts.iter_mut().zip(targets).for_each(|(counts, values)| counts.add(values, side));
        };
        let mut held: HashMap<u64, u64> = HashMap::new();
        let held_rows = &self.validation_rows[..];
        let is_told = held_rows.len() <= MOST_HELD;
        each_row(self.valid.as_ref().unwrap_or(&self.data), held_rows, |block, row| {
            count(block, row, 1);
            if is_told {
                *held.entry(hash_row(block, row)).or_default() += 1;
            }
        })?;
        let mut copies = 0;
        self.data.each_block(|block| {
            for row in self.training_rows.within(block.rows.clone()) {
                let row = row as usize - block.rows.start;
                count(block, row, 0);
                if !held.is_empty() {
                    copies += held.remove(&hash_row(block, row)).unwrap_or(0);
                }
            }
        })?;
        Ok(Survey { values: counts.into_iter().map(Counts::finish).collect(), copies })
    }
}

fn hash_row(block: &Block<'_>, row: usize) -> u64 {
    hash(block.row(row).flatten().map(|value| value.to_bits()))
}

/// Goes over some of the rows, which are in ascending order.
fn each_row(
    feed: &Feed,
    mut rows: &[u32],
    mut take: impl FnMut(&Block<'_>, usize),
) -> Result<(), RunError> {
    if rows.is_empty() {
        return Ok(());
    }
    feed.each_block(|block| {
        let here = rows.partition_point(|row| (*row as usize) < block.rows.end);
        let (own, rest) = rows.split_at(here);
        own.iter().for_each(|row| take(block, *row as usize - block.rows.start));
        rows = rest;
    })
}

impl Counts {
    fn new(program: &Program, port: &Port) -> Counts {
        let is_class = program.buffers[port.buffer.0 as usize].dtype == DType::I32;
        match port.domain.classes() {
            Some(classes @ ..=MOST_CLASSES) if is_class => {
                Counts::Classes(vec![[0; 2]; classes as usize])
            }
            _ if !is_class && port.width == 1 => Counts::Numbers(HashMap::new()),
            _ => Counts::None,
        }
    }

    fn add(&mut self, values: &[f32], side: usize) {
        match self {
            Counts::Classes(counts) => {
                // What lies behind the last class does not count.
                let own = values.iter().map(|value| value.to_bits() as usize);
                own.for_each(|class| {
                    counts.get_mut(class).into_iter().for_each(|counts| counts[side] += 1);
                });
            }
            Counts::Numbers(counts) => {
                for value in values {
                    counts.entry((value + 0.0).to_bits()).or_default()[side] += 1;
                }
                if counts.len() > MOST_SIDES {
                    *self = Counts::None;
                }
            }
            Counts::None => {}
        }
    }

    fn finish(self) -> Option<Vec<Counted>> {
        let mut values: Vec<Counted> = match self {
            Counts::Classes(counts) => (0..).map(f64::from).zip(counts).collect(),
            Counts::Numbers(counts) => {
                let number = |bits: u32| f64::from(f32::from_bits(bits));
                counts.into_iter().map(|(bits, counts)| (number(bits), counts)).collect()
            }
            Counts::None => return None,
        };
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(values)
    }
}
