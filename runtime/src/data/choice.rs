//! The choices of a caller that errors mention, and how the caller writes them: as options of the
//! command, or as methods of the library.

/// A choice of the caller, perhaps with a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice<'a> {
    /// Which columns of a table each port takes, such as `x=0..64,label=64`.
    Columns(Option<&'a str>),
    /// Whether the first row of a table is a header.
    Header(Option<bool>),
    /// How numbers are written, by an example.
    Numbers(&'a str),
    /// Columns of a table that stand beside predictions.
    Keep(Option<&'a str>),
    /// Which outputs and classes are written.
    Only,
    /// How many classes are written.
    Top(Option<usize>),
    /// The probability from which on a class is predicted, for a class.
    Threshold(Option<(&'a str, f32)>),
    /// A table of rows.
    Table,
    /// A file for each port, such as `x=x.npy,t=t.npy`.
    Arrays(&'a str),
    /// The rows of a step.
    Batch,
    /// The limit of memory.
    MaxMemory,
    /// The number of threads.
    Threads(usize),
    /// The learning rate.
    LearningRate,
    /// How many steps a schedule takes, where no number of rows says it.
    Length,
}

/// How a caller writes a choice.
pub type Words = fn(Choice<'_>) -> String;

/// The choices as methods of the library.
pub fn methods(choice: Choice<'_>) -> String {
    match choice {
        Choice::Columns(None) => "`columns`".to_string(),
        Choice::Columns(Some(columns)) => format!("`columns(\"{columns}\")`"),
        Choice::Header(None) => "`header`".to_string(),
        Choice::Header(Some(header)) => format!("`header({header})`"),
        Choice::Numbers(example) => format!("`numbers(\"{example}\")`"),
        Choice::Keep(None) => "`keep`".to_string(),
        Choice::Keep(Some(columns)) => format!("`keep(\"{columns}\")`"),
        Choice::Only => "`only`".to_string(),
        Choice::Top(None) => "`top`".to_string(),
        Choice::Top(Some(count)) => format!("`top({count})`"),
        Choice::Threshold(None) => "`threshold`".to_string(),
        Choice::Threshold(Some((class, least))) => format!("`threshold_of(\"{class}\", {least})`"),
        Choice::Table => "`read_csv`".to_string(),
        Choice::Arrays(files) => format!("`arrays`, {files}"),
        Choice::Batch => "`batch`".to_string(),
        Choice::MaxMemory => "`max_memory`".to_string(),
        Choice::Threads(threads) => format!("`threads({threads})`"),
        Choice::LearningRate => "`learning_rate`".to_string(),
        Choice::Length => "`over: 10000`, or `steps` of the trainer".to_string(),
    }
}
