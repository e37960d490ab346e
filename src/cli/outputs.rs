//! Checks that no file which a command writes replaces one that it reads.

use std::path::{Path, PathBuf};

use arenet::internals::runtime::files::{check_writable, is_same_file, is_stdout};

use super::args::Rows;
use super::failure::Failure;

/// The files that a command reads, each with what it is to the command.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    files: Vec<(&'static str, PathBuf)>,
}

impl Inputs {
    /// The model, which every command reads.
    pub fn new(model: &Path) -> Inputs {
        Inputs { files: vec![("the model", model.to_path_buf())] }
    }

    /// With another file, if there is one.
    pub fn file(mut self, what: &'static str, path: Option<&Path>) -> Inputs {
        self.files.extend(path.map(|path| (what, path.to_path_buf())));
        self
    }

    /// With the files of rows, if there are any.
    pub fn rows(mut self, what: &'static str, rows: Option<&Rows>) -> Inputs {
        let files = match rows {
            // The system knows the file behind it, if there is one.
            Some(Rows::Table(path)) if path == Path::new("-") => vec![PathBuf::from("/dev/stdin")],
            Some(Rows::Table(path)) => vec![path.clone()],
            Some(Rows::Parts(paths)) => paths.clone(),
            Some(Rows::Arrays(files)) => files.iter().map(|(_, path)| path.clone()).collect(),
            None => Vec::new(),
        };
        self.files.extend(files.into_iter().map(|path| (what, path)));
        self
    }

    /// Refuses an output that is one of the files; `option` chooses another.
    pub fn check(&self, out: &Path, option: &str) -> Result<(), Failure> {
        let Some((what, path)) = self.files.iter().find(|(_, path)| is_same_file(path, out)) else {
            return Ok(());
        };
        let (out, path) = (out.display().to_string(), path.display().to_string());
        let from = if out == path { String::new() } else { format!(" from {path}") };
        let text = format!("{out}: would replace {what} that the command reads{from}");
        Err(Failure::usage(text).help(format!("name another file with {option}")))
    }

    /// [`Inputs::check_output`] of a file that is written beside results.
    pub fn check_beside_results(&self, out: &Path, option: &str) -> Result<(), Failure> {
        if is_stdout(out) {
            let text = format!("{}: standard output has the results", out.display());
            return Err(Failure::usage(text).help(format!("name a file with {option}")));
        }
        self.check_output(out, option)
    }

    /// [`Inputs::check`], and whether the output can be written.
    pub fn check_output(&self, out: &Path, option: &str) -> Result<(), Failure> {
        self.check(out, option)?;
        Ok(check_writable(out)?)
    }
}
