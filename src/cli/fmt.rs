//! `arenet fmt`: models in the usual form.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use arenet::Net;
use arenet::internals::compiler::syntax::{MAX_SOURCE, format};
use arenet::internals::runtime::files::write_atomically;
use clap::Args;

use super::failure::{Failure, Kind};
use super::{Context, check, console, units};

/// What to format.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Comments stay where they are, and lines that were broken stay broken.\n\
                        Example: arenet fmt models --check")]
pub struct FmtArgs {
    /// Models, or folders for all .net files below them; `-` formats standard
    /// input to standard output
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Change nothing; name the files that are in another form, and exit with 1
    #[arg(long)]
    check: bool,
}

/// Formats the files.
pub fn run(cx: &Context, args: &FmtArgs) -> Result<(), Failure> {
    if check::is_standard_input(&args.models) {
        let text = formatted("standard input", &read(std::io::stdin(), "standard input")?)?;
        return console::print(text);
    }
    let (models, mut changed, mut worst) = (check::all_below(&args.models)?, 0, None);
    for model in &models {
        match one(model, args.check) {
            Ok(true) => {
                changed += 1;
                console::print(format!("{}\n", model.display()))?;
            }
            Ok(false) => {}
            Err(failure) => {
                worst = worst.max(failure.kind());
                cx.console.failure(&failure);
            }
        }
    }
    let all = units::plural(models.len() as u64, "model");
    cx.console.note(match args.check {
        true => format!("{all}: {changed} in another form"),
        false => format!("{all}: {changed} changed"),
    });
    match worst {
        Some(kind) => Err(Failure::Reported(kind)),
        None if args.check && changed > 0 => Err(Failure::Reported(Kind::Model)),
        None => Ok(()),
    }
}

/// Formats a file; whether it was in another form.
fn one(model: &Path, only_check: bool) -> Result<bool, Failure> {
    let (name, text) = (model.display().to_string(), read_file(model)?);
    let formatted = formatted(&name, &text)?;
    let differs = formatted != text;
    if differs && !only_check {
        write_atomically(model, |file| file.write_all(formatted.as_bytes()))?;
    }
    Ok(differs)
}

/// The text of a model's file.
pub fn read_file(model: &Path) -> Result<String, Failure> {
    let name = model.display().to_string();
    let cannot = |error: std::io::Error| {
        let text = format!("{name}: cannot be read: {error}");
        Failure::new(Kind::Model, text).help("name a .net file, or a folder with some")
    };
    read(fs::File::open(model).map_err(cannot)?, &name)
}

/// The text of a model, of which not much more is read than a model may have.
pub fn read(from: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = from.take(MAX_SOURCE as u64 + 1).read_to_end(&mut bytes);
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::new(Kind::Model, format!("{name}: cannot be read: {error}"))
            .help("a model is a text in UTF-8")
    };
    read.map_err(|error| cannot(&error))?;
    String::from_utf8(bytes).map_err(|error| cannot(&error.utf8_error()))
}

/// The text in the usual form; the mistakes of one that cannot be read are told as always.
fn formatted(name: &str, text: &str) -> Result<String, Failure> {
    format(text).map_err(|mistakes| match Net::options().name(name).parse(text) {
        Err(error) => error.into(),
        Ok(_) => Failure::new(Kind::Model, format!("{name}: {}", mistakes[0].message)),
    })
}
