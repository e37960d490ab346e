//! `arenet new`: a model for a table, or a small project to begin with.

mod choose;
mod names;
mod project;
mod report;
mod size;
mod target;
mod write;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arenet::internals::runtime::data::NumberStyle;
use arenet::internals::runtime::data::profile::{ProfileSpec, profile_files};
use arenet::internals::runtime::limits::memory_limit;
use clap::{Args, ValueEnum};

use super::args::Rows;
use super::failure::{Failure, Kind, options};
use super::{Context, console};
use choose::Plan;
use report::report;
use size::Size;
use write::Files;

/// What to make a model of.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet new penguins.csv --target species\n         \
                        arenet new first")]
pub struct NewArgs {
    /// A table to make a model for, perhaps in several files (FILE,FILE or
    /// 'FILE-*.csv'), or the name of a project: a folder with a model, its data
    /// and a program that uses it
    #[arg(value_name = "TABLE|NAME")]
    what: PathBuf,
    /// The column to predict: its name, its place from 0, or `last`
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// The file of the model, by default TABLE.net in the current folder
    #[arg(short, long, value_name = "M.net")]
    out: Option<PathBuf>,
    /// Whether the target is classes or a number; found out by default
    #[arg(long, value_name = "TASK")]
    task: Option<Task>,
    /// Whether the first row is a header: yes or no; found out by default
    #[arg(long, value_name = "yes|no", value_parser = super::args::parse_header)]
    header: Option<bool>,
    /// How numbers are written, by an example: 1234,5 or 1.234,5 or 1,234.5
    #[arg(long, value_name = "EXAMPLE", value_parser = super::args::parse_numbers)]
    numbers: Option<String>,
}

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Task {
    /// Which class a row is of
    Classes,
    /// A number
    Number,
}

/// Makes a model for a table, or a project.
pub fn run(cx: &Context, args: &NewArgs) -> Result<(), Failure> {
    match is_table(&args.what) || args.target.is_some() {
        true => for_table(cx, args),
        false => project::make(args),
    }
}

/// Whether the name is that of a table: there is such a file, or the last one ends as one.
pub fn is_table(path: &Path) -> bool {
    const ENDINGS: [&str; 16] = [
        "csv", "tsv", "txt", "data", "dat", "tab", "gz", "zst", "zip", "jsonl", "json", "npy",
        "npz", "parquet", "xlsx", "xls",
    ];
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    path.is_file() || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Looks at the table, writes the model and says what was found.
fn for_table(cx: &Context, args: &NewArgs) -> Result<(), Failure> {
    let rows = Rows::of_table(&args.what).map_err(Failure::usage)?;
    let file = rows.to_string();
    let paths = match rows {
        Rows::Table(path) => vec![path],
        Rows::Parts(paths) => paths,
        Rows::Arrays(files) => files.into_iter().map(|(_, path)| path).collect(),
    };
    let numbers = args.numbers.as_deref().map(NumberStyle::parse).transpose();
    let numbers = numbers.map_err(Failure::usage)?.unwrap_or_default();
    let max_bytes = cx.global.max_memory.unwrap_or_else(memory_limit);
    let spec = ProfileSpec { header: args.header, numbers, max_bytes, words: options };
    let table = profile_files(&paths, &spec)?;
    let Some(wanted) = &args.target else {
        let text = format!("{file}: nothing says which column to predict");
        return Err(Failure::usage(text).help(format!("name it with --target: {}", table.listed())));
    };
    let column = table.find(wanted, &file)?;
    let fail = |text: &str, help: &str| {
        Err(Failure::new(Kind::Data, format!("{file}: {text}")).help(help))
    };
    if table.columns.len() == 1 {
        return fail(
            "has one column, so there is nothing to predict it from",
            "a row needs columns beside its target, separated by commas, semicolons or tabs",
        );
    }
    let said = args.task.map(|task| task == Task::Classes);
    let target = target::target(&table, column, said, &file)?;
    let plan = Plan::new(&table, column, target);
    if plan.fates.iter().all(|fate| fate.number().is_none() && fate.word().is_none()) {
        let title = choose::title(&table, column);
        let text = format!("no column is left to predict `{title}` from: {}", plan.reasons(3));
        return fail(&text, "add columns that say something about it");
    }
    let out = args.out.clone().unwrap_or_else(|| default_out(&args.what));
    let shown = match &paths[..] {
        [path] => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        _ => file,
    };
    let files = files(args, shown, &out, table.header.is_some());
    let name = out.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let size = Size::of(&plan);
    let text = write::write(&plan, &size, &names::identifier(name, "net"), &files);
    create(&out, &text)?;
    console::print(report(&plan))?;
    cx.console.note(format!("{}: written; next: {}", out.display(), files.next));
    Ok(())
}

/// The model of a table, in the current folder: `data/pets.csv.gz` gives `pets.net`, and so do
/// `pets-*.csv` and `pets.csv,cats.csv`.
fn default_out(table: &Path) -> PathBuf {
    let stem = |name: &Path, ends: &[char]| {
        let name = name.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.split(ends).next().unwrap_or_default().to_string()
    };
    let stem = match table.to_str() {
        Some(names) if !table.exists() => {
            let first = names.split(',').next().unwrap_or_default();
            stem(Path::new(first), &['.', '*', '?']).trim_end_matches(['-', '_', ' ']).to_string()
        }
        _ => stem(table, &['.']),
    };
    format!("{}.net", if stem.is_empty() { "model" } else { &stem }).into()
}

/// What the text says of the files.
fn files(args: &NewArgs, table: String, out: &Path, has_header: bool) -> Files {
    let quote = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=+:@%".contains(c);
        match !text.is_empty() && text.chars().all(plain) {
            true => text.to_string(),
            false => format!("'{}'", text.replace('\'', "'\\''")),
        }
    };
    let path = |path: &Path| quote(&path.display().to_string());
    let (shown_table, target) = (path(&args.what), args.target.as_deref().unwrap_or_default());
    let mut command = format!("arenet new {shown_table} --target {}", quote(target));
    let mut next = format!("arenet train {}", path(out));
    if args.what != out.with_extension("csv") {
        next += &format!(" --data {shown_table}");
    }
    if args.header.is_some() {
        let header = if has_header { " --header yes" } else { " --header no" };
        command += header;
        next += header;
    }
    if let Some(example) = &args.numbers {
        let numbers = format!(" --numbers {}", quote(example));
        command += &numbers;
        next += &numbers;
    }
    Files { table, command, next }
}

/// Writes a new file; one that is there stays as it is.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let name = path.display();
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let text = format!("{name}: exists already, and is left as it is");
            Failure::usage(text).help("name another file with -o, or remove it")
        }
        _ => Failure::new(Kind::Data, format!("{name}: cannot be written: {error}")),
    })
}
