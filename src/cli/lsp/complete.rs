//! What may stand at a place: words of the language with what they are, and names of the text.

use arenet::internals::compiler::forms::FORMS;
use arenet::internals::compiler::names::{Name, NameKind};
use arenet::internals::compiler::reference::{Item, Section, sections};
use arenet::internals::compiler::signature::Kind;
use arenet::internals::compiler::syntax::{Around, OpenCall, around, keywords};
use lsp_types::request::{Completion, Request};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionOptions, CompletionResponse, Documentation,
    MarkupContent, MarkupKind,
};

use super::ability::{Ability, about};
use super::document::Document;
use super::manual;

pub const COMPLETION: Ability = Ability {
    method: Completion::METHOD,
    announce: |to| {
        to.completion_provider = Some(CompletionOptions {
            trigger_characters: Some([">", "(", ","].map(String::from).to_vec()),
            ..CompletionOptions::default()
        });
    },
    answer: |server, params| {
        about::<Completion>(
            server,
            params,
            |params| &params.text_document_position.text_document.uri,
            |document, params| {
                let offset = document.offset(params.text_document_position.position);
                let items = items(document, offset, &around(&document.text, offset));
                Ok(Some(CompletionResponse::Array(items)))
            },
        )
    },
};

/// The sections of the reference that a value of a net is made of.
const VALUES: &[&str] = &["layers", "activations", "losses"];

fn items(document: &Document, offset: usize, around: &Around) -> Vec<CompletionItem> {
    let statement = around.statement.as_deref();
    let (section, is_value) = (around.section, !around.begins_statement);
    match (around.calls.last(), around.argument.as_deref()) {
        _ if around.is_text => Vec::new(),
        (Some(call), Some(argument)) => of_argument(document, offset, call, argument),
        (Some(_), None) if around.is_piped => called(document, offset),
        (Some(call), None) => {
            let named = named(call);
            named.into_iter().chain(values(document, offset)).collect()
        }
        (None, _) if !is_value => begins(section),
        (None, _) if around.is_piped => called(document, offset),
        (None, Some(_)) => Vec::new(), // a type
        (None, None) => match (section, statement) {
            (_, Some("optimizer")) => functions(&["optimizers"]),
            (Some("train"), Some("metric")) => functions(&["metrics", "losses"]),
            (Some("train"), Some("keep")) => functions(&["keep"]),
            (Some("train"), Some("stop")) => functions(&["stop"]),
            (Some("train"), Some("batch")) => vec![word("full")],
            (Some("train"), Some("shuffle")) => ["true", "false"].map(word).to_vec(),
            _ => values(document, offset),
        },
    }
}

/// What a statement of a section begins with.
fn begins(section: Option<&str>) -> Vec<CompletionItem> {
    let (place, settings): (_, &[&str]) = match section {
        Some("train") => ("inside `train`".to_string(), &["settings"]),
        Some(section) => (format!("inside `{section}`"), &[]),
        None => ("at the top of a file".to_string(), &[]),
    };
    let here = FORMS.iter().filter(|forms| forms.place == place).flat_map(|forms| forms.forms);
    let words: Vec<&str> = keywords().collect();
    let begins = here.filter(|form| words.contains(&form.name)).map(|form| CompletionItem {
        detail: Some(form.example.to_string()),
        documentation: markdown(form.about.to_string()),
        ..item(form.name, CompletionItemKind::KEYWORD)
    });
    let settings = functions(settings)
        .into_iter()
        .map(|setting| CompletionItem { kind: Some(CompletionItemKind::PROPERTY), ..setting });
    begins.chain(settings).collect()
}

/// The arguments of a call, by name.
fn named(call: &OpenCall) -> Vec<CompletionItem> {
    let mut items = Vec::new();
    for (section, function) in manual::entries(&call.function) {
        let named = manual::params(&function).iter().filter(|param| param.name != "...");
        items.extend(named.map(|param| CompletionItem {
            insert_text: Some(format!("{}: ", param.name)),
            documentation: markdown(manual::of_entry(&section, &function)),
            ..item(param.name, CompletionItemKind::FIELD)
        }));
    }
    items
}

/// What an argument may be.
fn of_argument(
    document: &Document,
    offset: usize,
    call: &OpenCall,
    argument: &str,
) -> Vec<CompletionItem> {
    let of = |(_, function): (Section, Item)| {
        let mut params = manual::params(&function).iter();
        params.find(|param| param.name == argument).map(|param| param.kind)
    };
    match manual::entries(&call.function).into_iter().find_map(of) {
        Some(Kind::Word(words)) => words.iter().copied().map(word).collect(),
        Some(Kind::WordOrReal(words)) => words.iter().copied().map(word).collect(),
        Some(Kind::Flag) => ["true", "false"].map(word).to_vec(),
        Some(Kind::Weights) => vec![word("balanced")],
        Some(Kind::Init) => functions(&["initializers"]),
        Some(Kind::Schedule) => functions(&["schedules"]),
        _ => values(document, offset),
    }
}

/// What a value may begin with.
fn values(document: &Document, offset: usize) -> Vec<CompletionItem> {
    let names = seen(document, offset).filter(|name| !name.kind.is_called());
    let names = names.map(|name| of_name(document, name));
    names.chain(called(document, offset)).collect()
}

/// What is called: functions of the language, and blocks and layers of the text.
fn called(document: &Document, offset: usize) -> Vec<CompletionItem> {
    let own = seen(document, offset).filter(|name| name.kind.is_called());
    own.map(|name| of_name(document, name)).chain(functions(VALUES)).collect()
}

/// The names that can be used at a place. A block sees its own and what is seen everywhere.
fn seen(document: &Document, offset: usize) -> impl Iterator<Item = &Name> {
    let names = &document.analysis().names;
    let holds =
        move |name: &Name| name.scope.range().contains(&offset) || name.scope.end == u32::MAX;
    let block = names
        .iter()
        .find(|name| name.kind == NameKind::Block && name.statement.range().contains(&offset));
    let block = block.map(|block| block.statement);
    names.iter().filter(move |name| {
        let is_own = block.is_none_or(|block| name.scope == block || name.scope.end == u32::MAX);
        holds(name) && is_own && !name.span.range().contains(&offset)
    })
}

fn of_name(document: &Document, name: &Name) -> CompletionItem {
    let kind = match name.kind {
        NameKind::Constant => CompletionItemKind::CONSTANT,
        NameKind::Block | NameKind::Layer => CompletionItemKind::FUNCTION,
        _ => CompletionItemKind::VARIABLE,
    };
    CompletionItem { detail: Some(document.detail(name)), ..item(&name.name, kind) }
}

/// The functions of some sections of the reference.
fn functions(of: &[&str]) -> Vec<CompletionItem> {
    let mut items = Vec::new();
    for section in sections().into_iter().filter(|section| of.contains(&section.name)) {
        for function in &section.items {
            items.push(CompletionItem {
                detail: Some(function.usage.clone()),
                documentation: markdown(manual::of_entry(&section, function)),
                ..item(function.name, CompletionItemKind::FUNCTION)
            });
        }
    }
    items
}

fn word(word: &str) -> CompletionItem {
    item(word, CompletionItemKind::ENUM_MEMBER)
}

fn item(label: &str, kind: CompletionItemKind) -> CompletionItem {
    CompletionItem { label: label.to_string(), kind: Some(kind), ..CompletionItem::default() }
}

fn markdown(value: String) -> Option<Documentation> {
    Some(Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value }))
}
