//! The window of a run: what the training tells it, and the thread that draws it and reads keys.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arenet::EpochReport;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use super::About;
use super::screen::{self, Screen};
use super::view::{Choice, draw, plot};
use crate::failure::{Failure, Kind};
use crate::signals;

/// The time between two drawings.
const TICK: Duration = Duration::from_millis(100);
/// The most epochs that are kept, more than a screen has dots.
const MOST_EPOCHS: usize = 1000;

/// What is shown.
pub struct Shown {
    pub about: About,
    pub start: Instant,
    /// Epochs at equal distances, and the last one.
    pub epochs: Vec<EpochReport>,
    pub last: Option<EpochReport>,
    pub best: Option<EpochReport>,
    /// Only so many epochs are kept once, a power of two.
    every: u64,
}

impl Shown {
    /// Of a run that begins.
    pub fn new(about: About) -> Shown {
        let (start, epochs) = (Instant::now(), Vec::new());
        Shown { about, start, epochs, last: None, best: None, every: 1 }
    }

    /// Takes an epoch down.
    pub fn add(&mut self, report: &EpochReport) {
        let figure = |report: &EpochReport| report.valid_loss.unwrap_or(report.loss);
        if self.best.as_ref().is_none_or(|best| figure(report) < figure(best)) {
            self.best = Some(report.clone());
        }
        if report.epoch.is_multiple_of(self.every) || self.epochs.is_empty() {
            self.epochs.push(report.clone());
        }
        if self.epochs.len() > MOST_EPOCHS {
            self.every *= 2;
            let every = self.every;
            self.epochs.retain(|report| report.epoch.is_multiple_of(every));
        }
        self.last = Some(report.clone());
    }
}

/// A run in full screen.
pub struct Live {
    shown: Arc<Mutex<Shown>>,
    /// The batches done.
    position: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Whether there is a terminal to take.
    pub fn check() -> Result<(), Failure> {
        if io::stderr().is_terminal() {
            return Ok(());
        }
        let failure = Failure::usage("--live: standard error is no terminal");
        Err(failure.help(
            "leave --live out; --log-dir lets TensorBoard follow the run, and --report draws its \
             curves at the end",
        ))
    }

    /// Takes the terminal.
    pub fn start(about: About) -> Result<Live, Failure> {
        let taken = screen::enter().map_err(|error| {
            Failure::new(Kind::Data, format!("--live: the terminal cannot be taken: {error}"))
        })?;
        let shown = Arc::new(Mutex::new(Shown::new(about)));
        let (position, is_over) = <(Arc<AtomicU64>, Arc<AtomicBool>)>::default();
        let of_thread = (shown.clone(), position.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            let (shown, position, is_over) = of_thread;
            // Without a window the training goes on.
            let _ = show(taken, &shown, &position, &is_over);
        });
        Ok(Live { shown, position, is_over, thread: Some(thread) })
    }

    /// A batch is done, of so many in all.
    pub fn step(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
    }

    /// An epoch is done.
    pub fn epoch(&self, report: &EpochReport) {
        let mut shown = locked(&self.shown);
        self.step(report.epoch * shown.about.batches_per_epoch);
        shown.add(report);
    }

    /// Gives the terminal back, and returns the curve of the loss as text.
    pub fn finish(&mut self) -> String {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
        screen::leave();
        plot(&locked(&self.shown))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.finish();
    }
}

fn locked(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Draws until the run is over.
fn show(
    mut taken: Screen,
    shown: &Mutex<Shown>,
    position: &AtomicU64,
    is_over: &AtomicBool,
) -> io::Result<()> {
    let mut choice = Choice::default();
    while !is_over.load(Ordering::Relaxed) {
        let on = screen::is_on();
        if !*on {
            return Ok(());
        }
        choice.is_stopping = signals::is_interrupted();
        let position = position.load(Ordering::Relaxed);
        taken.draw(|frame| draw(frame, &locked(shown), position, &choice))?;
        drop(on);
        let until = Instant::now() + TICK;
        while !is_over.load(Ordering::Relaxed)
            && event::poll(until.saturating_duration_since(Instant::now()))?
        {
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
            {
                let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
                match key.code {
                    KeyCode::Char('c') if with_control => signals::interrupt(),
                    KeyCode::Char('q') => signals::interrupt(),
                    KeyCode::Char('l') => choice.is_linear ^= true,
                    KeyCode::Tab | KeyCode::Right => choice.first += 1,
                    _ => {}
                }
            }
        }
    }
    Ok(())
}
