//! The executor: a verified program bound to one arena, walked step by step.
#![expect(unsafe_code, reason = "gives the steps of a verified program its arena")]

mod ahead;
mod bind;
mod check;
pub mod constants;
mod explain;
mod feed;
mod limit;
mod memory;
pub mod narrow;
mod profile;
mod row_map;
mod rows;
pub mod share;
mod shared;
mod stored;
pub mod stretch;
mod team;
mod transfer;
pub mod values;
#[cfg(feature = "watch")]
pub mod watch;

pub use crate::program::EntryPoint;
pub(crate) use ahead::Coming;
pub use check::NonFinite;
pub use explain::Operation;
pub(crate) use feed::{Block, Feed, PortRows, PortValues};
pub use rows::Side;
pub(crate) use stretch::Order;

use self::memory::{Fences, Space, prepared_bytes};
use self::row_map::RowMap;
use self::share::{Share, shares};
use self::team::{ALONE, Crew, Team};
use crate::arena::{Arena, Memory};
use crate::kernel::Prepared;
use crate::kernel::place::Part;
use crate::program::rows::crossing;
use crate::program::text::message;
use crate::program::{BufferId, DType, Layout, PerEntry, Port, Program, Verified};
use crate::random::Draw;
use crate::simd::{Isa, LANES, Simd, Task};
use crate::straight::{self, unroll};
use std::fmt;
use std::sync::Arc;

/// How to run a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The instruction set; by default the best the machine has.
    pub isa: Option<Isa>,
    /// The number of threads, at most 64; by default one for each core.
    pub threads: Option<usize>,
    /// The most bytes that the program may take, with a trainer together with its data and the
    /// copy of the state that it keeps; by default 80% of the machine's memory.
    pub max_memory: Option<u64>,
}

/// Why a program cannot be run, or not with these values.
#[derive(Clone, Debug, PartialEq)]
pub enum RunError {
    /// The arena is over the limit.
    Memory {
        /// The bytes it needs.
        needed: u64,
        /// The bytes it may have.
        limit: u64,
    },
    /// The instruction set is not there.
    Isa(Isa),
    /// The system has no more threads to give.
    Threads,
    /// A value of the wrong size, or outside the domain of its port.
    Value(String),
    /// The program has no such entry point.
    Entry(EntryPoint),
    /// Training, which is in f32, of a program whose weights are not.
    Precision,
}

impl RunError {
    /// Why a program lacks an entry point.
    pub(crate) fn no_entry(program: &Program, entry: EntryPoint) -> RunError {
        match entry {
            EntryPoint::Train if program.loss.is_some() => RunError::Precision,
            entry => RunError::Entry(entry),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Memory { needed, limit } => {
                write!(f, "the program needs {needed} bytes of memory, the limit is {limit}")
            }
            RunError::Threads => f.write_str("the system gives no more threads"),
            RunError::Isa(isa) => write!(f, "this machine has no {}", isa.name()),
            RunError::Value(text) => f.write_str(&message(text)),
            RunError::Entry(EntryPoint::Train | EntryPoint::Update | EntryPoint::Eval) => {
                f.write_str("the net has no `train` section, so it can only predict")
            }
            RunError::Precision => {
                f.write_str("the program cannot be trained: its weights are not of f32")
            }
            RunError::Entry(entry) => write!(f, "the program has no steps for {}", entry.name()),
        }
    }
}

impl std::error::Error for RunError {}

/// A program that is ready to run.
pub struct Executor {
    program: Arc<Verified>,
    arena: Arena,
    /// The bytes of the arena and of the prepared steps, at most.
    held: u64,
    plan: Arc<Plan>,
    isa: Isa,
    team: Option<Team>,
    draw: Draw,
    /// The most rows of a run of each entry; none where the program lacks it.
    most_rows: PerEntry<usize>,
    /// Whether the outputs of a row depend on that row alone.
    by_rows: bool,
}

/// The prepared steps: for each entry and thread.
pub(crate) struct Plan {
    steps: PerEntry<Vec<Vec<Launch>>>,
    /// The entries that are little work, written out for the full batch.
    straight: PerEntry<Option<Vec<straight::Op>>>,
    /// The full batch.
    batch: usize,
    /// The instruction set in use.
    walker: Box<dyn Walk>,
}

/// A prepared step and who runs it.
struct Launch {
    step: Prepared,
    share: Share,
}

