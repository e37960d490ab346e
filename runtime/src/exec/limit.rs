//! What the options of a run mean: its threads, and the limit of memory, against which everything
//! counts that grows with the program or the data.

use super::{Executor, Options, RunError};
use crate::limits::memory_limit;
use crate::program::Verified;
use std::sync::Arc;

const MAX_THREADS: usize = 64;

impl Options {
    /// The threads of a run, and the cores of the machine.
    pub(super) fn threads(&self) -> (usize, usize) {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        (self.threads.map_or(cores, |threads| threads.clamp(1, MAX_THREADS)), cores)
    }

    /// The most bytes that may be held.
    pub(crate) fn limit(&self) -> u64 {
        self.max_memory.unwrap_or_else(memory_limit)
    }
}

impl Executor {
    /// An executor that, together with `held` bytes beside it, stays within the limit.
    pub(crate) fn beside(
        held: u64,
        program: Arc<Verified>,
        options: Options,
    ) -> Result<Executor, RunError> {
        let limit = options.limit();
        let max_memory = Some(limit.saturating_sub(held));
        Executor::new(program, Options { max_memory, ..options }).map_err(|error| match error {
            RunError::Memory { needed, .. } => {
                RunError::Memory { needed: needed.saturating_add(held), limit }
            }
            error => error,
        })
    }
}
