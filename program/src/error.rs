//! Why bytes are not a program that can be run, and the check that says so.

use std::fmt;

/// Why bytes are not a program that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramError {
    /// One plain sentence.
    pub message: String,
    /// A way out, where there is one.
    pub help: Option<&'static str>,
}

impl ProgramError {
    pub(crate) fn new(message: impl Into<String>) -> ProgramError {
        ProgramError { message: crate::text::message(&message.into()), help: None }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProgramError {}

/// Returns the formatted message as a [`ProgramError`] unless the condition holds.
macro_rules! require {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::ProgramError::new(format!($($message)+)));
        }
    };
}
pub(crate) use require;
