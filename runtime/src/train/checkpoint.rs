//! Checkpoints: a safetensors file with the parameters, the optimizer states and, in its metadata,
//! the position of the run. A run that continues from one ends with the same bits, and reports the
//! same figures, as a run that was never interrupted.
//!
//! The order of the rows and all random values follow from the seed and the position, so neither is
//! stored. The run must be the same: the file carries hashes of the program and the data.

use super::hash::{hash_data, hash_program, hex};
use super::params::{self, Slot};
use super::plateau::Falling;
use super::watch::{self, Watcher};
use super::{Position, Trainer, seen};
use crate::data::{DataError, shown};
use crate::weights::{CHECKPOINT, CHECKPOINT_FORMAT, FORMAT_KEY, WeightsFile, read_metadata};
use std::collections::BTreeMap;
use std::path::Path;

/// The key of what the steps of the epoch have added up beside their losses.
const SUMS: &str = "sums";

type Metadata = BTreeMap<String, String>;

impl Trainer {
    /// Writes the state of the run to a file: all of it, or nothing. The run may be anywhere in an
    /// epoch.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let Position { epoch, step_in_epoch, steps, own_steps, loss_sum } = self.position;
        let entries = [
            (FORMAT_KEY, CHECKPOINT_FORMAT.to_string()),
            ("net", self.program.program().name.clone()),
            ("program", self.program_hash()),
            ("epoch", epoch.to_string()),
            ("step_in_epoch", step_in_epoch.to_string()),
            ("steps", steps.to_string()),
            ("own_steps", own_steps.to_string()),
            ("loss_sum", hex(loss_sum.to_bits())),
        ];
        let mut metadata: Metadata =
            entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
        let sums = self.running.sums().iter().map(|sum| hex(sum.to_bits()));
        let sums = sums.collect::<Vec<_>>().join(" ");
        metadata.extend((!sums.is_empty()).then(|| (SUMS.to_string(), sums)));
        metadata.extend(self.notes.clone());
        self.columns.add_to(&mut metadata);
        seen::add_to(&mut metadata, self.data_hash()?, &self.training);
        self.watcher.iter().for_each(|watcher| watcher.add_to(&mut metadata));
        self.falling.iter().for_each(|falling| falling.add_to(&mut metadata));
        let mut slots = self.all_slots();
        let first_best = slots.len();
        if self.watcher.as_ref().is_some_and(Watcher::keeps_best) {
            slots.extend(params::best(self.program.program()));
        }
        let had_best = self.restore(false);
        let saved = params::save_with(&slots, &metadata, path, |index, range, to| {
            self.restore(index >= first_best);
            self.executor.read_values(slots[index].buffer, range, to);
        });
        self.restore(had_best);
        saved
    }

    /// Continues from a checkpoint of the same net, data and settings; only the number of epochs
    /// and the most rows that the net is compiled for may differ.
    ///
    /// # Errors
    /// A file that cannot be read, is no checkpoint, or is one of another run. Then nothing
    /// changes.
    pub fn resume(&mut self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let mut file = WeightsFile::open(path)?;
        let (name, metadata) = (file.name().to_string(), file.metadata().clone());
        let fail = |message: String| Err(DataError::new(&name, message));
        if !says_checkpoint(&metadata) {
            return fail("is no checkpoint: it does not say where a run stands".into());
        }
        let text = |key: &str| metadata.get(key).map_or("", String::as_str);
        let net = &self.program.program().name;
        if text("net") != net {
            return fail(format!("is of the net {}, not of {}", shown(text("net")), shown(net)));
        }
        let program = self.program.clone();
        let program = program.program();
        let mut slots = self.all_slots();
        let first_best = slots.len();
        let watch = self.training.watch;
        if watch.is_some_and(|watch| watch.keeps_best) && watch::says_best(&metadata) {
            slots.extend(params::best(program));
        }
        let places = params::find(program, &slots, &file)?;
        let seed = self.training.seed;
        if text("seed") != seed.to_string() {
            return fail(format!(
                "is of a run with seed {}, and this one has seed {seed}",
                shown(text("seed"))
            ));
        }
        if text("data") != self.data_hash()? {
            return fail("is of a run on other data".into());
        }
        if text("program") != self.program_hash() {
            return fail("is of a run whose net or `train` section differ from this one's".into());
        }
        let mut watcher = watch.map(|watch| Watcher::new(program, watch));
        let place = self.read_position(&metadata).zip(self.read_sums(&metadata));
        let Some((position, sums)) = place else {
            return fail("is corrupt: it says no possible place in a run".into());
        };
        let mut falling = Falling::all(program, &self.training.schedules);
        if falling.iter_mut().any(|falling| falling.take(&metadata).is_none()) {
            return fail("is corrupt: it says no possible learning rates".into());
        }
        self.overwrite(|executor| {
            let (slots, best) = slots.split_at(first_best);
            let (places, best_places) = places.split_at(first_best);
            params::write(executor, best, best_places, &mut file)?;
            if watcher.as_mut().is_some_and(|own| own.take(executor, &metadata).is_none()) {
                return fail("is corrupt: it says no possible best of a run".into());
            }
            params::write(executor, slots, places, &mut file)
        })?;
        self.watcher = watcher;
        for falling in &falling {
            self.scalars.set_base(program, falling.group, falling.base);
        }
        self.falling = falling;
        self.position = position;
        self.running.restore(&sums);
        self.timing = Default::default();
        self.start_epoch();
        self.restore(self.is_done());
        Ok(())
    }

    fn read_position(&self, metadata: &Metadata) -> Option<Position> {
        let number = |key: &str| metadata.get(key)?.parse::<u64>().ok();
        let bits = u64::from_str_radix(metadata.get("loss_sum")?, 16).ok()?;
        let position = Position {
            epoch: number("epoch")?,
            step_in_epoch: number("step_in_epoch")?,
            steps: number("steps")?,
            // A checkpoint of an earlier version has none.
            own_steps: number("own_steps").unwrap_or(0),
            loss_sum: f64::from_bits(bits),
        };
        let before = position.epoch.checked_mul(self.steps_per_epoch())?;
        let (batches, accumulate) = (position.step_in_epoch, self.training.accumulate);
        let steps = match batches == self.batches_per_epoch() {
            true => batches.div_ceil(accumulate),
            false => batches / accumulate,
        };
        let sound = batches <= self.batches_per_epoch()
            && before.checked_add(steps) == Some(position.steps)
            && position.loss_sum.is_finite();
        sound.then_some(position)
    }

    /// What the steps of the epoch have added up.
    fn read_sums(&self, metadata: &Metadata) -> Option<Vec<f64>> {
        let words = metadata.get(SUMS).map_or("", String::as_str).split_whitespace();
        let bits = words.map(|word| u64::from_str_radix(word, 16).ok());
        let sums: Vec<f64> = bits.map(|bits| bits.map(f64::from_bits)).collect::<Option<_>>()?;
        (sums.len() == self.running.sums().len()).then_some(sums)
    }

    fn all_slots(&self) -> Vec<Slot> {
        let program = self.program.program();
        let mut slots = params::parameters(program);
        slots.extend(params::states(program));
        slots
    }

    fn program_hash(&self) -> String {
        hex(hash_program(self.program.program(), &self.training))
    }

    /// A hash of the data, as weights and checkpoints store it.
    ///
    /// # Errors
    /// Data in a file that cannot be read.
    pub fn data_hash(&mut self) -> Result<String, DataError> {
        let hash = match self.data_hash {
            Some(hash) => hash,
            None => hash_data(&self.data, self.groups.as_deref())
                .map_err(|error| DataError::new("the data", error.to_string()))?,
        };
        self.data_hash = Some(hash);
        Ok(hex(hash))
    }
}

/// Whether a file is a checkpoint of any run.
pub fn is_checkpoint(path: impl AsRef<Path>) -> bool {
    read_metadata(path).is_ok_and(|metadata| says_checkpoint(&metadata))
}

/// Whether the metadata of weights are those of a checkpoint, which holds more than weights.
pub fn says_checkpoint(metadata: &Metadata) -> bool {
    metadata.get(FORMAT_KEY).is_some_and(|format| format.starts_with(CHECKPOINT))
}
