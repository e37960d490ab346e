//! Who owns which bytes of the arena, step by step.
//!
//! One walk over the steps of an entry keeps a map of disjoint live extents, each with the buffer
//! that last wrote it. A write ends every extent it overlaps: what is left of those is of no use,
//! because a buffer is only ever read as a whole. So a read is one look-up, and the walk takes
//! n log n for n accesses.

use std::collections::BTreeMap;

use super::buffers::{Buffers, Extent};
use super::each_step;
use super::table::{Held, What};
use crate::error::require;
use crate::{Access, BufferId, EntryPoint, Figure, Program, ProgramError};

/// Checks the steps of one entry against each other and against what outlives the run.
pub(super) fn check(
    program: &Program,
    entry: EntryPoint,
    buffers: &Buffers,
    held: &[Held],
) -> Result<(), ProgramError> {
    let mut arena = Arena::new(entry, buffers, held);
    each_step(entry, &program.routines[entry].steps, |step| {
        let access = step.kernel.access();
        check_overlaps(&access, buffers)?;
        for id in access.reads() {
            require!(arena.holds(id), "reads buffer {}, which {}", id.0, arena.reason(id));
        }
        access.writes.iter().try_for_each(|&id| arena.write(id))
    })?;
    check_results(program, entry, &arena)
}

/// Checks that the steps of an entry leave behind what the host then reads.
fn check_results(program: &Program, entry: EntryPoint, arena: &Arena) -> Result<(), ProgramError> {
    let name = entry.name();
    if entry == EntryPoint::Predict {
        for output in &program.outputs {
            let held = arena.holds(output.buffer);
            require!(held, "{name} ends without output `{}`", output.name);
        }
    }
    let holds = |figure: &Figure| figure.values.iter().all(|&value| arena.holds(value));
    if matches!(entry, EntryPoint::Eval | EntryPoint::Train) {
        let held = program.loss.is_some_and(|loss| arena.holds(loss));
        require!(held && program.terms.iter().all(holds), "{name} ends without the loss");
        for (_, part) in program.parts() {
            require!(holds(&part.figure), "{name} ends without `{}` of the loss", part.name);
        }
    }
    if entry == EntryPoint::Eval {
        for metric in &program.metrics {
            require!(holds(&metric.figure), "{name} ends without metric `{}`", metric.name);
        }
    }
    if entry == EntryPoint::Fit {
        for fit in program.training.iter().flat_map(|training| &training.fits) {
            let held = arena.holds(fit.values);
            require!(held, "{name} ends without buffer {}", fit.values.0);
        }
    }
    if entry == EntryPoint::Init {
        // A narrow weight has no initial value: only the host writes it.
        let is_float = |id: BufferId| !program.buffers[id.0 as usize].dtype.is_narrow();
        for param in program.params.iter().filter(|param| is_float(param.buffer)) {
            let what = &param.name;
            require!(arena.holds(param.buffer), "{name} ends without parameter `{what}`");
            for state in &param.states {
                let what = What::State(what, &state.name);
                require!(arena.holds(state.buffer), "{name} ends without {what}");
            }
        }
    }
    Ok(())
}

/// Checks the accesses of one step against each other: what it writes is disjoint, and overlaps
/// nothing it reads, but for exact aliases of what it streams.
fn check_overlaps(access: &Access, buffers: &Buffers) -> Result<(), ProgramError> {
    let mut writes = access.writes.clone();
    writes.sort_by_key(|&id| buffers.extent(id).start);
    for pair in writes.windows(2) {
        let apart = !buffers.extent(pair[0]).overlaps(buffers.extent(pair[1]));
        require!(apart, "writes buffers {} and {}, which overlap", pair[0].0, pair[1].0);
    }
    // The writes are disjoint now and in order, so if a read overlaps any, it overlaps the last
    // one that starts before the read ends.
    let overlapped = |read: BufferId| {
        let extent = buffers.extent(read);
        let after = writes.partition_point(|&id| buffers.extent(id).start < extent.end);
        let last = *writes[..after].last()?;
        buffers.extent(last).overlaps(extent).then_some(last)
    };
    for &read in &access.gathers {
        if let Some(write) = overlapped(read) {
            let message = format!("writes buffer {} over {}, which it reads", write.0, read.0);
            return Err(ProgramError::new(message));
        }
    }
    for &read in &access.streams {
        if let Some(write) = overlapped(read) {
            let same = buffers.same(read, write);
            require!(same, "writes buffer {} partly over buffer {}", write.0, read.0);
        }
    }
    Ok(())
}

/// The bytes of the arena that mean something.
struct Arena<'a> {
    buffers: &'a Buffers<'a>,
    /// By the first byte; disjoint.
    live: BTreeMap<u64, Live<'a>>,
}

/// An extent and who last wrote it.
#[derive(Clone, Copy)]
struct Live<'a> {
    end: u64,
    owner: BufferId,
    /// Whether the owner has its value.
    ready: bool,
    /// What the owner is, if it outlives the run.
    held: Option<What<'a>>,
}

impl<'a> Arena<'a> {
    fn new(entry: EntryPoint, buffers: &'a Buffers<'a>, held: &'a [Held<'a>]) -> Self {
        let live = held.iter().map(|&Held { buffer, extent, what }| {
            let ready = what.is_ready(entry);
            let live = Live { end: extent.end, owner: buffer, ready, held: Some(what) };
            (extent.start, live)
        });
        Arena { buffers, live: live.collect() }
    }

    /// Whether all of a buffer is as the buffer, or an exact alias of it, was last written.
    fn holds(&self, id: BufferId) -> bool {
        let live = self.live.get(&self.buffers.extent(id).start);
        live.is_some_and(|live| live.ready && self.buffers.same(live.owner, id))
    }

    /// Why a buffer cannot be read.
    fn reason(&self, id: BufferId) -> String {
        match self.last_overlapped(self.buffers.extent(id)) {
            Some((_, live)) if !self.buffers.same(live.owner, id) => {
                format!("buffer {} lies over", live.owner.0)
            }
            _ => "nothing has written".into(),
        }
    }

    fn last_overlapped(&self, extent: Extent) -> Option<(u64, Live<'a>)> {
        let (&start, &live) = self.live.range(..extent.end).next_back()?;
        (live.end > extent.start).then_some((start, live))
    }

    fn write(&mut self, id: BufferId) -> Result<(), ProgramError> {
        let extent = self.buffers.extent(id);
        let mut held = None;
        while let Some((start, live)) = self.last_overlapped(extent) {
            if let Some(what) = live.held {
                let own = self.buffers.same(live.owner, id);
                require!(own, "writes buffer {} over {what}", id.0);
                require!(what.is_writable(), "writes {what}, which only the host may write");
                held = live.held;
            }
            self.live.remove(&start);
        }
        let live = Live { end: extent.end, owner: id, ready: true, held };
        self.live.insert(extent.start, live);
        Ok(())
    }
}
