//! How a command fails: what it says, and the code it exits with.

use arenet::internals::Cause;
use arenet::internals::runtime::data::DataError;
use arenet::internals::runtime::exec::RunError;
use arenet::internals::runtime::files::WriteError;
use arenet::internals::runtime::train::TrainError;
use serde_json::json;

/// What went wrong, by whom it can be put right; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The model.
    Model = 1,
    /// The command line.
    Usage = 2,
    /// Data, weights, or another file that is read or written.
    Data = 3,
    /// The training went to infinity.
    Diverged = 4,
    /// A limit, of the model or of the machine.
    Limit = 5,
    /// Somebody stopped it.
    Interrupted = 130,
}

/// Why a command ends before its work is done.
#[derive(Debug)]
pub enum Failure {
    /// One message.
    Told(Box<Message>),
    /// The diagnostics of the model, which have been printed.
    Diagnosed(Kind),
    /// Nobody reads standard output any more, which is no error.
    Closed,
}

/// What the user is told.
#[derive(Debug)]
pub struct Message {
    /// Who can put it right.
    pub kind: Kind,
    /// One plain sentence, with the file it is about in front.
    pub text: String,
    /// The way out.
    pub help: Option<String>,
    /// The line and the column of a data file, where they are known.
    pub place: (Option<u64>, Option<u32>),
}

impl Kind {
    /// The name in the JSON form of a message.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Usage => "usage",
            Kind::Data => "data",
            Kind::Diverged => "diverged",
            Kind::Limit => "limit",
            Kind::Interrupted => "interrupted",
        }
    }
}

impl Failure {
    /// A failure with a message.
    pub fn new(kind: Kind, text: impl Into<String>) -> Failure {
        let text = text.into();
        Failure::Told(Box::new(Message { kind, text, help: None, place: (None, None) }))
    }

    /// A mistake on the command line.
    pub fn usage(text: impl Into<String>) -> Failure {
        Failure::new(Kind::Usage, text)
    }

    /// The same failure with a way out.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        if let Failure::Told(message) = &mut self {
            message.help = Some(help.into());
        }
        self
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Told(message) => message.kind as u8,
            Failure::Diagnosed(kind) => *kind as u8,
            Failure::Closed => 0,
        }
    }
}

impl Message {
    /// One line of JSON.
    pub fn to_json(&self) -> String {
        let (line, column) = self.place;
        json!({
            "code": self.kind.name(),
            "severity": "error",
            "message": self.text,
            "line": line,
            "column": column,
            "help": self.help,
        })
        .to_string()
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Failure {
        match cause {
            Cause::Text(_) => Failure::Diagnosed(Kind::Model),
            Cause::Program(path, error) => {
                let failure = Failure::new(Kind::Model, format!("{path}: {error}"));
                match error.help {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            }
            Cause::File { over_limit: true, message } => Failure::new(Kind::Limit, message),
            Cause::File { over_limit: false, message } => Failure::new(Kind::Model, message),
            Cause::Data(error) => error.into(),
            Cause::Run(error) => error.into(),
            Cause::Usage(text) => Failure::usage(text),
            Cause::Diverged(divergence) => TrainError::Diverged(divergence).into(),
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        let place = (error.line, error.column);
        let text = error.to_string();
        let kind = if error.over_limit { Kind::Limit } else { Kind::Data };
        Failure::Told(Box::new(Message { kind, text, help: error.help, place }))
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        Failure::new(Kind::Data, error.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        let text = error.to_string();
        match error {
            RunError::Memory { .. } => Failure::new(Kind::Limit, text)
                .help("a smaller --batch takes less; --max-memory raises the limit"),
            RunError::Threads => {
                Failure::new(Kind::Limit, text).help("--threads 1 needs none but its own")
            }
            RunError::Isa(_) => {
                Failure::usage(text).help("`arenet cpu` lists what this machine has")
            }
            RunError::Value(_) => Failure::new(Kind::Data, text),
            RunError::Entry(_) | RunError::Precision => Failure::new(Kind::Model, text),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Failure {
        match error {
            TrainError::Run(error) => error.into(),
            TrainError::Data(error) => error.into(),
            TrainError::Settings(text) => Failure::usage(text),
            TrainError::Diverged(divergence) => {
                Failure::new(Kind::Diverged, divergence.to_string())
            }
        }
    }
}
