//! The figure of the held-out rows that a run watches: the best weights so far, and whether it is
//! time to stop.

use super::hash::hex;
use super::report::{Best, Evaluation};
use crate::exec::Executor;
use crate::program::{Program, Watch, Watched};
use std::collections::BTreeMap;

type Metadata = BTreeMap<String, String>;

/// What a run has seen of its figure.
pub(super) struct Watcher {
    watch: Watch,
    /// Where its figure is among those of an evaluation; none for the loss.
    place: Option<usize>,
    /// Whether a larger figure is a better one.
    rises: bool,
    best: Option<Best>,
    /// The figure that the next ones have to improve on.
    mark: Option<f64>,
    /// The validations since.
    waited: u64,
    /// The best parameters, if they are kept; while the executor has those, the ones that the run
    /// goes on with.
    params: Vec<f32>,
    /// Whether the executor has the best parameters.
    restored: bool,
}

impl Watcher {
    pub fn new(program: &Program, watch: Watch) -> Watcher {
        let (place, rises) = place(program, watch.figure);
        // Allocated once, so that no epoch allocates.
        let params = Vec::with_capacity(program.best_bytes() as usize / 4);
        Watcher { watch, place, rises, best: None, mark: None, waited: 0, params, restored: false }
    }

    /// Looks at a validation; says whether it is the best so far.
    pub fn see(
        &mut self,
        executor: &Executor,
        held_out: &Evaluation,
        (epoch, step): (u64, u64),
    ) -> bool {
        let figure = self.place.map_or(held_out.loss, |place| held_out.metrics[place].1);
        let gain = |from: f64| if self.rises { figure - from } else { from - figure };
        let improves = |from: Option<f64>, least: f64| {
            !figure.is_nan() && from.is_none_or(|from| gain(from) > least)
        };
        if improves(self.mark, self.watch.min_delta) {
            (self.mark, self.waited) = (Some(figure), 0);
        } else {
            self.waited += 1;
        }
        let is_best = improves(self.best.map(|best| best.figure), 0.0);
        if is_best {
            self.best = Some(Best { epoch, step, figure });
            if self.watch.keeps_best {
                executor.copy_params(&mut self.params);
            }
        }
        is_best
    }

    /// The best validation so far.
    pub fn best(&self) -> Option<Best> {
        self.best
    }

    /// Whether the run has waited for an improvement as long as it may.
    pub fn is_over(&self) -> bool {
        self.watch.patience.is_some_and(|patience| self.waited >= patience)
    }

    /// Whether there are best parameters to keep.
    pub fn keeps_best(&self) -> bool {
        !self.params.is_empty()
    }

    /// Gives the executor the best parameters, or takes them back; says whether it had them.
    pub fn restore(&mut self, executor: &mut Executor, best: bool) -> bool {
        let had_best = self.restored;
        if had_best != best && self.keeps_best() {
            executor.swap_params(&mut self.params);
            self.restored = best;
        }
        had_best
    }

    /// Adds what [`Watcher::take`] reads to the metadata of a checkpoint.
    pub fn add_to(&self, metadata: &mut Metadata) {
        let Some(Best { epoch, step, figure }) = self.best else { return };
        let entries = [
            ("best_epoch", epoch.to_string()),
            ("best_step", step.to_string()),
            ("best_figure", hex(figure.to_bits())),
            ("mark", hex(self.mark.unwrap_or(figure).to_bits())),
            ("waited", self.waited.to_string()),
        ];
        metadata.extend(entries.map(|(key, value)| (key.to_string(), value)));
    }

    /// Goes on from what a checkpoint says, if that is possible; it has seen nothing yet, and the
    /// executor has the best
    /// parameters of the checkpoint, if it has any.
    pub fn take(&mut self, executor: &Executor, metadata: &Metadata) -> Option<()> {
        let number = |key: &str| metadata.get(key)?.parse::<u64>().ok();
        let float =
            |key: &str| u64::from_str_radix(metadata.get(key)?, 16).ok().map(f64::from_bits);
        if !says_best(metadata) {
            return Some(());
        }
        self.mark = Some(float("mark")?);
        self.waited = number("waited")?;
        self.best = Some(Best {
            epoch: number("best_epoch")?,
            step: number("best_step")?,
            figure: float("best_figure")?,
        });
        if self.watch.keeps_best {
            executor.copy_params(&mut self.params);
        }
        Some(())
    }
}

/// Where a figure is among the metrics of an evaluation, none for the loss; and whether a larger
/// one is a better one.
pub(super) fn place(program: &Program, figure: Watched) -> (Option<usize>, bool) {
    match figure {
        Watched::Loss => (None, false),
        Watched::Metric(index) => {
            let (before, rest) = program.metrics.split_at(index.into());
            let figures = before.iter().filter(|metric| !metric.figure.finish.is_table());
            (Some(figures.count()), rest[0].rises)
        }
    }
}

/// Whether a checkpoint has the best figure of its run.
pub(super) fn says_best(metadata: &Metadata) -> bool {
    metadata.contains_key("best_epoch")
}
