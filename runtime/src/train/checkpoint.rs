//! Checkpoints: a safetensors file with the parameters, the optimizer states and, in its metadata,
//! the position of the run. A run that continues from one ends with the same bits, and reports the
//! same figures, as a run that was never interrupted.
//!
//! The order of the rows and all random values follow from the seed and the position, so neither is
//! stored. The run must be the same: the file carries hashes of the program and the data.

use super::params::{self, Slot};
use super::{Position, Trainer, seen};
use crate::data::{DataError, shown};
use crate::exec::Feed;
use crate::program::{
    Buffer, EntryPoint, Origin, PerEntry, Port, Program, Routine, Step, Training, codec,
};
use crate::weights::{CHECKPOINT, CHECKPOINT_FORMAT, FORMAT_KEY, WeightsFile, read_metadata};
use std::collections::BTreeMap;
use std::path::Path;

type Metadata = BTreeMap<String, String>;

impl Trainer {
    /// Writes the state of the run to a file: all of it, or nothing. The run may be anywhere in an
    /// epoch.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_checkpoint(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
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
        self.columns.add_to(&mut metadata);
        seen::add_to(&mut metadata, self.data_hash(), &self.training);
        params::save(&self.executor, &self.all_slots(), &metadata, path)
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
        let slots = self.all_slots();
        let places = params::find(self.program.program(), &slots, &file)?;
        let seed = self.training.seed;
        if text("seed") != seed.to_string() {
            return fail(format!(
                "is of a run with seed {}, and this one has seed {seed}",
                shown(text("seed"))
            ));
        }
        if text("data") != self.data_hash() {
            return fail("is of a run on other data".into());
        }
        if text("program") != self.program_hash() {
            return fail("is of a run whose net or `train` section differ from this one's".into());
        }
        let Some(position) = self.read_position(&metadata) else {
            return fail("is corrupt: it says no possible place in a run".into());
        };
        self.overwrite(|executor| params::write(executor, &slots, &places, &mut file))?;
        self.position = position;
        self.timing = Default::default();
        self.start_epoch();
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
        let sound = position.step_in_epoch <= self.steps_per_epoch()
            && before.checked_add(position.step_in_epoch) == Some(position.steps)
            && position.loss_sum.is_finite();
        sound.then_some(position)
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

    pub(super) fn data_hash(&self) -> String {
        hex(*self.data_hash.get_or_init(|| hash_data(&self.data)))
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

/// A hash of everything that training depends on, except the number of epochs. Positions in the
/// text and in the arena do not count.
fn hash_program(program: &Program, training: &Training) -> u64 {
    let step =
        |step: &Step| Step { kernel: step.kernel.clone(), origin: Origin::default(), flops: 0 };
    let unnamed = |port: &Port| Port { columns: Vec::new(), ..port.clone() };
    let essence = Program {
        name: program.name.clone(),
        buffers: program.buffers.iter().map(|b| Buffer { offset: 0, ..*b }).collect(),
        params: program.params.clone(),
        inputs: program.inputs.iter().map(unnamed).collect(),
        targets: program.targets.iter().map(unnamed).collect(),
        scalars: program.scalars.clone(),
        routines: PerEntry::new(|entry| match entry {
            EntryPoint::Train => {
                let steps = program.routines[entry].steps.iter().map(step).collect();
                Routine { steps, ..Routine::default() }
            }
            _ => Routine::default(),
        }),
        training: Some(Training { epochs: 1, ..training.clone() }),
        ..Program::default()
    };
    hash(codec::encode(&essence).into_iter().map(u32::from))
}

pub(super) fn hash_data(data: &Feed) -> u64 {
    let shape = [data.rows() as u64].into_iter().flat_map(|n| [n as u32, (n >> 32) as u32]);
    let values = data.values().flat_map(|values| values.iter().map(|value| value.to_bits()));
    hash(shape.chain(values))
}

/// FNV-1a over words. Each goes through a bijection of the state, so one changed word always shows.
fn hash(words: impl Iterator<Item = u32>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

pub(super) fn hex(bits: u64) -> String {
    format!("{bits:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_sees_every_word_and_their_order() {
        let of = |words: &[u32]| hash(words.iter().copied());
        let base = of(&[1, 2, 3]);
        for other in [&[1, 2, 4][..], &[2, 1, 3], &[1, 2], &[1, 2, 3, 0], &[1, 2, 3 | 1 << 31]] {
            assert_ne!(of(other), base, "{other:?}");
        }
        assert_eq!(hex(base).len(), 16);
    }

    #[test]
    fn an_exact_sum_survives_its_text() {
        for sum in [0.0, 0.1 + 0.2, 1e300, f64::MIN_POSITIVE] {
            let bits = u64::from_str_radix(&hex(sum.to_bits()), 16).unwrap();
            assert_eq!(f64::from_bits(bits), sum);
        }
    }
}
