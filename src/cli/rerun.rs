//! The arguments of a training, which its checkpoints remember, so that `--resume` needs no others.

use std::ffi::OsString;
use std::path::Path;

use arenet::internals::runtime::weights::read_metadata;
use clap::error::Error;
use clap::{CommandFactory, FromArgMatches};

use super::Cli;
use super::failure::Failure;

/// Where the metadata of a checkpoint has them.
pub const KEY: &str = "arguments";

/// What is not for the run that goes on: how a run starts, on what it runs and what it prints.
const VALUES: [&str; 7] =
    ["--resume", "--init", "--threads", "--isa", "--max-memory", "--color", "--message-format"];
const FLAGS: [&str; 6] = ["-q", "--quiet", "-v", "--verbose", "--no-progress", "--json"];

/// The arguments of this process as a checkpoint has them, from the first after the command's name;
/// `None` where one of them is no text.
pub fn recorded(arguments: &[OsString]) -> Option<String> {
    let mut kept = Vec::new();
    let mut given = arguments.iter().skip(1);
    while let Some(argument) = given.next() {
        let argument = argument.to_str()?;
        match VALUES.iter().find_map(|name| argument.strip_prefix(name)) {
            Some("") => drop(given.next()), // its value follows
            Some(rest) if rest.starts_with('=') => {}
            _ if FLAGS.contains(&argument) => {}
            _ => kept.push(argument),
        }
    }
    serde_json::to_string(&kept).ok()
}

/// The command line of the run that a checkpoint is of, with what has been given now after it.
pub fn of_checkpoint(checkpoint: &Path, given: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    let metadata = read_metadata(checkpoint).map_err(arenet::Error::from)?;
    let stored = metadata.get(KEY).and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
    let Some(stored) = stored else {
        let text = format!("{}: does not say how its run was started", checkpoint.display());
        return Err(Failure::usage(text).help("name the model before --resume, and its data"));
    };
    let mut given = given.into_iter();
    let program = given.next().into_iter();
    let mut is_first = true;
    let rest = given.filter(|argument| {
        let is_command = is_first && argument == "train";
        is_first &= !is_command;
        !is_command
    });
    Ok(program.chain(stored.into_iter().map(Into::into)).chain(rest).collect())
}

/// Parses such a command line, where the last of several values counts.
pub fn parse(arguments: Vec<OsString>) -> Result<Cli, Error> {
    let command = Cli::command().args_override_self(true);
    Cli::from_arg_matches(&command.try_get_matches_from(arguments)?)
}