/// One run of one entry.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) entry: EntryPoint,
    pub(crate) rows: usize,
    pub(crate) draw: Draw,
}

impl Executor {
    /// Allocates the arena and binds the program; parameters are still zero.
    ///
    /// # Errors
    /// An instruction set the machine lacks, or an arena over the limit.
    pub fn new(program: Arc<Verified>, options: Options) -> Result<Executor, RunError> {
        let (threads, cores) = options.threads();
        let (executor, ..) = Executor::bind(program, options, threads, 0, Arena::new)?;
        executor.start(threads, cores)
    }

    /// Starts the threads beside the caller's, if there is work for them.
    fn start(mut self, threads: usize, cores: usize) -> Result<Executor, RunError> {
        if EntryPoint::ALL.iter().any(|&entry| self.plan.is_shared(entry)) {
            let team = Team::new(threads, cores, &self.arena, self.plan.clone());
            self.team = Some(team.ok_or(RunError::Threads)?);
        }
        Ok(self)
    }

    /// Binds a program for threads that are still to be started, with fences of so many floats, in
    /// the arena that `arena` gives for so many bytes.
    fn bind(
        program: Arc<Verified>,
        options: Options,
        threads: usize,
        fence: usize,
        arena: impl FnOnce(usize) -> Option<Arena>,
    ) -> Result<(Executor, Space, Vec<Fences>), RunError> {
        let isa = options.isa.unwrap_or_else(Isa::detect);
        if !isa.is_supported() {
            return Err(RunError::Isa(isa));
        }
        let source = program.program();
        let shares = PerEntry::new(|entry| shares(source, entry, threads));
        let limit = options.limit();
        let prepared = prepared_bytes(source, &shares, threads);
        let within = |needed: u64| match needed <= limit {
            true => Ok(()),
            false => Err(RunError::Memory { needed, limit }),
        };
        within(prepared)?;
        let mut space = Space::new(source, &shares, threads, fence);
        let bytes = space.floats.saturating_mul(4);
        let needed = prepared.saturating_add(bytes);
        within(needed)?;
        let mut arena = arena(bytes as usize).ok_or(RunError::Memory { needed, limit })?;
        let mut steps: PerEntry<Vec<Vec<Launch>>> = PerEntry::default();
        let mut fences = Vec::new();
        for thread in 0..threads {
            let scratch = space.scratch(thread).start;
            let (launches, between, _) = space.bind(source, &shares, scratch, thread);
            steps.iter_mut().zip(launches).for_each(|(steps, own)| steps.push(own));
            fences.push(between);
        }
        for (i, constant) in space.constants.values().iter().enumerate() {
            let at = space.constants_at + i * LANES;
            arena.floats_mut(at, at + LANES).fill(*constant);
        }
        let batch = source.batch as usize;
        let zeros = space.constants_at as u32; // the first constant
        // Straight-line code is one thread's, and its offsets have 32 bits. A list that grows holds
        // twice what it had; the entries share what memory is left.
        let most = (limit - needed) / 4 / straight::MOST_BYTES;
        let straight = PerEntry::new(|entry| {
            let threads = &steps[entry];
            let alone = threads[0].iter().all(|launch| launch.share.threads == 1);
            let steps = threads[0].iter().map(|launch| &launch.step);
            let fits = alone && space.floats <= u64::from(u32::MAX);
            fits.then(|| unroll(steps, batch, zeros, most as usize)).flatten()
        });
        let ops = straight.iter().flatten().map(straight::bytes);
        let held = needed.saturating_add(ops.sum());
        let plan = Plan { steps, straight, batch, walker: isa.dispatch(MakeWalker) };
        let plan = Arc::new(plan);
        let seed = source.training.as_ref().map_or(0, |training| training.seed);
        let draw = Draw { seed, step: 0, row: 0 };
        let most_rows = PerEntry::new(|entry| if entry.runs(source) { batch } else { 0 });
        let (team, by_rows) = (None, crossing(source).is_none());
        let executor = Executor { program, arena, held, plan, isa, team, draw, most_rows, by_rows };
        Ok((executor, space, fences))
    }

    /// The program being run.
    pub fn program(&self) -> &Program {
        self.program.program()
    }

