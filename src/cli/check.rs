//! `arenet check`: what is wrong with a model, or the shape of every statement.

use std::collections::HashSet;
use std::path::PathBuf;

use arenet::internals::compiler::Purpose;
use arenet::internals::compiler::model::Model;
use arenet::internals::runtime::program::Program;
use clap::Args;

use super::source::{Source, parameters};
use super::{Context, console, failure::Failure, units};

/// What to check.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet check models/iris.net")]
pub struct CheckArgs {
    /// The model, .net or .netc
    model: PathBuf,
}

/// Checks and prints.
pub fn run(cx: &Context, args: &CheckArgs) -> Result<(), Failure> {
    let source = Source::read(cx, &args.model)?;
    let built = source.build(cx, None, Purpose::Train)?;
    let lines = match &built.compiled {
        Some(compiled) => statements(&compiled.model),
        None => interface(built.program()),
    };
    let total = units::plural(parameters(built.program()), "parameter");
    let mut text = units::columns(&lines, &[false; 4]);
    text.push_str(&format!("{}: ok, {total}\n", source.name()));
    console::print(text)
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
