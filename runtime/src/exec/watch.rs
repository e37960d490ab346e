//! Runs a program under watch, for tests: around everything that a thread uses beside the program's
//! buffers lie fences, a step is looked after at every part of it, and the threads' parts run one
//! after another in an order of the caller's choice.

use super::memory::{Fences, Space};
use super::{EntryPoint, Executor, Options, Run, RunError};
use crate::arena::Arena;
use crate::program::{BufferId, Verified};
use crate::simd::LANES;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The floats of a fence: more than a kernel that goes on past its end would jump over.
const FENCE: usize = 1 << 8;
/// What a fence holds: a number that no kernel is likely to write.
const INTACT: f32 = f32::from_bits(0x5EED_FACE);

/// In which order the threads run what lies between two barriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first thread first.
    Forward,
    /// The last thread first.
    Backward,
}

/// A byte that was changed by a step that may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The entry.
    pub entry: EntryPoint,
    /// The index of the step, or of none where the entry ran as straight-line code.
    pub step: Option<usize>,
    /// The thread.
    pub thread: usize,
    /// The byte, and the size of the program's arena.
    pub at: (usize, u64),
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stray { entry, step, thread, at: (byte, arena) } = self;
        let step = step.map_or("its straight-line code".to_string(), |step| format!("step {step}"));
        write!(f, "{}, {step}, thread {thread} changes byte {byte} (arena: {arena})", entry.name())
    }
}

/// An executor under watch.
pub struct Watched {
    executor: Executor,
    space: Space,
    /// For each thread.
    fences: Vec<Fences>,
    /// The program's buffers and the constants as they were before a part was run.
    before: Vec<u8>,
}

impl Watched {
    /// Binds a program with fences. It has `options.threads` threads, or one, none of which is
    /// started.
    ///
    /// # Errors
    /// As [`Executor::new`].
    pub fn new(program: Arc<Verified>, options: Options) -> Result<Watched, RunError> {
        let (executor, space, fences) =
            Executor::bind(program, options, options.threads.unwrap_or(1), FENCE, Arena::new)?;
        Ok(Watched { executor, space, fences, before: Vec::new() })
    }

