//! Gives a name another text, everywhere.

use std::collections::HashMap;

use arenet::internals::compiler::diagnostic::Span;
use arenet::internals::compiler::layer::functions;
use arenet::internals::compiler::names::Name;
use arenet::internals::compiler::syntax::keywords;
use lsp_types::request::{PrepareRenameRequest, Rename, Request};
use lsp_types::{OneOf, PrepareRenameResponse, RenameOptions, TextEdit, WorkspaceEdit};

use super::ability::{Ability, Refusal, about};
use super::document::Document;

/// What would be renamed.
pub const PREPARE: Ability = Ability {
    method: PrepareRenameRequest::METHOD,
    announce: |_| {},
    answer: |server, params| {
        about::<PrepareRenameRequest>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, params| {
                let name = document.name_at(params.position);
                let name = name.ok_or_else(|| nameless(document, params.position))?;
                Ok(Some(PrepareRenameResponse::RangeWithPlaceholder {
                    range: document.range(name.1),
                    placeholder: name.0.name.clone(),
                }))
            },
        )
    },
};

/// Renames.
pub const RENAME: Ability = Ability {
    method: Rename::METHOD,
    announce: |to| {
        to.rename_provider = Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        }));
    },
    answer: |server, params| {
        about::<Rename>(
            server,
            params,
            |params| &params.text_document_position.text_document.uri,
            |document, params| {
                let position = params.text_document_position.position;
                let name = document.name_at(position);
                let (name, _) = name.ok_or_else(|| nameless(document, position))?;
                check(document, name, &params.new_name)?;
                let spans = std::iter::once(&name.span).chain(&name.uses);
                let edits = spans.map(|span| document.edit(*span, &params.new_name)).collect();
                Ok(Some(edits_of(document, edits)))
            },
        )
    },
};

/// Edits of one document.
pub fn edits_of(document: &Document, edits: Vec<TextEdit>) -> WorkspaceEdit {
    WorkspaceEdit::new(HashMap::from([(document.uri.clone(), edits)]))
}

fn nameless(document: &Document, position: lsp_types::Position) -> Refusal {
    Refusal::failed(match document.word_at(position) {
        Some((word, _)) => format!("`{word}` belongs to the language, or is not defined here"),
        None => "there is no name here".to_string(),
    })
}

/// Refuses what can be no name, and what means something else where this name is used.
fn check(document: &Document, name: &Name, new: &str) -> Result<(), Refusal> {
    let is_name = new.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && new.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !is_name {
        let text = "a name is made of the letters A to Z, digits and `_`, and begins with no digit";
        return Err(Refusal::failed(text));
    }
    if keywords().any(|word| word == new) {
        return Err(Refusal::failed(format!("`{new}` is a keyword and cannot be a name")));
    }
    if new == "N" {
        return Err(Refusal::failed("`N` is the batch and cannot be a name"));
    }
    if name.kind.is_called() && functions().any(|function| function.name() == new) {
        return Err(Refusal::failed(format!("`{new}` is a function of the language")));
    }
    let meets = |other: &&Name| {
        other.name == new && other.span != name.span && overlap(other.scope, name.scope)
    };
    match document.analysis().names.iter().find(meets) {
        Some(other) => {
            let (kind, line) =
                (other.kind.word(), document.position(other.span.range().start).line);
            let text = format!("`{new}` is the {kind} of line {} already", line + 1);
            Err(Refusal::failed(text))
        }
        None => Ok(()),
    }
}

fn overlap(a: Span, b: Span) -> bool {
    a.start < b.end && b.start < a.end
}
