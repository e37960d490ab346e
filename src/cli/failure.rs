//! How a command fails: what it says, and the code it exits with.

use arenet::internals::runtime::data::{Choice, DataError};
use arenet::internals::runtime::exec::RunError;
use arenet::internals::runtime::files::WriteError;
use arenet::{Diagnostics, Error, ErrorKind};
use serde_json::json;

/// What went wrong, by whom it can be put right; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// The messages about the text of the model.
    Diagnosed(Kind, Diagnostics),
    /// Failures that have been told, the worst of which is of this kind.
    Reported(Kind),
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

    /// A model that only predicts, and what is asked of it: ", so no gradients".
    pub fn without_train(model: &str, asked: &str) -> Failure {
        Failure::new(Kind::Model, format!("{model}: has no `train` section{asked}")).help(
            "write one beside `net`: `train { target t: [N, 1]  loss = mse(y, t)  optimizer = adam \
             }`",
        )
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

    /// What it says, without colours.
    pub fn text(&self) -> String {
        match self {
            Failure::Told(message) => match &message.help {
                Some(help) => format!("{}\nhelp: {help}", message.text),
                None => message.text.clone(),
            },
            Failure::Diagnosed(_, diagnostics) => diagnostics.render(false),
            Failure::Reported(_) | Failure::Closed => String::new(),
        }
    }

    /// Who can put it right; nobody has to where nobody reads any more.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Failure::Told(message) => Some(message.kind),
            Failure::Diagnosed(kind, _) | Failure::Reported(kind) => Some(*kind),
            Failure::Closed => None,
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.kind().map_or(0, |kind| kind as u8)
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

/// The choices that an error speaks of, as options.
pub fn options(choice: Choice<'_>) -> String {
    match choice {
        Choice::Columns(None) => "--columns".to_string(),
        Choice::Columns(Some(columns)) => format!("--columns {columns}"),
        Choice::Header(None) => "--header".to_string(),
        Choice::Header(Some(true)) => "--header yes".to_string(),
        Choice::Header(Some(false)) => "--header no".to_string(),
        Choice::Numbers(example) => format!("--numbers \"{example}\""),
        Choice::Keep(None) => "--keep".to_string(),
        Choice::Keep(Some(columns)) => format!("--keep {columns}"),
        Choice::Only => "--only".to_string(),
        Choice::Top(None) => "--top".to_string(),
        Choice::Top(Some(count)) => format!("--top {count}"),
        Choice::Threshold(None) => "--threshold".to_string(),
        Choice::Threshold(Some((class, least))) => format!("--threshold {class}={least}"),
        Choice::Table => "--data FILE".to_string(),
        Choice::Arrays(files) => format!("--data {files}"),
        Choice::Batch => "--batch".to_string(),
        Choice::MaxMemory => "--max-memory".to_string(),
        Choice::Threads(threads) => format!("--threads {threads}"),
        Choice::LearningRate => "--lr".to_string(),
        Choice::Length => "`over: 10000`".to_string(),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let kind = match error.kind() {
            ErrorKind::Usage => Kind::Usage,
            ErrorKind::Data => Kind::Data,
            ErrorKind::Diverged => Kind::Diverged,
            ErrorKind::Limit => Kind::Limit,
            _ => Kind::Model,
        };
        if let Some(diagnostics) = error.diagnostics() {
            return Failure::Diagnosed(kind, diagnostics.clone());
        }
        if let Some(diagnostics) = error.located(error.help(options)) {
            return Failure::Diagnosed(kind, diagnostics);
        }
        let (text, help, place) = (error.message(), error.help(options), error.place());
        Failure::Told(Box::new(Message { kind, text, help, place }))
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        Error::from(error).into()
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        Error::from(error).into()
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        Failure::new(Kind::Data, error.to_string())
    }
}