    /// The program as it was verified.
    pub(crate) fn verified(&self) -> &Arc<Verified> {
        &self.program
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The size of the arena with constants and scratch, in bytes.
    pub fn arena_bytes(&self) -> usize {
        self.arena.floats_len() * 4
    }

    /// What it counts against the limit of memory: the arena and the prepared steps, in bytes.
    pub fn held_bytes(&self) -> u64 {
        self.held
    }

    /// The seed of all random values.
    pub fn set_seed(&mut self, seed: u64) {
        self.draw.seed = seed;
    }

    /// What the random values of [`EntryPoint::Train`] depend on: the optimizer steps done, and the
    /// rows of the step that came before in other batches.
    #[inline]
    pub fn set_step(&mut self, step: u64, row: u64) {
        (self.draw.step, self.draw.row) = (step, row);
    }

    /// What the random values of an entry follow from; initial values are those of no step.
    fn draw_of(&self, entry: EntryPoint) -> Draw {
        match entry {
            EntryPoint::Train => self.draw,
            _ => Draw { step: 0, row: 0, ..self.draw },
        }
    }

    /// Runs an entry over the first `rows` rows of the ports.
    ///
    /// # Errors
    /// More rows than the program is planned for, none, or an entry point the program lacks.
    #[inline]
    pub fn run(&mut self, entry: EntryPoint, rows: usize) -> Result<(), RunError> {
        self.check_run(entry, rows)?;
        let draw = self.draw_of(entry);
        match self.plan.straight(entry, rows) {
            // SAFETY: the arena is borrowed mutably until the run ends, its plan was bound for it
            // from a verified program, and `rows` has been checked against the plan's batch.
            Some(ops) => unsafe {
                self.plan.walker.straight(ops, rows, draw, Memory::new(&self.arena));
            },
            None => self.run_steps(Run { entry, rows, draw }),
        }
        Ok(())
    }

    /// Runs the steps of an entry, over rows that have been checked.
    fn run_steps(&mut self, run: Run) {
        match &self.team {
            Some(team) if self.plan.is_shared(run.entry) => team.run(run),
            // SAFETY: as in `run`.
            _ => unsafe { self.plan.walk(run, Memory::new(&self.arena), 0, &ALONE) },
        }
    }

    /// One comparison, as a step may take no longer than fifty nanoseconds.
    #[inline(always)]
    fn check_run(&self, entry: EntryPoint, rows: usize) -> Result<(), RunError> {
        match rows.wrapping_sub(1) < self.most_rows[entry] {
            true => Ok(()),
            false => Err(self.refusal(entry, rows)),
        }
    }

    /// Why a run of so many rows cannot be.
    #[cold]
    fn refusal(&self, entry: EntryPoint, rows: usize) -> RunError {
        let batch = self.program.program().batch;
        match self.most_rows[entry] {
            0 => RunError::no_entry(self.program.program(), entry),
            _ => RunError::Value(format!("a run takes 1 to {batch} rows, not {rows}")),
        }
    }

    fn buffer(&self, id: BufferId) -> (usize, Layout) {
        let buffer = &self.program.program().buffers[id.0 as usize];
        (buffer.offset as usize / 4, buffer.layout)
    }

    /// Copies rows of data into a port, from its row `first` on.
    ///
    /// # Errors
    /// More rows than planned for, or values that do not fill whole rows.
    pub fn write_floats(
        &mut self,
        port: &Port,
        first: usize,
        data: &[f32],
    ) -> Result<(), RunError> {
        self.check_port(port, DType::F32, first, data.len())?;
        self.copy_rows(port, first, data, |&value| value);
        Ok(())
    }

    /// Copies whole rows of data that fit into a port.
    fn copy_rows<T>(&mut self, port: &Port, first: usize, data: &[T], float: impl Fn(&T) -> f32) {
        let place = RowMap::of(self.program.program(), port.buffer);
        let width = port.width as usize;
        let (start, end) = place.extent(first + data.len() / width);
        let view = self.arena.floats_mut(start, end);
        for (index, value) in (first * width..).zip(data) {
            place.put_one(view, index, float(value));
        }
    }

    /// Copies classes into a port, from its row `first` on: the numbers of its domain, such as 1 to
    /// 3 of 1..4, and of names the positions.
    ///
    /// # Errors
    /// More rows than planned for, or a class outside the port's domain.
    pub fn write_indices(
        &mut self,
        port: &Port,
        first: usize,
        data: &[i32],
    ) -> Result<(), RunError> {
        self.check_port(port, DType::I32, first, data.len())?;
        feed::check_classes(port, data)?;
        self.copy_rows(port, first, data, |&class| feed::stored_class(class, port));
        Ok(())
    }

    fn check_port(
        &self,
        port: &Port,
        dtype: DType,
        first: usize,
        len: usize,
    ) -> Result<(), RunError> {
        let program = self.program.program();
        let own = program.inputs.iter().chain(&program.targets).any(|own| own == port);
        let width = port.width as usize;
        let rows = len.div_ceil(width.max(1));
        let fits = (first as u64).checked_add(rows as u64).is_some_and(|end| end <= program.batch);
        let message = if !own {
            format!("`{}` is a port of another program", port.name)
        } else if program.buffers[port.buffer.0 as usize].dtype != dtype {
            format!("`{}` does not hold {dtype:?}", port.name)
        } else if !len.is_multiple_of(width) {
            format!("`{}` takes {width} values a row, {len} are not whole rows", port.name)
        } else if !fits {
            format!("`{}` is planned for {} rows", port.name, program.batch)
        } else {
            return Ok(());
        };
        Err(RunError::Value(message))
    }

    /// A scalar that the program computed, such as the loss.
    #[inline]
    pub fn scalar(&self, id: BufferId) -> f32 {
        let (offset, _) = self.buffer(id);
        self.arena.floats(offset, offset + 1)[0]
    }

    /// Sets the `index`-th of the program's scalars.
    #[inline]
    pub fn set_scalar(&mut self, index: usize, value: f32) {
        let (_, id) = self.program.program().scalars[index];
        let (offset, _) = self.buffer(id);
        self.arena.floats_mut(offset, offset + LANES).fill(value);
    }
}

impl Plan {
    /// Whether any step of an entry is shared between threads.
    fn is_shared(&self, entry: EntryPoint) -> bool {
        self.steps[entry][0].iter().any(|launch| launch.share.threads > 1)
    }

