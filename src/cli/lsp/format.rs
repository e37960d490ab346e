//! Brings a text into the usual form, as `arenet fmt` does.

use arenet::internals::compiler::diagnostic::Span;
use arenet::internals::compiler::syntax::format;
use lsp_types::OneOf;
use lsp_types::request::{Formatting, Request};

use super::ability::{Ability, Refusal, about};

pub const FORMATTING: Ability = Ability {
    method: Formatting::METHOD,
    announce: |to| to.document_formatting_provider = Some(OneOf::Left(true)),
    answer: |server, params| {
        about::<Formatting>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, _| {
                let formatted = format(&document.text).map_err(|mistakes| {
                    let first = mistakes.first().map(|first| first.message.as_str());
                    Refusal::failed(format!("it cannot be read: {}", first.unwrap_or_default()))
                })?;
                let all = Span::of(0..document.text.len());
                let differs = formatted != document.text;
                Ok(Some(differs.then(|| document.edit(all, formatted)).into_iter().collect()))
            },
        )
    },
};
