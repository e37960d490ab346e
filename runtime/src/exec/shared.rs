//! Several executors of one program that share one copy of its weights.
//!
//! They have one block of memory: the parameters, then for each executor a part of its own with all
//! other buffers, constants and scratch. The program of each is the same with those buffers moved,
//! and is verified as any other, so nothing is decided, and nothing costs time, while one runs.

use super::memory::Space;
use super::share::shares;
use super::{EntryPoint, Executor, Options, RunError};
use crate::arena::{ALIGNMENT, Arena};
use crate::program::verify::verify;
use crate::program::{BufferId, Param, PerEntry, Program};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Where the bytes of several executors lie in one block.
struct Places {
    /// The buffers of the parameters and the optimizer's states, which keep their places.
    kept: HashSet<BufferId>,
    /// The end of those, and what is added to the offsets of the others for the first executor.
    end: u64,
    shift: u64,
    /// From the part of one executor to that of the next.
    stride: u64,
    /// The first of the other buffers.
    first: u64,
}

impl Executor {
    /// Makes `count` executors of one, which predict and evaluate alone, and have one copy of the
    /// parameters, as they are now.
    ///
    /// # Errors
    /// A program that writes its parameters when it predicts or evaluates, or memory over the
    /// limit.
    pub fn share(self, count: usize, options: Options) -> Result<Vec<Executor>, RunError> {
        let options = Options { isa: Some(self.isa), ..options };
        let (threads, cores) = options.threads();
        let source = self.program.program();
        let shares = PerEntry::new(|entry| shares(source, entry, threads));
        let floats = Space::new(source, &shares, threads, 0).floats;
        let places = Places::of(source, floats * 4)?;
        let parts = places.stride.saturating_mul(count as u64);
        let bytes = (places.first + places.shift).saturating_add(parts);
        let limit = options.limit();
        let memory = RunError::Memory { needed: bytes, limit };
        let arena = if bytes > limit { None } else { Arena::new(bytes as usize) };
        let mut arena = arena.ok_or(memory)?;
        for id in &places.kept {
            let (_, bytes) = self.extent(*id);
            let from = self.arena.bytes(bytes.start, bytes.end);
            arena.bytes_mut(bytes.start, bytes.end).copy_from_slice(from);
        }
        let parts: Vec<Range<usize>> = (0..count as u64).map(|index| places.part(index)).collect();
        let arenas = arena.divide(0..places.end as usize / 4, &parts);
        let executor = |(index, arena): (usize, Arena)| {
            let program = verify(places.moved(source, index as u64));
            let program = program.map_err(|error| RunError::Value(error.to_string()))?;
            let made = Executor::bind(Arc::new(program), options, threads, 0, |_| Some(arena));
            let (mut executor, ..) = made?;
            // These write what is shared.
            for entry in [EntryPoint::Init, EntryPoint::Train, EntryPoint::Update] {
                executor.most_rows[entry] = 0;
            }
            executor.start(threads, cores)
        };
        arenas.into_iter().enumerate().map(executor).collect()
    }
}

impl Places {
    /// For a program that takes so many bytes with constants and scratch.
    fn of(program: &Program, bytes: u64) -> Result<Places, RunError> {
        let kept: HashSet<BufferId> = program.params.iter().flat_map(Param::buffers).collect();
        for entry in [EntryPoint::Predict, EntryPoint::Eval] {
            let mut steps = program.routines[entry].steps.iter();
            if steps.any(|step| step.kernel.access().writes.iter().any(|id| kept.contains(id))) {
                let message = format!("the weights cannot be shared: {} writes them", entry.name());
                return Err(RunError::Value(message));
            }
        }
        let end = |id: &BufferId| {
            let buffer = &program.buffers[id.0 as usize];
            buffer.offset + buffer.bytes(program.batch).unwrap_or(0)
        };
        let end = kept.iter().map(end).max().unwrap_or(0);
        let others = (0..).map(BufferId).zip(&program.buffers);
        let others = others.filter(|(id, _)| !kept.contains(id));
        let first = others.map(|(_, buffer)| buffer.offset).min().unwrap_or(end);
        let stride = (bytes - first).next_multiple_of(ALIGNMENT as u64);
        // What the compiler plans has the parameters first, and then nothing is moved.
        Ok(Places { kept, end, shift: end.saturating_sub(first), stride, first })
    }

    /// What is added to the offsets of an executor.
    fn shift(&self, index: u64) -> u64 {
        self.shift + index * self.stride
    }

    /// The floats of an executor.
    fn part(&self, index: u64) -> Range<usize> {
        let start = (self.first + self.shift(index)) as usize / 4;
        start..start + self.stride as usize / 4
    }

    /// The program of an executor.
    fn moved(&self, program: &Program, index: u64) -> Program {
        let mut program = program.clone();
        let others = (0..).map(BufferId).zip(&mut program.buffers);
        for (_, buffer) in others.filter(|(id, _)| !self.kept.contains(id)) {
            buffer.offset += self.shift(index);
        }
        program.arena_bytes += self.shift(index);
        program
    }
}
