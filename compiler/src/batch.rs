//! The rows that a program is planned for, and how a full batch fits the memory.

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::Model;
use crate::{Compiled, Options, Purpose};
use arenet_program::{Batch, Training};

/// The rows a program is planned for where nothing says how many.
pub const DEFAULT_BATCH: u64 = 256;

/// What a step of training is computed in.
#[derive(Clone, Copy)]
pub struct Step {
    /// The rows that the program is planned for.
    pub rows: u64,
    /// The batch and the batches of a step, where they are not those of the text.
    pub training: Option<(Batch, u64)>,
}

/// The rows of a piece of a full batch, the first of these that fits.
const PIECES: [u64; 7] = [4096, 1024, 256, 64, 16, 4, 1];

/// The most bytes beside parameters and states that a full batch takes in one piece.
const MOST_AT_ONCE: u64 = 1 << 30;

/// The choices of what a step is computed in: the first that fits, or else the last.
pub fn steps(model: &Model, options: &Options) -> Result<Vec<Step>, Diagnostic> {
    let training = model.training.as_ref().filter(|_| options.purpose >= Purpose::Train);
    let rows = match (options.batch, training.map(|training| training.batch)) {
        (Some(0), _) => {
            let message = "a program is for batches of at least 1 row";
            return Err(Diagnostic::error(Code::BadValue, Span::default(), message));
        }
        (Some(rows), _) | (None, Some(Batch::Rows(rows))) => rows,
        (None, Some(Batch::Full) | None) => DEFAULT_BATCH,
    };
    if !options.full || training.is_none() {
        let training = training.filter(|_| options.batch.is_some());
        let training = training.map(|training| (Batch::Rows(rows), training.accumulate));
        return Ok(vec![Step { rows, training }]);
    }
    let most = options.batch.unwrap_or(u64::MAX);
    let whole = options.batch.map(|rows| Step { rows, training: Some((Batch::Rows(rows), 1)) });
    let piece = |rows| Step { rows, training: Some((Batch::Full, Training::ALL_BATCHES)) };
    let pieces = PIECES.into_iter().filter(|&rows| rows < most).map(piece);
    Ok(whole.into_iter().chain(pieces).collect())
}

/// Whether all rows of a full batch, or of a piece, are computed at once.
pub fn fits(compiled: &Compiled) -> bool {
    let program = &compiled.program;
    let beside = program.arena_bytes.saturating_sub(program.copy_bytes());
    compiled.model.memory_limit.is_some() || beside <= MOST_AT_ONCE
}