    /// The executor, to write values and to read results.
    pub fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }

    /// The constants, each as often as a vector has lanes.
    fn constants(&self) -> Range<usize> {
        let Space { constants_at, constants, .. } = &self.space;
        *constants_at..constants_at + constants.values().len() * LANES
    }

    /// Fills everything but the constants with these floats, again and again.
    pub fn fill(&mut self, floats: &[f32]) {
        let constants = self.constants();
        let end = self.executor.arena.floats_len();
        for part in [0..constants.start, constants.end..end] {
            for chunk in
                self.executor.arena.floats_mut(part.start, part.end).chunks_mut(floats.len())
            {
                chunk.copy_from_slice(&floats[..chunk.len()]);
            }
        }
    }

    /// Runs an entry step by step.
    ///
    /// # Errors
    /// The first byte that was changed by a step that may not.
    pub fn run(&mut self, entry: EntryPoint, rows: usize, order: Order) -> Result<(), Stray> {
        let run = Run { entry, rows, draw: self.executor.draw_of(entry) };
        let steps = &self.executor.program().routines[entry].steps;
        let writes: Vec<Vec<BufferId>> =
            steps.iter().map(|step| step.kernel.access().writes).collect();
        self.remember();
        // For each thread, its next launch, and the step that this is.
        let mut next = vec![(0, 0); self.fences.len()];
        while next[0].1 < writes.len() {
            let mut threads: Vec<usize> = (0..next.len()).collect();
            if order == Order::Backward {
                threads.reverse();
            }
            let end = self.next_barrier(entry, next[0].1, writes.len());
            for thread in threads {
                let (mut launch, first) = next[thread];
                for (step, writes) in writes[first..end].iter().enumerate() {
                    let share = self.executor.plan.steps[entry][0][first + step].share;
                    if thread < share.threads {
                        self.run_part(run, (first + step, writes), thread, launch)?;
                    }
                    launch += usize::from(thread < share.threads || share.barrier);
                }
                next[thread] = (launch, end);
            }
        }
        Ok(())
    }

    /// The step before which all threads next wait for each other after `step`.
    fn next_barrier(&self, entry: EntryPoint, step: usize, steps: usize) -> usize {
        let launches = &self.executor.plan.steps[entry][0];
        (step + 1..steps).find(|&step| launches[step].share.barrier).unwrap_or(steps)
    }

    /// Runs an entry as [`Executor::run`] does with one thread: as straight-line code, if it has
    /// some for so many rows.
    ///
    /// # Errors
    /// The first byte that was changed though the entry may not.
    pub fn run_whole(&mut self, entry: EntryPoint, rows: usize) -> Result<(), Stray> {
        let steps = &self.executor.program().routines[entry].steps;
        let writes: Vec<BufferId> =
            steps.iter().flat_map(|step| step.kernel.access().writes).collect();
        self.remember();
        let fences = self.outer_fences();
        self.raise(&fences);
        self.executor.run(entry, rows).expect("the test runs what can be run");
        let written = self.extents(&writes, rows);
        match self.first_changed(written).or(self.first_broken(&fences)) {
            Some(byte) => Err(self.stray(entry, None, 0, byte)),
            None => Ok(()),
        }
    }

    /// Runs a thread's part of a step, which is its launch of this index.
    fn run_part(
        &mut self,
        run: Run,
        (step, writes): (usize, &[BufferId]),
        thread: usize,
        launch: usize,
    ) -> Result<(), Stray> {
        let mut fences = self.outer_fences();
        fences.extend_from_slice(&self.fences[thread][run.entry][launch]);
        self.raise(&fences);
        self.executor.run_part(run, thread, launch, thread);
        let written = self.extents(writes, run.rows);
        match self.first_changed(written).or(self.first_broken(&fences)) {
            Some(byte) => Err(self.stray(run.entry, Some(step), thread, byte)),
            None => Ok(()),
        }
    }

    /// The fences around the threads' scratch.
    fn outer_fences(&self) -> Vec<Range<usize>> {
        let threads = (0..self.fences.len()).map(|thread| self.space.scratch(thread));
        let first = self.space.scratch(0).start;
        let before = first - self.space.fence..first;
        [before].into_iter().chain(threads.map(|own| own.end..own.end + self.space.fence)).collect()
    }

    /// Writes fences.
    fn raise(&mut self, fences: &[Range<usize>]) {
        for fence in fences {
            self.executor.arena.floats_mut(fence.start, fence.end).fill(INTACT);
        }
    }

    /// The first byte of fences that is not as it was written.
    fn first_broken(&self, fences: &[Range<usize>]) -> Option<usize> {
        let broken = |fence: &Range<usize>| {
            let floats = self.executor.arena.floats(fence.start, fence.end);
            let at = floats.iter().position(|float| float.to_bits() != INTACT.to_bits())?;
            Some((fence.start + at) * 4)
        };
        fences.iter().find_map(broken)
    }

    fn stray(&self, entry: EntryPoint, step: Option<usize>, thread: usize, byte: usize) -> Stray {
        Stray { entry, step, thread, at: (byte, self.executor.program().arena_bytes) }
    }

    /// The bytes of buffers that so many rows of the batch take.
    fn extents(&self, ids: &[BufferId], rows: usize) -> Vec<Range<usize>> {
        let extent = |&id: &BufferId| {
            let buffer = self.executor.program().buffers[id.0 as usize];
            let bytes = buffer.bytes(rows as u64).expect("a verified layout has a size");
            buffer.offset as usize..(buffer.offset + bytes) as usize
        };
        ids.iter().map(extent).collect()
    }

    /// The program's buffers and the constants.
    fn watched(&self) -> &[u8] {
        self.executor.arena.bytes(0, self.constants().end * 4)
    }

    fn remember(&mut self) {
        let mut before = std::mem::take(&mut self.before);
        before.clear();
        before.extend_from_slice(self.watched());
        self.before = before;
    }

    /// The first byte outside these ranges that is not as it was remembered; those in them are
    /// remembered as they are.
    fn first_changed(&mut self, mut written: Vec<Range<usize>>) -> Option<usize> {
        let mut before = std::mem::take(&mut self.before);
        let now = self.watched();
        written.sort_by_key(|range| range.start);
        written.push(now.len()..now.len());
        let mut from = 0;
        let mut changed = None;
        for range in written {
            let apart = from..range.start.max(from);
            if changed.is_none() && now[apart.clone()] != before[apart.clone()] {
                changed = apart.into_iter().find(|&byte| now[byte] != before[byte]);
            }
            from = from.max(range.end);
            before[range.clone()].copy_from_slice(&now[range]);
        }
        self.before = before;
        changed
    }
}
