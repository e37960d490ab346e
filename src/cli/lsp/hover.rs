//! What stands under the pointer: a name with its shape and what running it takes, or a word of the
//! language with what it is.

use arenet::internals::compiler::Compiled;
use arenet::internals::compiler::lower::Known;
use arenet::internals::compiler::names::Name;
use arenet::internals::compiler::show;
use arenet::internals::compiler::show::layers::{Layer, layers};
use arenet::internals::compiler::syntax::around;
use arenet::internals::runtime::exec::EntryPoint;
use lsp_types::request::{HoverRequest, Request};
use lsp_types::{Hover, HoverContents, HoverProviderCapability, MarkupContent, MarkupKind};

use super::ability::{Ability, about};
use super::document::Document;
use super::manual;
use crate::units;

pub const HOVER: Ability = Ability {
    method: HoverRequest::METHOD,
    announce: |to| to.hover_provider = Some(HoverProviderCapability::Simple(true)),
    answer: |server, params| {
        about::<HoverRequest>(
            server,
            params,
            |params| &params.text_document_position_params.text_document.uri,
            |document, params| Ok(hover(document, params.text_document_position_params.position)),
        )
    },
};

fn hover(document: &Document, position: lsp_types::Position) -> Option<Hover> {
    let (text, span) = match document.name_at(position) {
        Some((name, span)) => (of_name(document, name), span),
        None => {
            let (word, span) = document.word_at(position)?;
            (of_word(document, word, span.range().end)?, span)
        }
    };
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: text };
    let range = Some(document.range(span));
    Some(Hover { contents: HoverContents::Markup(contents), range })
}

/// What a word of the language is; of an argument, the function that it is of.
fn of_word(document: &Document, word: &str, end: usize) -> Option<String> {
    let is_argument = document.text[end..].trim_start().starts_with(':');
    let call = around(&document.text, end).calls.pop().filter(|_| is_argument);
    let of = call.map(|call| call.function).filter(|function| {
        let entries = manual::entries(function);
        let mut params = entries.iter().flat_map(|(_, item)| manual::params(item));
        params.any(|param| param.name == word)
    });
    manual::of_word(of.as_deref().unwrap_or(word))
}

/// What a name is: its kind and its type, and of a text without mistakes, what it takes.
fn of_name(document: &Document, name: &Name) -> String {
    let known = document.analysis().known.get(&name.span);
    let is = match known {
        Some(Known::Value(ty)) => format!(": {ty}"),
        Some(Known::Number(number)) => format!(" = {number}"),
        None => String::new(),
    };
    let mut text = format!("```net\n{} {}{is}\n```", name.kind.word(), name.name);
    let lines = document.compiled().map(|compiled| figures(document, compiled, &name.name));
    for line in lines.into_iter().flatten() {
        text.push_str(&format!("\n\n{line}"));
    }
    text
}

/// What a statement takes: parameters and operations, its place in the memory plan, and what of it
/// is computed in which steps.
fn figures(document: &Document, compiled: &Compiled, name: &str) -> Vec<String> {
    let program = compiled.program.program();
    let mut lines = Vec::new();
    // What a block computes belongs to the statement that calls it.
    let within = format!("{name}.");
    let is_own = |layer: &&Layer| layer.name == name || layer.name.starts_with(&within);
    let layers = layers(&compiled.model, &document.text);
    let own: Vec<&Layer> = layers.iter().filter(is_own).collect();
    let elements = |param: &usize| program.params[*param].shape.iter().product::<u64>();
    let count: u64 = own.iter().flat_map(|layer| &layer.params).map(elements).sum();
    let flops = own.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.flops));
    let params = (count > 0).then(|| units::plural(count, "parameter"));
    let flops = (flops > 0).then(|| format!("{} FLOP a row", units::count(flops)));
    let parts: Vec<String> = params.into_iter().chain(flops).collect();
    lines.extend((!parts.is_empty()).then(|| parts.join(", ")));
    let is_trained = program.training.is_some();
    let entry = if is_trained { EntryPoint::Train } else { EntryPoint::Predict };
    let (plan, routine) = (&compiled.plans[entry], &program.routines[entry]);
    let values =
        plan.values.iter().zip(show::plan(plan, routine, &document.text).into_iter().skip(1));
    for (value, [_, _, role, offset, _, steps, freed]) in values.filter(|(of, _)| *of.name == *name)
    {
        let bytes = units::count(value.bytes);
        let freed = if freed == "-" { String::new() } else { format!(", freed after {freed}") };
        lines.push(format!("{role}: {bytes} bytes at {offset}, steps {steps}{freed}"));
    }
    let formulas = show::formulas(&compiled.model, &compiled.stages[entry]);
    let own = |formula: &&String| {
        let of = formula.split([' ', '.']).next().unwrap_or_default();
        of == name || of.strip_prefix('∂') == Some(name)
    };
    let mut code = String::new();
    for (step, formulas) in formulas.iter().enumerate() {
        for formula in formulas.iter().filter(own) {
            code.push_str(&format!("{step:>4}  {formula}\n"));
        }
    }
    lines.extend((!code.is_empty()).then(|| format!("In {}:\n```text\n{code}```", entry.name())));
    lines
}
