//! The numbers that the host computes before a step: learning rates and what depends on the count
//! of rows and steps. They are computed in f64 and stored as f32, and only where they changed.

use super::schedule::{Powers, rate, unit};
use crate::exec::Executor;
use crate::program::{Curve, Program, Scalar, Schedule};

/// Where a run stands, for what depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Optimizer steps done.
    pub step: u64,
    /// Epochs done.
    pub epoch: u64,
}

/// A program's scalars with what was last stored of each: for the [`Trainer`](super::Trainer), and
/// for whoever runs an [`Executor`] by hand.
pub struct Scalars {
    scalars: Vec<Stored>,
    groups: Vec<Group>,
    /// Whether no scalar depends on the time.
    timeless: bool,
    /// The rows that timeless scalars are set for.
    settled: Option<usize>,
}

struct Stored {
    scalar: Scalar,
    /// Of the scalar's β; of 0 where it has none.
    powers: Powers,
    last: Option<f32>,
}

/// The learning rate of an optimizer group, computed once a unit.
struct Group {
    schedule: Schedule,
    /// The units of the whole run.
    total: u64,
    at: Option<u64>,
    rate: f64,
}

impl Scalars {
    /// For evaluations and, with schedules, for training of `total` steps and epochs.
    pub fn new(program: &Program, schedules: &[Schedule], total: Clock) -> Scalars {
        let scalars = program.scalars.iter();
        let groups = schedules.iter().map(|schedule| Group {
            schedule: *schedule,
            total: unit(schedule, total.step, total.epoch),
            at: None,
            rate: 0.0,
        });
        let constant = |s: &Schedule| s.curve == Curve::Constant && s.warmup == 0;
        let plain = |scalar| matches!(scalar, Scalar::PerRow { .. } | Scalar::LearningRate { .. });
        Scalars {
            timeless: schedules.iter().all(constant)
                && program.scalars.iter().all(|&(scalar, _)| plain(scalar)),
            scalars: scalars.map(|&(scalar, _)| Stored::new(scalar)).collect(),
            groups: groups.collect(),
            settled: None,
        }
    }

    /// Sets what depends on the rows of the batch.
    #[inline]
    pub fn set_rows(&mut self, executor: &mut Executor, rows: usize) {
        self.settled = None;
        for (index, stored) in self.scalars.iter_mut().enumerate() {
            if let Scalar::PerRow { factor } = stored.scalar {
                stored.set(executor, index, factor / rows as f64);
            }
        }
    }

    /// Sets what an optimizer step over `rows` rows needs.
    #[inline]
    pub fn set_step(&mut self, executor: &mut Executor, rows: usize, clock: Clock) {
        if self.settled == Some(rows) {
            return;
        }
        self.settled = self.timeless.then_some(rows);
        let Scalars { scalars, groups, .. } = self;
        groups.iter_mut().for_each(|group| group.advance(clock));
        let t = clock.step + 1;
        for (index, stored) in scalars.iter_mut().enumerate() {
            let value = match stored.scalar {
                Scalar::PerRow { factor } => factor / rows as f64,
                Scalar::LearningRate { group } => groups[usize::from(group)].rate,
                Scalar::CorrectedRate { group, .. } => {
                    groups[usize::from(group)].rate / (1.0 - stored.powers.at(t))
                }
                Scalar::RootCorrection { .. } => 1.0 / (1.0 - stored.powers.at(t)).sqrt(),
                Scalar::Undampened { .. } if t == 1 => 1.0,
                Scalar::Undampened { dampening } => 1.0 - dampening,
            };
            stored.set(executor, index, value);
        }
    }

    /// The first group's rate at a moment; 0 where nothing is trained.
    pub(crate) fn rate(&self, clock: Clock) -> f64 {
        self.groups.first().map_or(0.0, |group| {
            let Group { schedule, total, .. } = group;
            rate(schedule, unit(schedule, clock.step, clock.epoch), *total)
        })
    }
}

impl Stored {
    fn new(scalar: Scalar) -> Stored {
        let beta = match scalar {
            Scalar::CorrectedRate { beta, .. } | Scalar::RootCorrection { beta } => beta,
            _ => 0.0,
        };
        Stored { scalar, powers: Powers::new(beta), last: None }
    }

    #[inline]
    fn set(&mut self, executor: &mut Executor, index: usize, value: f64) {
        let value = Some(value as f32);
        if self.last != value {
            self.last = value;
            value.into_iter().for_each(|value| executor.set_scalar(index, value));
        }
    }
}

impl Group {
    #[inline]
    fn advance(&mut self, clock: Clock) {
        let unit = unit(&self.schedule, clock.step, clock.epoch);
        if self.at != Some(unit) {
            self.at = Some(unit);
            self.rate = rate(&self.schedule, unit, self.total);
        }
    }
}
