//! What other tools call the commands, and what is said of a name that is no command.

use std::ffi::OsString;
use std::path::Path;

use arenet::internals::compiler::aliases;
use arenet::internals::compiler::diagnostic::did_you_mean;
use arenet::internals::compiler::reference;
use arenet::internals::runtime::program::text::quoted;
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::failure::Failure;
use super::{console, help, new};

/// A command, and what it is called elsewhere.
const COMMANDS: &[(&str, &[&str])] = &[
    ("bench", &["benchmark", "time"]),
    ("check", &["lint", "validate", "verify"]),
    ("compile", &["build", "export", "freeze"]),
    ("completions", &["completion"]),
    ("cpu", &["devices", "info"]),
    ("eval", &["evaluate", "score", "test"]),
    ("fmt", &["format"]),
    ("new", &["create", "generate", "init"]),
    ("predict", &["apply", "infer", "inference", "run"]),
    ("profile", &["perf", "trace"]),
    ("report", &["compare"]),
    ("show", &["describe", "draw", "inspect", "plan", "plot", "summary", "visualize"]),
    ("train", &["fit", "learn"]),
];

/// The command that another tool calls so.
fn own_command(name: &str) -> Option<&'static str> {
    let plain = name.to_ascii_lowercase();
    let known = COMMANDS.iter().find(|(_, others)| others.contains(&plain.as_str()));
    known.map(|(own, _)| *own)
}

/// The names of the commands that may be proposed for a misspelt one: not `fmt`, which rewrites
/// the files it is given.
fn proposed(command: &Command) -> impl Iterator<Item = &str> {
    command.get_subcommands().map(Command::get_name).filter(|name| *name != "fmt")
}

/// What is told of a command line that clap cannot make sense of, where its own words would not
/// lead on.
pub fn told(error: &clap::Error, command: &Command) -> Option<Failure> {
    no_command(error, command).or_else(|| stray_table(error))
}

/// The rows are not named by an option.
fn stray_table(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(stray)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    if error.kind() != ErrorKind::UnknownArgument || !new::is_table(Path::new(stray)) {
        return None;
    }
    let text = format!("{} stands where no argument does", quoted(stray));
    Some(Failure::usage(text).help(format!("rows are named by --data {stray}")))
}

/// Where the first word is no command.
fn no_command(error: &clap::Error, command: &Command) -> Option<Failure> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let failure = Failure::usage(format!("there is no command {}", quoted(name)));
    Some(failure.help(if let Some(own) = own_command(name) {
        format!("it is called `{own}` here: `arenet help {own}`")
    } else if let Some(meant) = did_you_mean(name, proposed(command)) {
        format!("did you mean `{meant}`?")
    } else if name.ends_with(".net") {
        format!("a command stands before the model: `arenet check {name}`")
    } else if !reference::about(name).is_empty() {
        format!("`arenet help {name}` explains this word of the language")
    } else {
        "`arenet help` lists the commands".to_string()
    }))
}

/// What `arenet help NAME` prints: the page of a command, what the language calls so, or what is
/// called otherwise here. Nothing where clap knows better.
pub fn explained(arguments: &[OsString]) -> Option<Result<(), Failure>> {
    let [_, command, name] = arguments else { return None };
    let name = name.to_str().filter(|name| command == "help" && !name.starts_with('-'))?;
    let mut commands = help::command();
    let language = help::of_language(name);
    let page = commands.find_subcommand_mut(name).map(|own| own.render_long_help().to_string());
    Some(match (page, language) {
        (Some(_), None) => return None,
        (Some(page), Some(language)) => console::print(format!("{page}\n\n{language}")),
        (None, Some(language)) => console::print(language),
        (None, None) => match (own_command(name), reference::own_name(name)) {
            (Some(own), _) => console::print(format!(
                "The command `{name}` is called `{own}` here: arenet help {own}\n"
            )),
            (None, Some(own)) => {
                let language = help::of_language(own).unwrap_or_default();
                console::print(format!("`{name}` is called `{own}` here.\n\n{language}"))
            }
            (None, None) => match aliases::note(name) {
                Some(note) => console::print(format!("The language has no `{name}`: {note}\n")),
                None => Err(unknown(name, &commands)),
            },
        },
    })
}

fn unknown(name: &str, commands: &Command) -> Failure {
    let text = format!("no command and no name of the language is called {}", quoted(name));
    let sections = reference::sections();
    let items = sections.iter().flat_map(|section| &section.items).map(|item| item.name);
    let all = sections.iter().map(|section| section.name).chain(items);
    let known = all.chain(commands.get_subcommands().map(Command::get_name));
    Failure::usage(text).help(match did_you_mean(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`arenet help` lists the commands, `arenet help language` the language".to_string(),
    })
}
