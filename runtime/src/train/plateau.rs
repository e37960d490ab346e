//! Learning rates that fall where a figure no longer gets better, as those of
//! torch.optim.lr_scheduler.ReduceLROnPlateau do.

use super::hash::hex;
use super::report::EpochReport;
use super::watch::place;
use crate::program::{Plateau, Program, Schedule};
use std::collections::BTreeMap;

type Metadata = BTreeMap<String, String>;

/// A reduction by no more than this is none: PyTorch's `eps`.
const LEAST_REDUCTION: f64 = 1e-8;

/// The rate of an optimizer group, and what it has seen of its figure.
#[derive(Clone, Debug)]
pub struct Falling {
    /// The group.
    pub group: usize,
    /// The rate that its schedule starts from now.
    pub base: f64,
    plateau: Plateau,
    /// Where the figure is among the metrics; none for the loss.
    place: Option<usize>,
    /// Whether a larger figure is a better one.
    rises: bool,
    best: f64,
    /// The epochs since the best one, or since the last reduction.
    bad_epochs: u64,
    /// The next epochs that do not count.
    cooling: u64,
}

impl Falling {
    /// Those among the schedules, at the start of a run.
    pub fn all(program: &Program, schedules: &[Schedule]) -> Vec<Falling> {
        let falling = |(group, schedule): (usize, &Schedule)| {
            let plateau = schedule.plateau?;
            let (place, rises) = place(program, plateau.figure);
            let best = if rises { f64::NEG_INFINITY } else { f64::INFINITY };
            let base = schedule.base;
            Some(Falling { group, base, plateau, place, rises, best, bad_epochs: 0, cooling: 0 })
        };
        schedules.iter().enumerate().filter_map(falling).collect()
    }

    /// Looks at an epoch; says whether the rate has changed.
    pub fn see(&mut self, report: &EpochReport) -> bool {
        let loss = report.valid_loss.unwrap_or(report.loss);
        self.see_figure(self.place.map_or(loss, |place| report.metrics[place].1))
    }

    /// The same by the figure of the epoch.
    pub fn see_figure(&mut self, figure: f64) -> bool {
        let Plateau { factor, patience, cooldown, min_lr, .. } = self.plateau;
        if self.is_better(figure) {
            (self.best, self.bad_epochs) = (figure, 0);
        } else {
            self.bad_epochs += 1;
        }
        if self.cooling > 0 {
            (self.cooling, self.bad_epochs) = (self.cooling - 1, 0);
        }
        if self.bad_epochs <= patience {
            return false;
        }
        (self.cooling, self.bad_epochs) = (cooldown, 0);
        let base = (self.base * factor).max(min_lr);
        let falls = self.base - base > LEAST_REDUCTION;
        if falls {
            self.base = base;
        }
        falls
    }

    /// NaN is never better.
    fn is_better(&self, figure: f64) -> bool {
        let Plateau { threshold, is_relative, .. } = self.plateau;
        match (self.rises, is_relative) {
            (false, true) => figure < self.best * (1.0 - threshold),
            (false, false) => figure < self.best - threshold,
            (true, true) => figure > self.best * (threshold + 1.0),
            (true, false) => figure > self.best + threshold,
        }
    }

    fn key(&self) -> String {
        format!("plateau_{}", self.group)
    }

    /// Adds what [`Falling::take`] reads to the metadata of a checkpoint.
    pub fn add_to(&self, metadata: &mut Metadata) {
        let [base, best] = [self.base, self.best].map(|number| hex(number.to_bits()));
        let text = format!("{base} {best} {} {}", self.bad_epochs, self.cooling);
        metadata.insert(self.key(), text);
    }

    /// Goes on from what a checkpoint says, if that is possible.
    pub fn take(&mut self, metadata: &Metadata) -> Option<()> {
        let words: Vec<&str> = metadata.get(&self.key())?.split(' ').collect();
        let [base, best, bad_epochs, cooling] = words[..] else { return None };
        let float = |text| u64::from_str_radix(text, 16).ok().map(f64::from_bits);
        // A rate never grows.
        self.base = float(base).filter(|base| (0.0..=self.base).contains(base))?;
        self.best = float(best)?;
        (self.bad_epochs, self.cooling) = (bad_epochs.parse().ok()?, cooling.parse().ok()?);
        Some(())
    }
}
