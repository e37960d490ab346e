//! The terminal in full screen, and as it was before: at the end, after a panic, and before the
//! process ends by a signal.

use std::io::{self, Stderr};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use crate::{console, signals};

/// Progress is told on standard error, and so is this.
pub type Screen = Terminal<CrosstermBackend<Stderr>>;

/// Whether the terminal is in full screen; whoever draws holds it, so that nothing is drawn later.
static IS_ON: Mutex<bool> = Mutex::new(false);

/// Whether the terminal is in full screen, which it remains while this is held.
pub fn is_on() -> MutexGuard<'static, bool> {
    IS_ON.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the terminal. What is said from now on is said at the end.
pub fn enter() -> io::Result<Screen> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        signals::before_exit(leave);
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            leave();
            told(info);
        }));
    });
    let mut on = is_on();
    enable_raw_mode()?;
    *on = true;
    console::hold();
    drop(on);
    let screen = execute!(io::stderr(), EnterAlternateScreen)
        .and_then(|()| Terminal::new(CrosstermBackend::new(io::stderr())));
    screen.inspect_err(|_| leave())
}

/// Gives the terminal back, if it was taken.
pub fn leave() {
    // A panic may come from a thread that draws, and so holds the screen.
    let Some(mut on) = IS_ON.try_lock().map_or_else(of_waiting, Some) else { return restore() };
    if std::mem::take(&mut *on) {
        restore();
    }
}

fn of_waiting(
    error: std::sync::TryLockError<MutexGuard<'static, bool>>,
) -> Option<MutexGuard<'static, bool>> {
    match error {
        std::sync::TryLockError::Poisoned(guard) => Some(guard.into_inner()),
        std::sync::TryLockError::WouldBlock if std::thread::panicking() => None,
        std::sync::TryLockError::WouldBlock => Some(is_on()),
    }
}

fn restore() {
    let _ = disable_raw_mode();
    let _ = execute!(io::stderr(), LeaveAlternateScreen, Show);
    console::release();
}
