//! The drawings of `show`: which graph, and which plan.

use arenet::internals::compiler::show::diagram::diagram;
use arenet::internals::runtime::exec::EntryPoint;

use super::{compiled_of, untrained};
use crate::draw::{arena, graph};
use crate::failure::Failure;
use crate::source::{Built, Source, parameters};
use crate::units;

/// The statements of the net as a graph: what predicts, what evaluates, or training with the
/// gradients beside it.
pub fn net(source: &Source, built: &Built, entry: EntryPoint) -> Result<String, Failure> {
    let (compiled, program) = (compiled_of(source, built)?, built.program());
    let backward = match entry {
        EntryPoint::Predict | EntryPoint::Eval => false,
        EntryPoint::Train => true,
        EntryPoint::Init | EntryPoint::Update | EntryPoint::Fit => {
            let text = format!("{} has no statements of its own to draw", entry.name());
            return Err(Failure::usage(text).help("choose predict, eval or train with --entry"));
        }
    };
    if entry != EntryPoint::Predict && program.training.is_none() {
        return Err(untrained(source, "loss"));
    }
    let text = source.text().unwrap_or_default();
    let diagram = diagram(&compiled.model, text, entry != EntryPoint::Predict);
    let count = units::plural(parameters(program), "parameter");
    let about = match backward {
        true => format!("{count}; train, gradients beside"),
        false => format!("{count}; {}", entry.name()),
    };
    Ok(graph::graph(&program.name, &about, &diagram, backward))
}

/// The memory plan of an entry point as a map.
pub fn plan(source: &Source, built: &Built, entry: EntryPoint) -> Result<String, Failure> {
    let compiled = built.compiled.as_ref().ok_or_else(|| {
        let name = source.name();
        let text = format!("{name}: a compiled program does not say when its values are alive");
        Failure::usage(text).help("give the .net file, or leave out svg for the places of values")
    })?;
    let program = built.program();
    let rows = units::plural(program.batch, "row");
    let title = format!("{}: the arena of {}, {rows}", program.name, entry.name());
    Ok(arena::arena(&title, &compiled.plans[entry], program, &program.routines[entry]))
}
