//! The error type of the facade: its kind, its message and a way out.

use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{self, Diagnostic, Span};
use arenet_compiler::model::Model;
use arenet_compiler::sarif::Told;
use arenet_runtime::data::output::Misfit;
use arenet_runtime::data::{Choice, DataError, Words, methods};
use arenet_runtime::exec::RunError;
use arenet_runtime::program::ProgramError;
use arenet_runtime::program::text::escaped;
use arenet_runtime::train::{Divergence, Lack, TrainError};
use std::fmt;
use std::sync::Arc;

/// Why something cannot be done: one plain sentence and, where it is known, a way out. For the text
/// of a net, it is all mistakes with their lines, as the command prints them.
///
/// `Debug` prints the same as `Display`, so that an error that `main` returns is readable.
///
/// ```
/// use arenet::{ErrorKind, Net};
///
/// let error = Net::parse("net n { input x: [N, 2]  output y = x |> dens(1) }").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Model);
/// assert!(error.to_string().contains("help: did you mean `dense`?"));
///
/// let error = Net::open("no.net").unwrap_err();
/// assert!(error.to_string().starts_with("no.net: cannot be read: "));
/// ```
#[derive(Clone)]
pub struct Error(Box<Cause>);

/// The kind of an error, by where it can be corrected.
///
/// ```
/// # use arenet::{ErrorKind, Net};
/// let error = Net::parse("net").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Model);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The net's text or its compiled program.
    Model,
    /// A setting or an argument.
    Usage,
    /// Rows, weights, or another file that is read or written.
    Data,
    /// A training whose values became NaN or infinite.
    Diverged,
    /// A limit, of the net or of the machine.
    Limit,
}

/// The messages about a net's text: mistakes, or warnings.
///
/// ```
/// let net = arenet::Net::parse("net n { input x: [N, 2]  output y = x |> dense(1) |> relu }")?;
/// assert!(!net.warnings().is_empty());
/// assert!(net.warnings().to_string().starts_with("warning[relu-init]"));
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone)]
pub struct Diagnostics {
    pub(crate) found: Vec<Diagnostic>,
    pub(crate) file: String,
    pub(crate) text: Arc<str>,
}

/// What an error comes from.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// Mistakes of a text.
    Text(Diagnostics),
    /// A file that is no program, by its name.
    Program(String, ProgramError),
    /// A file that cannot be read as a net.
    File {
        /// Whether it is too large.
        over_limit: bool,
        /// A sentence that begins with its name.
        message: String,
    },
    /// Rows or weights, read or written.
    Data(DataError),
    /// The executor.
    Run(RunError),
    /// A setting.
    Usage(String),
    /// A form of predictions that the net does not have.
    Form(Misfit),
    /// What a run without data lacks, and the setting that asks for it.
    Lacks(Lack, Option<Place>),
    /// A training that diverged, and the statement where.
    Diverged(Box<Divergence>, Option<Place>),
}

/// The text of a net and what it says, to tell about statements of it.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) file: String,
    pub(crate) text: Arc<str>,
    pub(crate) model: Arc<Model>,
}

/// A statement of a text.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: String,
    text: Arc<str>,
    span: Span,
}

impl Text {
    /// The setting that asks for what a run lacks.
    fn asks(&self, lack: Lack) -> Option<Place> {
        let model = &*self.model;
        let span = match lack {
            Lack::Epochs(index) | Lack::Figures(index) | Lack::Length(index) => {
                model.optimizers.get(index)?.args.span("lr")?
            }
            Lack::Rows(index) => {
                let balance = model.training.as_ref()?.balances.get(index)?;
                model.graph.span(model.params[balance.param.index()].node)
            }
        };
        Some(Place { file: self.file.clone(), text: self.text.clone(), span })
    }

    /// The statement that begins at a line and a column.
    pub(crate) fn place(&self, line: u32, column: u32) -> Option<Place> {
        let begins = |span: &Span| {
            let at = diagnostic::line_column(&self.text, span.start as usize);
            at == (line as usize, column as usize)
        };
        let span = self.model.graph.origins.iter().map(|origin| origin.span).find(begins)?;
        Some(Place { file: self.file.clone(), text: self.text.clone(), span })
    }
}

