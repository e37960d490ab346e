//! `arenet check`: what is wrong with a model, or the shape of every statement; and what is wrong
//! with a table for it, or which rows and columns of it a training would take.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arenet::Diagnostics;
use arenet::internals::compiler::Purpose;
use arenet::internals::compiler::model::Model;
use arenet::internals::compiler::sarif::{self, Told};
use arenet::internals::runtime::program::text::shown;
use arenet::internals::runtime::program::{Port, Program};
use arenet::internals::runtime::train::Settings;
use clap::Args;

use super::args::{DataArgs, MessageFormat};
use super::failure::{Failure, Kind};
use super::source::{Built, Source, parameters};
use super::{Context, console, data, fix, train, units};

/// What to check.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Without --data and what says how to read it, the model alone is checked.\n\
                  Of several models, those with mistakes are told, and a sum of them all;\n\
                  the exit code is the largest of theirs.\n\
                  With --fix, `-` writes standard input to standard output.\n\
                  Example: arenet check models/iris.net --data models/iris.csv"
)]
pub struct CheckArgs {
    /// The model, .net or .netc; or several, and folders for all .net files
    /// below them
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Write into the models first what messages offer, where it is certain
    #[arg(long)]
    fix: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Where messages go: to standard error as they come, or into one document at the end.
struct Report<'a> {
    cx: &'a Context,
    document: Option<Vec<Diagnostics>>,
    warnings: usize,
    failed: usize,
    worst: Option<Kind>,
    /// Whether every model could be looked at.
    complete: bool,
}

impl Report<'_> {
    fn tell(&mut self, told: &Diagnostics) {
        match &mut self.document {
            Some(document) => document.push(told.clone()),
            None => self.cx.console.diagnostics(told),
        }
    }

    fn warn(&mut self, told: &Diagnostics) {
        if !self.cx.console.quiet {
            self.warnings += told.codes().count();
            self.tell(told);
        }
    }

    fn fail(&mut self, failure: &Failure) {
        self.failed += 1;
        self.worst = self.worst.max(failure.kind());
        match failure {
            Failure::Diagnosed(_, told) => self.tell(told),
            other => {
                self.complete = false;
                self.cx.console.failure(other);
            }
        }
    }
}

/// Checks and prints.
pub fn run(cx: &Context, args: &CheckArgs) -> Result<(), Failure> {
    let is_one = matches!(&args.models[..], [model] if !model.is_dir());
    if !is_one && args.data.is_given() {
        let failure = Failure::usage("rows are for one model, and here are several");
        return Err(failure.help("check that model alone"));
    }
    let models = if is_one { args.models.clone() } else { all_below(&args.models)? };
    if args.fix {
        if is_standard_input(&args.models) && !args.data.is_given() {
            return fix::standard_input(cx);
        }
        models.iter().try_for_each(|model| fix::file(cx, model))?;
    }
    let is_document = cx.global.message_format == MessageFormat::Sarif;
    let document = is_document.then(Vec::new);
    let mut report = Report { cx, document, warnings: 0, failed: 0, worst: None, complete: true };
    for model in &models {
        match one(&mut report, model, &args.data) {
            Ok(_) if is_document => {}
            Ok([lines, sum]) => console::print(if is_one { lines + &sum } else { sum })?,
            Err(failure) => report.fail(&failure),
        }
    }
    let Report { document, warnings, failed, worst, complete, .. } = report;
    if let Some(document) = document {
        let told: Vec<Told> = document.iter().map(Diagnostics::told).collect();
        console::print(sarif::document(&told, complete) + "\n")?;
    } else if !is_one {
        let models = units::plural(models.len() as u64, "model");
        let warnings = units::plural(warnings as u64, "warning");
        console::print(format!("{models}: {failed} with errors, {warnings}\n"))?;
    }
    worst.map_or(Ok(()), |kind| Err(Failure::Reported(kind)))
}

/// Whether `-` alone is named.
pub fn is_standard_input(models: &[PathBuf]) -> bool {
    matches!(models, [model] if model == Path::new("-"))
}

/// The files that are named, and all models in the folders that are, in the order of their names.
/// A folder whose name begins with a dot is left out, and so is what a link leads to.
pub fn all_below(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut models = Vec::new();
    for path in paths {
        let before = models.len();
        if !path.is_dir() {
            models.push(path.clone());
        } else if let Err(error) = walk(path, &mut models) {
            let text = format!("{}: cannot be read: {error}", path.display());
            return Err(Failure::new(Kind::Model, text));
        }
        if models.len() == before {
            let text = format!("{}: there is no .net file in this folder", path.display());
            let help = "name a model, or a folder that has some below it";
            return Err(Failure::new(Kind::Model, text).help(help));
        }
    }
    Ok(models)
}

fn walk(folder: &Path, models: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !is_hidden {
            walk(&path, models)?;
        } else if kind.is_file() && path.extension().is_some_and(|ending| ending == "net") {
            models.push(path);
        }
    }
    Ok(())
}

