//! Random numbers.

use super::{Access, Division, Kind};
use crate::error::require;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::{BufferId, ProgramError, StreamId};

/// Random numbers by Philox, a function of (seed, stream, step, element).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Random {
    /// What is filled.
    pub y: BufferId,
    /// From what.
    pub distribution: Distribution,
    /// Keeps different uses apart.
    pub stream: StreamId,
}

/// A distribution of random numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same value.
    Constant(f32),
    /// Uniform from the first up to the second.
    Uniform(f32, f32),
    /// Normal, by mean and standard deviation.
    Normal(f32, f32),
    /// 0 with the probability that is the first, from 0 up to 1, else the second.
    Mask(f32, f32),
    /// Normal by mean and standard deviation, of which only values from the third number up to the
    /// fourth are drawn.
    Truncated(f32, f32, f32, f32),
    /// Of a matrix: its columns, or its rows where these are fewer, are at right angles and as long
    /// as this, each such matrix with the same chance.
    Orthogonal(f32),
}

impl Kind for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn access(&self) -> Access {
        Access { writes: vec![self.y], ..Access::default() }
    }

    fn over(&self) -> BufferId {
        self.y
    }

    fn division(&self) -> Division {
        let is_whole = matches!(self.distribution, Distribution::Orthogonal(_));
        Division { rows_of: Some(self.y).filter(|_| !is_whole), parts: false }
    }

    fn spreads(&self) -> bool {
        true
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let from = match self.distribution {
            Distribution::Constant(value) => format!("constant({value})"),
            Distribution::Uniform(low, high) => format!("uniform({low}, {high})"),
            Distribution::Normal(mean, dev) => format!("normal({mean}, {dev})"),
            Distribution::Mask(share, kept) => format!("mask({share}, {kept})"),
            Distribution::Truncated(mean, dev, low, high) => {
                format!("truncated({mean}, {dev}, {low}, {high})")
            }
            Distribution::Orthogonal(gain) => format!("orthogonal({gain})"),
        };
        vec![format!("{} = {from}, stream {}", names.of(self.y), self.stream.0)]
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let layout = buffers.float(self.y, "y")?;
        let numbers = match self.distribution {
            Distribution::Constant(value) => vec![value],
            Distribution::Uniform(low, high) => vec![low, high],
            Distribution::Normal(mean, deviation) => vec![mean, deviation],
            Distribution::Mask(share, kept) => vec![share, kept],
            Distribution::Truncated(mean, deviation, low, high) => {
                require!(deviation > 0.0 && low <= high, "{:?} is empty", self.distribution);
                vec![mean, deviation, low, high]
            }
            Distribution::Orthogonal(gain) => {
                let rows = layout.shape().0;
                require!(!rows.batched, "y is orthogonal, and has rows for those of the batch");
                vec![gain]
            }
        };
        let is_finite = numbers.into_iter().all(f32::is_finite);
        require!(is_finite, "{:?} is not finite", self.distribution);
        Ok(())
    }
}