    /// Walks the steps of an entry as thread `index` of the crew.
    ///
    /// # Safety
    /// `memory` is that of the arena the plan is bound for, no one but the crew touches it, and the
    /// run's rows are within the program's batch.
    pub(crate) unsafe fn walk(&self, run: Run, memory: Memory, index: usize, crew: &Crew) {
        let launches = &self.steps[run.entry][index];
        // SAFETY: the contract is this function's.
        unsafe { self.walker.walk(launches, run, memory, index, crew) };
    }

    /// The straight-line code of an entry, if it has some for so many rows.
    #[inline(always)]
    fn straight(&self, entry: EntryPoint, rows: usize) -> Option<&[straight::Op]> {
        self.straight[entry].as_deref().filter(|_| rows == self.batch)
    }
}

/// Runs the steps of an entry by the instruction set that implements it.
///
/// # Safety
/// Of its functions: the steps are bound for this memory from a verified program, no one but the
/// crew touches it, and the run's rows are within the program's batch.
trait Walk: Send + Sync {
    /// As straight-line code.
    unsafe fn straight(&self, ops: &[straight::Op], rows: usize, draw: Draw, memory: Memory);

    /// Step by step, as thread `index` of the crew.
    unsafe fn walk(&self, launches: &[Launch], run: Run, memory: Memory, index: usize, crew: &Crew);
}

impl<S: Simd> Walk for S {
    unsafe fn straight(&self, ops: &[straight::Op], rows: usize, draw: Draw, memory: Memory) {
        // SAFETY: the contract is this function's.
        unsafe { straight::run(*self, ops, memory, rows, draw) };
    }

    unsafe fn walk(
        &self,
        launches: &[Launch],
        run: Run,
        memory: Memory,
        index: usize,
        crew: &Crew,
    ) {
        for launch in launches {
            if launch.share.barrier {
                crew.wait();
            }
            if index < launch.share.threads {
                let part = Part { index, of: launch.share.threads };
                // SAFETY: the contract is this function's.
                unsafe { launch.step.run(*self, memory, run.rows, part, run.draw) };
            }
        }
    }
}

/// The instruction set it is dispatched to, so that no run has to look again.
struct MakeWalker;

impl Task for MakeWalker {
    type Output = Box<dyn Walk>;

    fn run<S: Simd>(self, s: S) -> Box<dyn Walk> {
        Box::new(s)
    }
}
