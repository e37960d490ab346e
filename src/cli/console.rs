//! The two streams: results on standard output, everything else on standard error. Characters that
//! do not print are escaped here.
//!
//! If nobody reads a stream any more, that is no error and no panic. What cannot be written to
//! standard error is lost.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, Once, PoisonError};

use ::console::Term;
use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use arenet::Diagnostics;
use arenet::internals::runtime::program::text::{escaped_json, escaped_lines};
use serde_json::Value;

use super::args::{Global, MessageFormat};
use super::failure::{Failure, Kind, Message};

/// How this run speaks.
#[derive(Clone, Debug, Default)]
pub struct Console {
    /// Whether progress is told at all.
    pub quiet: bool,
    /// Whether it is told at length.
    pub verbose: bool,
    /// Whether a progress bar may be drawn.
    pub bar: bool,
    /// Whether progress is told on a terminal.
    pub is_terminal: bool,
    json: bool,
}

impl Console {
    /// As the arguments ask; the choice of colours holds for the whole process.
    pub fn new(global: &Global) -> Console {
        match global.color {
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Console {
            quiet: global.quiet,
            verbose: global.verbose,
            bar: !global.no_progress && !global.quiet && io::stderr().is_terminal(),
            is_terminal: io::stderr().is_terminal(),
            json: global.message_format == MessageFormat::Json,
        }
    }

    /// Says something about the progress, unless asked to be quiet.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            say(escaped_lines(&text.to_string()));
        }
    }

    /// Says what is only of interest to who asks for more.
    pub fn detail(&self, text: impl Display) {
        if self.verbose {
            self.note(text);
        }
    }

    /// Prints a failure, if it is to be told.
    pub fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Told(message) if self.json => say(escaped_json(&message.to_json())),
            Failure::Told(message) => say(human(message)),
            Failure::Diagnosed(_, diagnostics) => self.diagnostics(diagnostics),
            Failure::Reported(_) | Failure::Closed => {}
        }
    }

    /// Prints the messages about a text.
    pub fn diagnostics(&self, diagnostics: &Diagnostics) {
        if diagnostics.is_empty() {
            return;
        }
        let color = AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        say(if self.json { diagnostics.to_json() } else { diagnostics.render(color) });
        if !self.json && io::stderr().is_terminal() {
            point_to_explanation(diagnostics);
        }
    }
}

/// Says once in a run where there is more about a message.
fn point_to_explanation(diagnostics: &Diagnostics) {
    static ONCE: Once = Once::new();
    let Some(code) = diagnostics.codes().next() else { return };
    let told = diagnostics.told();
    let is_fixed = told.found.iter().any(|found| found.fixes.iter().any(|fix| fix.is_certain));
    let fix = format!("\nto apply what is certain, run `arenet check --fix {}`", told.file);
    let fix = if is_fixed { &fix } else { "" };
    let faint = Style::new().dimmed();
    ONCE.call_once(|| say(format!("\n{faint}for more, run `arenet explain {code}`{fix}{faint:#}")));
}

/// The columns of the terminal that results are shown on, if they are.
pub fn width() -> Option<usize> {
    Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}

/// What is said while the screen is taken.
static HELD: Mutex<Option<String>> = Mutex::new(None);

/// From now on nothing is said: the screen shows something else.
#[cfg(feature = "live")]
pub fn hold() {
    HELD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
}

/// Says what was held.
#[cfg(feature = "live")]
pub fn release() {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    let _ = write!(anstream::stderr(), "{}", held.unwrap_or_default());
}

fn say(text: impl Display) {
    match &mut *HELD.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(held) => held.push_str(&format!("{text}\n")),
        None => drop(writeln!(anstream::stderr(), "{text}")),
    }
}

fn human(message: &Message) -> String {
    let word = |style: Style, word: &str| format!("{style}{word}{style:#}");
    let (color, name) = match message.kind {
        Kind::Interrupted => (AnsiColor::Yellow, "interrupted:"),
        _ => (AnsiColor::Red, "error:"),
    };
    let mut text =
        format!("{} {}", word(color.on_default().bold(), name), escaped_lines(&message.text));
    if let Some(help) = &message.help {
        let name = word(AnsiColor::Cyan.on_default().bold(), "help:");
        text.push_str(&format!("\n{name} {}", escaped_lines(help)));
    }
    text
}

/// Writes a result to standard output.
pub fn print(text: impl AsRef<str>) -> Result<(), Failure> {
    let text = escaped_lines(text.as_ref());
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(of_stdout)
}

/// Writes a result to standard output, as one line of JSON.
pub fn print_json(value: &Value) -> Result<(), Failure> {
    print(escaped_json(&value.to_string()) + "\n")
}

/// The failure of a write to standard output.
pub fn of_stdout(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::new(Kind::Data, format!("standard output: cannot be written: {error}")),
    }
}
