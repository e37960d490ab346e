//! `arenet check`: what is wrong with a model, or the shape of every statement; and what is wrong
//! with a table for it, or which rows and columns of it a training would take.

use std::collections::HashSet;
use std::path::PathBuf;

use arenet::internals::compiler::Purpose;
use arenet::internals::compiler::model::Model;
use arenet::internals::runtime::program::text::shown;
use arenet::internals::runtime::program::{Port, Program};
use arenet::internals::runtime::train::Settings;
use clap::Args;

use super::args::DataArgs;
use super::source::{Built, Source, parameters};
use super::{Context, console, data, failure::Failure, train, units};

/// What to check.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Without --data and what says how to read it, the model alone is checked.\n\
                  Example: arenet check models/iris.net --data models/iris.csv"
)]
pub struct CheckArgs {
    /// The model, .net or .netc
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

/// Checks and prints.
pub fn run(cx: &Context, args: &CheckArgs) -> Result<(), Failure> {
    let source = Source::read(cx, &args.model)?;
    let built = source.build(cx, None, Purpose::Train)?;
    let rows = args.data.is_given().then(|| rows(cx, &source, &built, &args.data)).transpose()?;
    let lines = match &built.compiled {
        Some(compiled) => statements(&compiled.model),
        None => interface(built.program()),
    };
    let total = units::plural(parameters(built.program()), "parameter");
    let mut text = units::columns(&lines, &[false; 4]);
    text.push_str(&rows.unwrap_or_default());
    text.push_str(&format!("{}: ok, {total}\n", source.name()));
    console::print(text)
}

/// Reads rows as a training would, says what is to be said of them, and what it would take.
fn rows(cx: &Context, source: &Source, built: &Built, args: &DataArgs) -> Result<String, Failure> {
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
        train::lint(cx, &trainer);
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