impl Error {
    /// Where it can be corrected.
    ///
    /// ```
    /// # use arenet::{ErrorKind, Net};
    /// let net = Net::parse("net n { input x: [N, 2]  output y = x |> dense(1) }")?;
    /// let error = net.read_csv("no.csv").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Data);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Cause::Text(diagnostics) => diagnostics.kind(),
            Cause::Program(..) => ErrorKind::Model,
            Cause::File { over_limit, .. } if *over_limit => ErrorKind::Limit,
            Cause::File { .. } => ErrorKind::Model,
            Cause::Data(error) if error.over_limit => ErrorKind::Limit,
            Cause::Data(_) => ErrorKind::Data,
            Cause::Run(RunError::Memory { .. } | RunError::Threads) => ErrorKind::Limit,
            Cause::Run(RunError::Isa(_)) | Cause::Usage(_) | Cause::Form(_) | Cause::Lacks(..) => {
                ErrorKind::Usage
            }
            Cause::Run(RunError::Value(_)) => ErrorKind::Data,
            Cause::Run(RunError::Entry(_) | RunError::Precision) => ErrorKind::Model,
            Cause::Diverged(..) => ErrorKind::Diverged,
        }
    }

    /// The messages about the net's text, if there are any.
    ///
    /// ```
    /// let error = arenet::Net::parse("net n {").unwrap_err();
    /// println!("{}", error.diagnostics().unwrap().render(true)); // in colours
    /// ```
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match &*self.0 {
            Cause::Text(diagnostics) => Some(diagnostics),
            _ => None,
        }
    }

    /// Where a training diverged, and what was measured about it.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let data = net.read_csv("models/xor.csv")?;
    /// let mut trainer = net.trainer(data).learning_rate(1e38).build()?;
    /// let error = trainer.train().unwrap_err();
    /// let divergence = error.divergence().expect("it has diverged");
    /// println!("{} at step {}: {:?}", divergence.name, divergence.step, divergence.reasons);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn divergence(&self) -> Option<&Divergence> {
        match &*self.0 {
            Cause::Diverged(divergence, _) => Some(divergence),
            _ => None,
        }
    }

    /// The same with the statement of the text that it is about.
    pub(crate) fn within(mut self, text: Option<&Text>) -> Error {
        match &mut *self.0 {
            Cause::Diverged(divergence, place) => {
                *place = text.and_then(|text| text.place(divergence.line, divergence.column));
            }
            Cause::Lacks(lack, place) => *place = text.and_then(|text| text.asks(*lack)),
            _ => {}
        }
        self
    }

    /// The message with the line it is about, where that is a statement of the net's text.
    #[doc(hidden)]
    pub fn located(&self, help: Option<String>) -> Option<Diagnostics> {
        let (code, Place { file, text, span }) = match &*self.0 {
            Cause::Diverged(_, Some(place)) => (Code::Diverged, place),
            Cause::Lacks(_, Some(place)) => (Code::Usage, place),
            _ => return None,
        };
        let error = Diagnostic::error(code, *span, self.message());
        let found = vec![Diagnostic { help, ..error }];
        Some(Diagnostics { found, file: file.clone(), text: text.clone() })
    }

    /// What went wrong, without the way out.
    #[doc(hidden)]
    pub fn message(&self) -> String {
        match &*self.0 {
            Cause::Text(diagnostics) => diagnostics.to_string(),
            Cause::Program(name, error) => format!("{name}: {error}"),
            Cause::File { message, .. } | Cause::Usage(message) => message.clone(),
            Cause::Data(error) => error.to_string(),
            Cause::Run(error) => error.to_string(),
            Cause::Form(misfit) => misfit.to_string(),
            Cause::Lacks(lack, _) => lack.to_string(),
            Cause::Diverged(divergence, _) => divergence.to_string(),
        }
    }

    /// The way out, as the caller would write it.
    #[doc(hidden)]
    pub fn help(&self, words: Words) -> Option<String> {
        Some(match &*self.0 {
            Cause::Program(_, error) => error.help?.to_string(),
            Cause::Data(error) => return error.help.clone(),
            Cause::Run(RunError::Memory { .. }) => {
                let [batch, limit] = [Choice::Batch, Choice::MaxMemory].map(words);
                format!("a smaller {batch} takes less; {limit} raises the limit")
            }
            Cause::Run(RunError::Threads) => {
                format!("{} needs none but its own", words(Choice::Threads(1)))
            }
            Cause::Run(RunError::Isa(_)) => "`arenet cpu` lists what this machine has".to_string(),
            Cause::Form(misfit) => misfit.help.clone(),
            Cause::Lacks(lack, _) => lack.help(words),
            Cause::Diverged(divergence, _) if divergence.reasons.is_empty() => {
                format!("a smaller {} or smaller inputs may help", words(Choice::LearningRate))
            }
            Cause::Diverged(divergence, _) => {
                let reasons = divergence.reasons.iter().map(|reason| reason.text(words));
                reasons.collect::<Vec<_>>().join("; ")
            }
            _ => return None,
        })
    }

    /// The line and the column of a data file, where they are known.
    #[doc(hidden)]
    pub fn place(&self) -> (Option<u64>, Option<u32>) {
        match &*self.0 {
            Cause::Data(error) => (error.line, error.column),
            _ => (None, None),
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Error {
        Cause::Usage(message.into()).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(located) = self.located(self.help(methods)) {
            return located.fmt(f);
        }
        f.write_str(&self.message())?;
        let help = self.help(methods);
        help.map_or(Ok(()), |help| write!(f, "\nhelp: {}", escaped(&help)))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Error {
        Error(Box::new(cause))
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Error {
        Cause::Data(error).into()
    }
}

impl From<Misfit> for Error {
    fn from(misfit: Misfit) -> Error {
        Cause::Form(misfit).into()
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Error {
        Cause::Run(error).into()
    }
}

impl From<TrainError> for Error {
    fn from(error: TrainError) -> Error {
        match error {
            TrainError::Run(error) => error.into(),
            TrainError::Data(error) => error.into(),
            TrainError::Settings(message) => Error::usage(message),
            TrainError::Lacks(lack) => Cause::Lacks(lack, None).into(),
            TrainError::Diverged(divergence) => Cause::Diverged(divergence, None).into(),
        }
    }
}

impl Diagnostics {
    /// Whether there are none.
    ///
    /// ```
    /// let net = arenet::Net::parse("net n { input x: [N, 2]  output y = x |> dense(1) }")?;
    /// assert!(net.warnings().is_empty());
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The messages with the lines they are about, in colours or plain.
    ///
    /// ```
    /// let error = arenet::Net::parse("net n {").unwrap_err();
    /// let text = error.diagnostics().unwrap().render(false);
    /// assert_eq!(text, error.to_string());
    /// ```
    pub fn render(&self, color: bool) -> String {
        let text = diagnostic::render(&self.found, &self.file, &self.text, color);
        text.trim_end().to_string()
    }

    /// A line of JSON for each message.
    ///
    /// ```
    /// let error = arenet::Net::parse("net n {").unwrap_err();
    /// let json = error.diagnostics().unwrap().to_json();
    /// assert!(json.lines().all(|line| line.starts_with("{") && line.ends_with("}")));
    /// ```
    pub fn to_json(&self) -> String {
        let lines = self.found.iter();
        let lines = lines.map(|found| diagnostic::to_json(found, &self.file, &self.text));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The messages with the file and the text that they are about.
    #[doc(hidden)]
    pub fn told(&self) -> Told<'_> {
        Told { file: &self.file, text: &self.text, found: &self.found }
    }

    /// The codes of the messages, such as `unknown-function`, which `arenet explain` explains.
    ///
    /// ```
    /// let error = arenet::Net::parse("net n { }").unwrap_err();
    /// assert!(error.diagnostics().unwrap().codes().eq(["missing-output"]));
    /// ```
    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.found.iter().map(|found| found.code.name())
    }

    fn kind(&self) -> ErrorKind {
        const LIMITS: [Code; 6] = [
            Code::OverMemoryLimit,
            Code::NestingTooDeep,
            Code::SourceTooLarge,
            Code::TooManyNodes,
            Code::TooManyOperations,
            Code::ValueTooLarge,
        ];
        // Other errors may just follow from it.
        let limit = self.found.iter().any(|found| LIMITS.contains(&found.code));
        if limit { ErrorKind::Limit } else { ErrorKind::Model }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
