//! The machine's instruction set as data: what the compiler makes and the runtime runs. It imports
//! nothing but std.
//!
//! A [`Program`] is data: buffers at fixed offsets of one arena, and for each [`EntryPoint`] a
//! [`Routine`], the steps that are run in order. [`verify::verify`] turns it into a [`Verified`]
//! program, the only kind that can be executed.
#![forbid(unsafe_code)]

pub mod codec;
pub mod entry;
mod error;
pub mod expr;
pub mod host;
pub mod ids;
pub mod kernel;
pub mod layout;
pub mod lines;
pub mod listing;
mod names;
pub mod opcode;
mod port;
pub mod rows;
mod scores;
pub mod text;
pub mod traffic;
pub mod train;
pub mod verify;

pub use entry::{EntryPoint, PerEntry};
pub use error::ProgramError;
pub use expr::{Expr, Instr, Load, MAX_CONSTS, MAX_INSTRS, MAX_LOADS, MAX_STORES};
pub use expr::{Spread, Value};
pub use host::{HostInput, HostNumber};
pub use ids::{BufferId, ParamId, StateId, StreamId};
pub use kernel::*;
pub use layout::{Axis, Buffer, DType, LANES, Layout, Rows, SCALE_BYTES, Steps};
pub use layout::{MAX_ARENA, MAX_ELEMENTS, MAX_INT8_ROWS};
pub use opcode::{BinaryFn, Cost, Opcode, UnaryFn};
pub use port::{Column, Domain, Label, MISSING, Missing, Port};
pub use scores::{Scale, Scores};
pub use train::{
    Balance, Batch, Finish, Fit, MAX_EPOCHS, Over, Plateau, Schedule, Split, Statistic, Training,
    Watch, Watched,
};
pub use verify::Verified;

/// A compiled network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The name of the net.
    pub name: String,
    /// The most rows that a run may have; every buffer is planned for them.
    pub batch: u64,
    /// The size of the arena.
    pub arena_bytes: u64,
    /// Every value's place in the arena.
    pub buffers: Vec<Buffer>,
    /// The parameters, in the order of the text.
    pub params: Vec<Param>,
    /// What comes from outside for every run.
    pub inputs: Vec<Port>,
    /// What the loss compares with.
    pub targets: Vec<Port>,
    /// The results of a prediction.
    pub outputs: Vec<Output>,
    /// The numbers the host computes, each in a buffer of its own.
    pub scalars: Vec<(HostNumber, BufferId)>,
    /// The loss of the batch.
    pub loss: Option<BufferId>,
    /// The loss of many batches is the sum of these figures. Without any, it is the mean of the
    /// losses of the batches, each counted by its rows.
    pub terms: Vec<Figure>,
    /// The metrics, of the rows of the batch.
    pub metrics: Vec<Metric>,
    /// What its entry points do.
    pub routines: PerEntry<Routine>,
    /// How to train; `None` for a program that only predicts, and evaluates if it has a loss.
    pub training: Option<Training>,
    /// The statements of instructions that come from another than their step.
    pub lines: Vec<lines::Line>,
}

impl Program {
    /// The parts of the loss among the metrics, with their places.
    pub fn parts(&self) -> impl Iterator<Item = (usize, &Metric)> {
        self.metrics.iter().enumerate().filter(|(_, metric)| metric.subject == Subject::Loss)
    }

    /// What its weights are: of the fewest bytes that any parameter's elements have.
    pub fn precision(&self) -> DType {
        let dtypes = self.params.iter().map(|param| self.buffers[param.buffer.0 as usize].dtype);
        dtypes.min_by_key(|dtype| dtype.bytes()).unwrap_or_default()
    }

    /// The bytes that training keeps beside the arena; 0 where there is none.
    pub fn copy_bytes(&self) -> u64 {
        self.state_bytes().saturating_add(self.best_bytes())
    }

    /// Of those, the bytes of parameters and optimizer states at their last good values.
    pub fn state_bytes(&self) -> u64 {
        self.held_bytes(self.params.iter().flat_map(Param::buffers))
    }

    /// Of those, the bytes of the best parameters.
    pub fn best_bytes(&self) -> u64 {
        let watch = self.training.as_ref().and_then(|training| training.watch);
        match watch.is_some_and(|watch| watch.keeps_best) {
            true => self.held_bytes(self.params.iter().map(|param| param.buffer)),
            false => 0,
        }
    }

    fn held_bytes(&self, held: impl Iterator<Item = BufferId>) -> u64 {
        let bytes =
            held.map(|id| self.buffers[id.0 as usize].bytes(self.batch).unwrap_or(u64::MAX));
        self.training.as_ref().map_or(0, |_| bytes.fold(0, u64::saturating_add))
    }
}

/// A list of steps with the figures of its memory plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routine {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// The most bytes alive at once: no plan can be smaller.
    pub lower_bound: u64,
    /// The bytes this entry's buffers take, all parameters and ports included.
    pub bytes: u64,
}

/// One kernel launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub kernel: Kernel,
    /// The statement of the source it comes from.
    pub origin: Origin,
    /// Floating-point operations for a batch of `Program::batch` rows.
    pub flops: u64,
}

/// A statement of the source text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The name it binds.
    pub name: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its column, from 1.
    pub column: u32,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name, the key in a weight file.
    pub name: String,
    /// Its shape; a weight is [in, out].
    pub shape: Vec<u64>,
    /// Its values.
    pub buffer: BufferId,
    /// What the optimizer keeps of it, in the order of its slots.
    pub states: Vec<State>,
}

/// A state of a parameter, of its shape and layout.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Which it is: `momentum`.
    pub name: String,
    /// Its values.
    pub buffer: BufferId,
}

impl Param {
    /// Its buffer and those of its states.
    pub fn buffers(&self) -> impl Iterator<Item = BufferId> {
        [self.buffer].into_iter().chain(self.states.iter().map(|state| state.buffer))
    }

    /// What a state is called in a checkpoint: `h.w.momentum`.
    pub fn state_name(&self, state: &State) -> String {
        format!("{}.{}", self.name, state.name)
    }
}

/// A result of a prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Elements in one row of data.
    pub width: u64,
    /// Its values.
    pub buffer: BufferId,
    /// What its elements say of a target, if they do.
    pub scores: Option<Scores>,
}

/// A figure shown beside the loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// How it is computed.
    pub figure: Figure,
    /// Whether a larger figure is a better one.
    pub rises: bool,
    /// What it is a figure of.
    pub subject: Subject,
}

/// What a metric is a figure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What an evaluation makes of the rows.
    Rows,
    /// A part of the loss: a step of training gives its values too.
    Loss,
    /// The parameters alone: it is the same whatever the rows.
    Parameters,
}

/// How a figure of many rows is computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its values over the batch.
    pub values: Vec<BufferId>,
    /// What becomes of them.
    pub finish: Finish,
}
