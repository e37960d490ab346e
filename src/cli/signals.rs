//! What tells a run from outside to stop: Ctrl-C, and the clock by which checkpoints are due.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::failure::{Failure, Kind};

/// Set by the first Ctrl-C; the training ends at its next step.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Set when it is time for a checkpoint; it is written after the next step.
static CHECKPOINT_DUE: AtomicBool = AtomicBool::new(false);

/// What is done before a second Ctrl-C ends the process.
static BEFORE_EXIT: OnceLock<fn()> = OnceLock::new();

/// What is to be done before a second Ctrl-C ends the process, if nothing else is.
#[cfg(feature = "live")]
pub fn before_exit(work: fn()) {
    let _ = BEFORE_EXIT.set(work);
}

/// Ctrl-C, however it was typed or sent: the training ends at its next step, and the second time
/// the process does.
pub fn interrupt() {
    if INTERRUPTED.swap(true, Ordering::Relaxed) {
        if let Some(work) = BEFORE_EXIT.get() {
            work();
        }
        std::process::exit(i32::from(Kind::Interrupted as u8));
    }
}

/// From now on the first Ctrl-C stops the training, and `wake` is called; a second one stops the
/// process.
pub fn listen(wake: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let handler = move || {
        interrupt();
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
