//! The weights of a training: where it starts from, and what it leaves.

use super::watch::Watcher;
use super::{Trainer, balance, fit, params, seen};
use crate::data::DataError;
use crate::exec::Executor;
use crate::program::{BufferId, Fit, ParamId};
use crate::weights::{LAYOUT, LAYOUT_KEY, WeightsFile};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

impl Trainer {
    /// Overwrites the parameters. The tensors of the file may be in any order, or have the names
    /// and the layout of PyTorch ([`crate::pytorch`]). Optimizer states in a checkpoint are
    /// ignored.
    ///
    /// # Errors
    /// A parameter that is missing, of another shape or not finite, a tensor that is no parameter,
    /// or a file that cannot be read. Then nothing is overwritten.
    pub fn load_weights(&mut self, file: &mut WeightsFile<'_>) -> Result<(), DataError> {
        // Statistics that it has are kept: the rows are prepared as those that it was trained on.
        let names: HashSet<String> = file.heads().iter().map(|head| head.name.clone()).collect();
        let program = self.program.clone();
        let has = |id: &ParamId| names.contains(&program.program().params[id.index()].name);
        let lacks = |fit: &Fit| !fit.params.iter().all(has);
        let fits = &self.training.fits;
        let own = fits.iter().flat_map(|fit| &fit.params).filter(|id| !has(id));
        let own: HashSet<BufferId> =
            own.map(|id| program.program().params[id.index()].buffer).collect();
        self.overwrite(|executor| load_but(executor, file, &own))?;
        let Trainer { executor, data, training_rows, .. } = self;
        if let Err(error) = fit::fit(executor, data, training_rows, lacks) {
            executor.restore_state(&self.last_good.state);
            return Err(DataError::new(file.name(), error.to_string()));
        }
        self.is_fitted |= own.is_empty();
        // The factors of classes are those of the rows trained on, wherever the weights are from.
        let Trainer { executor, training, data, training_rows, .. } = self;
        balance::count(executor, &training.balances, data, training_rows)
            .map_err(|error| DataError::new(file.name(), error.to_string()))?;
        // What was best before is not of these weights.
        let program = self.program.program();
        self.watcher = self.training.watch.map(|watch| Watcher::new(program, watch));
        self.keep_state();
        Ok(())
    }

    /// Overwrites parameters and states. After an error they are as before.
    pub(super) fn overwrite(
        &mut self,
        write: impl FnOnce(&mut Executor) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let had_best = self.restore(false);
        if self.last_good.position != self.position {
            self.keep_state();
        }
        let written = write(&mut self.executor);
        if written.is_err() {
            self.executor.restore_state(&self.last_good.state);
            self.restore(had_best);
        }
        written
    }

    /// Writes the parameters to a safetensors file, with the names of the data's columns: all of
    /// it, or nothing. They are the best so far where the run keeps those.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_weights(&mut self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let metadata = [("net", self.program.program().name.as_str())];
        let mut metadata: BTreeMap<String, String> =
            metadata.map(|(key, value)| (key.into(), value.into())).into();
        self.columns.add_to(&mut metadata);
        metadata.insert(LAYOUT_KEY.into(), LAYOUT.into());
        if self.data.rows() > 0 {
            seen::add_to(&mut metadata, self.data_hash()?, &self.training);
        }
        let slots = params::parameters(self.program.program());
        let had_best = self.restore(true);
        let saved = params::save(&self.executor, &slots, &metadata, path);
        self.restore(had_best);
        saved
    }
}

/// Overwrites the parameters of an executor. After an error they may be anything.
pub(crate) fn load(executor: &mut Executor, file: &mut WeightsFile<'_>) -> Result<(), DataError> {
    load_but(executor, file, &HashSet::new())
}

/// [`load`] of all parameters but these.
fn load_but(
    executor: &mut Executor,
    file: &mut WeightsFile<'_>,
    without: &HashSet<BufferId>,
) -> Result<(), DataError> {
    let mut slots = params::parameters(executor.program());
    slots.retain(|slot| !without.contains(&slot.buffer));
    let places = params::find_parameters(executor.program(), &slots, file)?;
    params::write(executor, &slots, &places, file)
}