/// Checks a model, and rows for it: what there is to print, and at its end a line of it all.
fn one(report: &mut Report, model: &Path, data: &DataArgs) -> Result<[String; 2], Failure> {
    let source = Source::read(report.cx, model)?;
    let built = source.build_quietly(None, Purpose::Train)?;
    report.warn(source.net.warnings());
    source.describe(report.cx, &built);
    let rows = data.is_given().then(|| rows(report, &source, &built, data)).transpose()?;
    let lines = match &built.compiled {
        Some(compiled) => statements(&compiled.model),
        None => interface(built.program()),
    };
    let total = units::plural(parameters(built.program()), "parameter");
    let lines = units::columns(&lines, &[false; 4]) + &rows.unwrap_or_default();
    Ok([lines, format!("{}: ok, {total}\n", source.name())])
}

/// Reads rows as a training would, says what is to be said of them, and what it would take.
fn rows(
    report: &mut Report,
    source: &Source,
    built: &Built,
    args: &DataArgs,
) -> Result<String, Failure> {
    let cx = report.cx;
    let table = data::locate(source, args)?;
    let rows = data::read(cx, &table, args, source.net.reader())?;
    let (names, count) = (rows.columns().clone(), rows.rows() as u64);
    let mut what = units::plural(count, "row");
    if source.trains() {
        let program = match source.is_full() && source.text().is_some() {
            true => source.build_full(Some(count))?.program,
            false => built.program.clone(),
        };
        let settings = Settings { run: cx.global.exec(), ..Settings::default() };
        let trainer = source.net.trainer(rows).compiled(program, settings).build()?;
        what = train::rows_of_run(&trainer);
        report.warn(&trainer.lints());
    }
    let program = built.program();
    let ports = program.inputs.iter().chain(&program.targets);
    let columns = |port: &Port| match names.get(&port.name) {
        Some(names) => listed(names),
        None => units::plural(port.width, "column"),
    };
    let lines: Vec<Vec<String>> =
        ports.map(|port| line(&port.name, columns(port), String::new())).collect();
    Ok(format!("{table}: {what}\n{}", units::columns(&lines, &[false; 4])))
}

/// The first names of a list, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut listed: Vec<String> = names.iter().take(SHOWN).map(|name| shown(name)).collect();
    if let Some(more @ 1..) = names.len().checked_sub(SHOWN) {
        listed.push(format!("{more} more"));
    }
    listed.join(", ")
}

/// A line of the table, indented: a name, its shape, and what there is to say.
fn line(name: &str, shape: String, note: String) -> Vec<String> {
    vec![String::new(), name.to_string(), shape, note]
}

/// A line for each statement that nodes come from.
fn statements(model: &Model) -> Vec<Vec<String>> {
    let graph = &model.graph;
    let origin = |id| graph.node(id).origin.0 as usize;
    let mut last = vec![None; graph.origins.len()];
    for id in graph.ids() {
        if let Some(last) = last.get_mut(origin(id)) {
            *last = Some(id);
        }
    }
    let notes = notes(model);
    let statement = |(index, statement): (usize, &arenet::internals::compiler::graph::Origin)| {
        let node = graph.node(last[index]?);
        let named = !statement.name.is_empty();
        named.then(|| line(&statement.name, node.ty().to_string(), notes[index].join(", ")))
    };
    graph.origins.iter().enumerate().filter_map(statement).collect()
}

/// What each statement is to the outside, and the parameters that it has.
fn notes(model: &Model) -> Vec<Vec<String>> {
    let graph = &model.graph;
    let origin = |id| graph.node(id).origin.0 as usize;
    let mut notes = vec![Vec::new(); graph.origins.len()];
    for (ports, what) in [(&model.inputs, "input"), (&model.targets, "target")] {
        ports.iter().for_each(|port| notes[origin(port.node)].push(what.to_string()));
    }
    let mut elements = vec![0; graph.origins.len()];
    for param in &model.params {
        elements[origin(param.node)] += param.shape.fixed_elements() as u64;
    }
    let outputs: HashSet<&str> = model.outputs.iter().map(|(name, _)| name.as_str()).collect();
    for ((notes, elements), statement) in notes.iter_mut().zip(elements).zip(graph.origins.iter()) {
        if elements > 0 {
            notes.push(units::plural(elements, "parameter"));
        }
        if outputs.contains(statement.name.as_str()) {
            notes.push("output".to_string());
        }
    }
    notes
}

/// What a compiled program takes and gives.
fn interface(program: &Program) -> Vec<Vec<String>> {
    let row =
        |name: &str, width: u64, note: &str| line(name, format!("[N, {width}]"), note.to_string());
    let inputs = program.inputs.iter().map(|port| row(&port.name, port.width, "input"));
    let params = program.params.iter().map(|param| {
        let elements: u64 = param.shape.iter().product();
        line(&param.name, format!("{:?}", param.shape), units::plural(elements, "parameter"))
    });
    let outputs = program.outputs.iter().map(|port| row(&port.name, port.width, "output"));
    let targets = program.targets.iter().map(|port| row(&port.name, port.width, "target"));
    inputs.chain(params).chain(outputs).chain(targets).collect()
}
