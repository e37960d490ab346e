//! The command line as it is told to people: pages of help, completions for shells, manual pages;
//! and the reference of the language, by name.

use std::fs;
use std::path::PathBuf;

use arenet::internals::compiler::forms::FORMS;
use arenet::internals::compiler::reference::{Section, about, sections};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

use super::failure::{Failure, Kind};
use super::table::{PAGE, wrapped};
use super::{Cli, Context, console};

/// Which shell to complete commands for.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet completions fish > ~/.config/fish/completions/arenet.fish")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Where manual pages go.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The folder to write arenet.1, arenet-train.1 and so on to
    folder: PathBuf,
}

/// The command line, on whose pages the global options are named once: on the first.
pub fn command() -> Command {
    let mut command = Cli::command().max_term_width(PAGE);
    command.build();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().into()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        command = command.mut_subcommand(name, |sub| {
            let example = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            sub.after_help(format!("{example}\nOptions of all commands: arenet help")).mut_args(
                |arg| match arg.get_id() == "help" {
                    true => arg.help_heading("Options"),
                    false => {
                        let hides = arg.is_global_set();
                        arg.hide(hides)
                    }
                },
            )
        });
    }
    command
}

/// What `arenet help NAME` says of a name of the language, or of all of a kind: `functions` are all
/// that may be called, `language` is everything. Nothing where the name is none of these.
pub fn of_language(name: &str) -> Option<String> {
    let is_form = |section: &Section| FORMS.iter().any(|forms| forms.name == section.name);
    let sections = match name {
        "language" => sections(),
        "functions" => sections().into_iter().filter(|section| !is_form(section)).collect(),
        name => about(name),
    };
    // Of one name, what holds for its whole section is too much.
    let is_named = |section: &Section| section.items.iter().all(|item| item.name == name);
    let mut blocks = Vec::new();
    for section in &sections {
        blocks.push(wrapped(&section.heading, 0, PAGE));
        if !is_named(section) && !section.about.is_empty() {
            blocks.push(wrapped(section.about, 0, PAGE));
        }
        blocks.extend(section.items.iter().map(|item| {
            let usage = wrapped(&format!("  {}", item.usage), 4, PAGE);
            usage + &wrapped(&format!("      {}", item.about), 6, PAGE)
        }));
    }
    let mut whole: Vec<&str> =
        sections.iter().filter(|s| is_named(s)).map(|section| section.name).collect();
    whole.dedup();
    let more: Vec<String> = whole.iter().map(|name| format!("arenet help {name}")).collect();
    if !more.is_empty() {
        blocks.push(wrapped(&format!("All of them: {}", more.join(", ")), 2, PAGE));
    }
    (!sections.is_empty()).then(|| blocks.join("\n"))
}

/// Prints a script that completes commands in a shell.
pub fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "arenet", &mut script);
    console::print(String::from_utf8_lossy(&script))
}

/// Writes a manual page for the command, and one for each of its subcommands.
pub fn manual(cx: &Context, args: &ManArgs) -> Result<(), Failure> {
    let fail = |error: std::io::Error| {
        let text = format!("{}: the pages cannot be written: {error}", args.folder.display());
        Failure::new(Kind::Data, text).help("name a folder that can be written to")
    };
    fs::create_dir_all(&args.folder).map_err(fail)?;
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(fail)?;
    cx.console.note(format!("{}: written; next: man arenet-train", args.folder.display()));
    Ok(())
}
