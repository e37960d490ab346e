//! What is counted of the rows of a training before its first step, in one pass over them: classes,
//! and held-out rows that are trained on as well.

use super::Trainer;
use super::hash::hash;
use crate::exec::{Block, Feed};
use crate::program::{DType, Port, Program};
use std::collections::HashMap;

/// The most classes that are counted.
const MOST_CLASSES: u64 = 1 << 16;
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
    /// The rows held out that have the same values as one to train on, in every input and target.
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
    /// Counts, in one pass over the rows.
    pub fn survey(&self) -> Survey {
        let program = self.program.program();
        let mut counts: Vec<_> = program.targets.iter().map(|t| Counts::new(program, t)).collect();
        let mut hashes = [Vec::new(), Vec::new()];
        let is_split = !self.validation_rows.is_empty();
        let mut take = |block: &Block<'_>, row: usize, side: usize| {
            let targets = block.row(row).skip(program.inputs.len());
            counts.iter_mut().zip(targets).for_each(|(counts, values)| counts.add(values, side));
            if is_split {
                let values = block.row(row).flatten().map(|value| value.to_bits());
                hashes[side].push(hash(values));
            }
        };
        match &self.valid {
            Some(valid) => {
                each_row(&self.data, [&self.training_rows, &[]], &mut take);
                each_row(valid, [&[], &self.validation_rows], &mut take);
            }
            None => each_row(&self.data, [&self.training_rows, &self.validation_rows], &mut take),
        }
        let values = counts.into_iter().map(Counts::finish).collect();
        Survey { values, copies: in_both(hashes) }
    }
}

/// Goes over the rows of either side, each in ascending order, in one pass.
fn each_row(feed: &Feed, sides: [&[u32]; 2], take: &mut impl FnMut(&Block<'_>, usize, usize)) {
    let mut left = sides;
    feed.each_block(|block| {
        for (side, rows) in left.iter_mut().enumerate() {
            let here = rows.partition_point(|row| (*row as usize) < block.rows.end);
            let (own, rest) = rows.split_at(here);
            own.iter().for_each(|row| take(block, *row as usize - block.rows.start, side));
            *rows = rest;
        }
    });
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

/// How many of the second hashes are among the first.
fn in_both([mut trained, mut held]: [Vec<u64>; 2]) -> u64 {
    trained.sort_unstable();
    held.sort_unstable();
    let mut left = &trained[..];
    let is_there = |hash: &&u64| {
        left = &left[left.partition_point(|other| other < *hash)..];
        left.first() == Some(*hash)
    };
    held.iter().filter(is_there).count() as u64
}
