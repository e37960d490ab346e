//! What tells a run from outside to stop: Ctrl-C, and the clock by which checkpoints are due.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::failure::{Failure, Kind};

/// Set by the first Ctrl-C; the training ends at its next step.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Set when it is time for a checkpoint; it is written after the next step.
static CHECKPOINT_DUE: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C stops the training, and `wake` is called; a second one stops the
/// process.
pub fn listen(wake: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let handler = move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Kind::Interrupted as u8));
        }
        wake();
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Failure::new(Kind::Data, format!("Ctrl-C cannot be caught: {error}")))
}

/// Whether the training has been interrupted.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// From now on a checkpoint is due after so long again and again; each time `wake` is called.
pub fn remind(every: Duration, wake: impl Fn() + Send + 'static) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(every);
            CHECKPOINT_DUE.store(true, Ordering::Relaxed);
            wake();
        }
    });
}

/// Whether a checkpoint is due.
pub fn is_checkpoint_due() -> bool {
    CHECKPOINT_DUE.load(Ordering::Relaxed)
}

/// Whether a checkpoint is due, of which it will not be told again.
pub fn take_checkpoint_due() -> bool {
    CHECKPOINT_DUE.swap(false, Ordering::Relaxed)
}
