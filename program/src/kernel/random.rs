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
        Division { rows_of: Some(self.y), parts: false }
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
        };
        vec![format!("{} = {from}, stream {}", names.of(self.y), self.stream.0)]
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        buffers.float(self.y, "y")?;
        let finite = match self.distribution {
            Distribution::Constant(value) => value.is_finite(),
            Distribution::Uniform(low, high) => low.is_finite() && high.is_finite(),
            Distribution::Normal(mean, deviation) => mean.is_finite() && deviation.is_finite(),
            Distribution::Mask(share, kept) => share.is_finite() && kept.is_finite(),
        };
        require!(finite, "{:?} is not finite", self.distribution);
        Ok(())
    }
}
