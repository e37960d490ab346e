//! Errors in a user's data: what is wrong, and where.

use std::fmt;
use std::io;
use std::path::Path;

use super::choice::{Choice, Words};
use crate::program::text::{self, escaped};
pub(crate) use crate::program::text::{quoted, shown};

/// Bad data: which file, where in it, what is wrong, and what may help.
///
/// It prints on one line, as `iris.csv:7: column 2 (petal_length): "abc" is not a number`; the
/// alternate form `{:#}` adds the help on a second line. Control characters are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The file, or what stands for it, such as `standard input`.
    pub path: String,
    /// The line of the file, from 1.
    pub line: Option<u64>,
    /// The place of the field in its row, from 0, as in a choice of columns.
    pub column: Option<u32>,
    /// What the column is called in the header, or in the model where there is no header.
    pub column_name: Option<Box<str>>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether the only problem is the limit of memory.
    pub over_limit: bool,
}

impl DataError {
    /// An error about the file as a whole.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> DataError {
        DataError {
            path: path.into(),
            line: None,
            column: None,
            column_name: None,
            message: message.into(),
            help: None,
            over_limit: false,
        }
    }

    /// The same error with a help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> DataError {
        self.help = Some(help.into());
        self
    }

    /// The same error, at a line.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> DataError {
        self.line = Some(line);
        self
    }

    pub(crate) fn io(path: &str, error: &io::Error) -> DataError {
        let help = match error.kind() {
            io::ErrorKind::NotFound => beside(path),
            io::ErrorKind::IsADirectory => Some("name a file in it".to_string()),
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof => Some(DAMAGED.to_string()),
            io::ErrorKind::Unsupported => Some("unpack it".to_string()),
            // The system says what is in the way.
            _ => None,
        };
        DataError { help, ..DataError::new(path, format!("cannot be read: {error}")) }
    }

    pub(crate) fn over_limit(path: &str, max_bytes: u64, words: Words) -> DataError {
        let message = format!("needs more memory than the limit of {max_bytes} bytes");
        let help = format!("{} raises the limit; fewer rows take less", words(Choice::MaxMemory));
        DataError { over_limit: true, ..DataError::new(path, message).with_help(help) }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", escaped(&self.path))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": ")?;
        match (self.column, &self.column_name) {
            (Some(column), Some(name)) => write!(f, "column {column} ({}): ", escaped(name))?,
            (Some(column), None) => write!(f, "column {column}: ")?,
            (None, _) => {}
        }
        f.write_str(&escaped(&self.message))?;
        match &self.help {
            Some(help) if f.alternate() => write!(f, "\nhelp: {}", escaped(help)),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for DataError {}

/// The way out of a file whose bytes are not what they should be.
pub(super) const DAMAGED: &str = "the file is cut off or damaged: copy it or save it again";

/// A file in the same folder, of the same kind, whose name is like that of a path where there is
/// none.
fn beside(path: &str) -> Option<String> {
    let path = Path::new(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = folder.unwrap_or(Path::new(".")).read_dir().ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let same_kind = |name: &String| Path::new(name).extension() == path.extension();
    let names: Vec<String> = names.filter(same_kind).collect();
    did_you_mean(path.file_name()?.to_str()?, names.iter().map(String::as_str))
}

/// An error without its place: what is wrong with one field, or with the columns as a whole, and
/// what to do about it.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub message: String,
    pub help: String,
}

impl Complaint {
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Complaint {
        Complaint { message: message.into(), help: help.into() }
    }

    pub fn in_file(self, path: &str) -> DataError {
        DataError::new(path, self.message).with_help(self.help)
    }
}

/// A number of things.
pub(super) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}

/// Proposes the candidate that `word` is most likely a misspelling of, or lists the first of them;
/// `what` they are together.
pub(super) fn meant_or_listed<'a>(
    word: &str,
    what: &str,
    candidates: impl Iterator<Item = &'a str> + Clone,
) -> String {
    did_you_mean(word, candidates.clone()).unwrap_or_else(|| listed(what, candidates))
}

/// The first of several names; `what` they are together.
pub(super) fn listed<'a>(what: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    const SHOWN: usize = 10;
    let more = names.clone().skip(SHOWN).count();
    let first: Vec<String> = names.take(SHOWN).map(shown).collect();
    let first = first.join(", ");
    if more > 0 {
        format!("{what} are {first} and {more} more")
    } else {
        format!("{what} are {first}")
    }
}

/// Proposes the candidate that `word` is most likely a misspelling of.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|meant| format!("did you mean {}?", quoted(meant)))
}

/// The candidate that `word` is most likely a misspelling of.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    text::nearest(word, candidates, strsim::osa_distance)
}
