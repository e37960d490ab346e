//! What the options of a run mean: its threads, and the limit of memory, against which everything
//! counts that grows with the program or the data.

use super::{Executor, Options, RunError};
use crate::limits::memory_limit;
use crate::program::Verified;
use std::sync::Arc;

impl Options {
    /// The threads of a run, and the cores of the machine.
    pub(super) fn threads(&self) -> (usize, usize) {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        (if self.threads == 0 { cores } else { self.threads.min(64) }, cores)
    }

    /// The most bytes that may be held.
    pub(crate) fn limit(&self) -> u64 {
        match self.max_memory {
            0 => memory_limit(),
            limit => limit,
        }
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
        let max_memory = limit.saturating_sub(held).max(1);
        Executor::new(program, Options { max_memory, ..options }).map_err(|error| match error {
            RunError::Memory { needed, .. } => {
                RunError::Memory { needed: needed.saturating_add(held), limit }
            }
            error => error,
        })
    }
}
