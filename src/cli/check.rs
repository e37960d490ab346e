//! `arenet check`: what is wrong with a model, or the shape of every statement.

use std::path::PathBuf;

use arenet::compiler::graph::OriginId;
use arenet::compiler::model::Model;
use arenet::runtime::program::Program;
use clap::Args;

use super::source::Source;
use super::train::parameters;
use super::{Context, console, failure::Failure, units};

/// What to check.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet check models/iris.net")]
pub struct CheckArgs {
    /// The model, .net or .netc
    model: PathBuf,
}

/// A line of the table: a name, its shape, and what there is to say.
type Line = (String, String, String);

/// Checks and prints.
pub fn run(cx: &Context, args: &CheckArgs) -> Result<(), Failure> {
    let source = Source::read(&args.model)?;
    let built = source.build(cx, None, true)?;
    let lines = match &built.compiled {
        Some(compiled) => statements(&compiled.model),
        None => interface(built.program()),
    };
    let total = units::plural(parameters(built.program()), "parameter");
    let mut text = table(&lines);
    text.push_str(&format!("{}: ok, {total}\n", source.name()));
    console::print(text)
}

fn table(lines: &[Line]) -> String {
    let width = |part: fn(&Line) -> &String| {
        lines.iter().map(|line| part(line).chars().count()).max().unwrap_or(0)
    };
    let (names, shapes) = (width(|line| &line.0), width(|line| &line.1));
    lines.iter().fold(String::new(), |text, (name, shape, note)| {
        let line = format!("  {name:<names$}  {shape:<shapes$}  {note}");
        text + line.trim_end() + "\n"
    })
}

/// A line for each statement that nodes come from.
fn statements(model: &Model) -> Vec<Line> {
    let graph = &model.graph;
    let mut last = vec![None; graph.origins.len()];
    for id in graph.ids() {
        if let Some(last) = last.get_mut(graph.node(id).origin.0 as usize) {
            *last = Some(id);
        }
    }
    let line = |(index, origin): (usize, &arenet::compiler::graph::Origin)| {
        let node = graph.node(last[index]?);
        let name = if origin.name.is_empty() { return None } else { origin.name.clone() };
        Some((name, node.ty().to_string(), note(model, OriginId(index as u32), &origin.name)))
    };
    graph.origins.iter().enumerate().filter_map(line).collect()
}

/// What a statement is to the outside, and the parameters that it has.
fn note(model: &Model, origin: OriginId, name: &str) -> String {
    let graph = &model.graph;
    let own = |node| graph.node(node).origin == origin;
    let mut notes = Vec::new();
    if model.inputs.iter().any(|port| own(port.node)) {
        notes.push("input".to_string());
    }
    if model.targets.iter().any(|port| own(port.node)) {
        notes.push("target".to_string());
    }
    let params = model.params.iter().filter(|param| own(param.node));
    let elements: u64 = params.map(|param| param.shape.fixed_elements() as u64).sum();
    if elements > 0 {
        notes.push(units::plural(elements, "parameter"));
    }
    if model.outputs.iter().any(|(output, _)| output == name) {
        notes.push("output".to_string());
    }
    notes.join(", ")
}

/// What a compiled program takes and gives.
fn interface(program: &Program) -> Vec<Line> {
    let row = |name: &str, width: u64, note: &str| {
        (name.to_string(), format!("[N, {width}]"), note.to_string())
    };
    let inputs = program.inputs.iter().map(|port| row(&port.name, port.width, "input"));
    let params = program.params.iter().map(|param| {
        let elements: u64 = param.shape.iter().product();
        (param.name.clone(), format!("{:?}", param.shape), units::plural(elements, "parameter"))
    });
    let outputs = program.outputs.iter().map(|port| row(&port.name, port.width, "output"));
    let targets = program.targets.iter().map(|port| row(&port.name, port.width, "target"));
    inputs.chain(params).chain(outputs).chain(targets).collect()
}
