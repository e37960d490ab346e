//! A small project to begin with: a model, its table, and a program that learns and predicts.
//!
//! The table is that of the irises, the model what is made for any table, and the program an
//! example of this repository with other names.

use std::fs;
use std::io;
use std::path::Path;

use arenet::internals::runtime::data::profile::{ProfileSpec, profile};

use super::choose::Plan;
use super::size::Size;
use super::target::target;
use super::write::{Files, write};
use super::{NewArgs, create, names};
use crate::console;
use crate::failure::{Failure, Kind};

const TABLE: &str = include_str!("../../../models/iris.csv");
const PROGRAM: &str = include_str!("../../../examples/embed.rs");

/// Makes the folder, which must not be there.
pub fn make(args: &NewArgs) -> Result<(), Failure> {
    let folder = &args.what;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if args.out.is_some() || args.header.is_some() || args.task.is_some() {
        let text = format!("{}: there is no such table", folder.display());
        let help = format!(
            "without options of a table, `arenet new {}` makes a project",
            folder.display()
        );
        return Err(Failure::new(Kind::Data, text).help(help));
    }
    check_name(name)?;
    let fail = |path: &Path, error: io::Error| {
        let text = format!("{}: cannot be made: {error}", path.display());
        Failure::new(Kind::Data, text)
    };
    fs::create_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let text = format!("{}: exists already, and is left as it is", folder.display());
            Failure::usage(text).help("choose another name, or name a table")
        }
        _ => fail(folder, error),
    })?;
    fs::create_dir(folder.join("src")).map_err(|error| fail(&folder.join("src"), error))?;
    for (file, text) in [
        (format!("{name}.csv"), TABLE.to_string()),
        (format!("{name}.net"), model(name)?),
        ("Cargo.toml".to_string(), manifest(name)),
        ("src/main.rs".to_string(), program(name)),
        (".gitignore".to_string(), "/target\n*.safetensors\n".to_string()),
    ] {
        create(&folder.join(file), &text)?;
    }
    console::print(format!(
        "{folder}: a model of irises, their table, and a program\n\n    \
         cd {folder}\n    \
         arenet train {name}.net    # learn, and write {name}.safetensors\n    \
         cargo run --release        # the same from Rust\n",
        folder = folder.display()
    ))
}

/// Whether cargo takes the name, and a text without quotes.
fn check_name(name: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if begins && name.chars().all(fits) {
        return Ok(());
    }
    let text = format!("`{name}` is no name of a project, and there is no such table");
    Err(Failure::usage(text)
        .help("a name has letters, digits, `-` and `_`, and begins with a letter"))
}

/// The model, as for any table.
fn model(name: &str) -> Result<String, Failure> {
    let file = format!("{name}.csv");
    let table = profile(TABLE.as_bytes(), &file, &ProfileSpec::default())?;
    let column = table.find("last", &file)?;
    let plan = Plan::new(&table, column, target(&table, column, None, &file)?);
    let files = Files {
        command: format!("arenet new {name}"),
        next: format!("arenet train {name}.net"),
        table: file,
    };
    let text = write(&plan, &Size::of(&plan), &names::identifier(name, "net"), &files);
    let source = "//\n// The table: R. A. Fisher, 1936, from the UCI Machine Learning Repository \
                  (CC BY 4.0).\n";
    Ok(text.replacen("\nnet ", &format!("{source}\nnet "), 1))
}

fn manifest(name: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n\
         # From a copy of the repository: arenet = {{ path = \"../arenet\" }}\n\
         arenet = \"{version}\"\n\n\
         # Without this, a debug build computes about a hundred times as slowly.\n\
         [profile.dev.package.\"*\"]\nopt-level = 3\n"
    )
}

fn program(name: &str) -> String {
    let text = PROGRAM.replace("../models/iris.", &format!("../{name}."));
    text.replace("\"iris.", &format!("\"{name}."))
}
