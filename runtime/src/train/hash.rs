//! The hashes by which weights and checkpoints know the program and the data of their training.

use crate::exec::{Feed, RunError};
use crate::program::{
    Buffer, EntryPoint, Origin, PerEntry, Port, Program, Routine, Step, Training, codec,
};

/// A hash of everything that training depends on, except the number of epochs. Positions in the
/// text and in the arena do not count.
pub(super) fn hash_program(program: &Program, training: &Training) -> u64 {
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
            EntryPoint::Train | EntryPoint::Update | EntryPoint::Fit => {
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

/// A hash of all values of the data, of their number, and of the groups of its rows, if they have.
///
/// # Errors
/// Data in a file that cannot be read.
pub(super) fn hash_data(data: &Feed, groups: Option<&[u32]>) -> Result<u64, RunError> {
    let rows = data.rows() as u64;
    let mut state = hash([rows as u32, (rows >> 32) as u32].into_iter());
    for port in 0..data.ports().count() {
        data.each_block_of(port, |_, values| {
            state = values.iter().fold(state, |hash, value| add(hash, value.to_bits()));
        })?;
    }
    Ok(groups.into_iter().flatten().copied().fold(state, add))
}

/// FNV-1a over words. Each goes through a bijection of the state, so one changed word always shows.
pub fn hash(words: impl Iterator<Item = u32>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, add)
}

fn add(hash: u64, word: u32) -> u64 {
    (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// A hash, or the bits of a number, as text.
pub fn hex(bits: u64) -> String {
    format!("{bits:016x}")
}
