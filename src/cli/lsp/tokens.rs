//! The class of each word, by what its name stands for.

use std::collections::HashMap;

use arenet::internals::compiler::names::NameKind;
use arenet::internals::compiler::syntax::{Class, classes};
use lsp_types::request::{Request, SemanticTokensFullRequest, SemanticTokensRangeRequest};
use lsp_types::{
    Range, SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokens,
    SemanticTokensFullOptions, SemanticTokensLegend, SemanticTokensOptions,
    SemanticTokensRangeResult, SemanticTokensResult, SemanticTokensServerCapabilities,
};

use super::ability::{Ability, about};
use super::document::Document;
use super::manual;

/// The classes that are told, of which a token has the index.
const TYPES: [SemanticTokenType; 9] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::NUMBER,
    SemanticTokenType::STRING,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::COMMENT,
];
/// What more is told, each by its bit.
const MODIFIERS: [SemanticTokenModifier; 2] =
    [SemanticTokenModifier::DECLARATION, SemanticTokenModifier::READONLY];

pub const TOKENS: Ability = Ability {
    method: SemanticTokensFullRequest::METHOD,
    announce: |to| {
        let legend = SemanticTokensLegend {
            token_types: TYPES.to_vec(),
            token_modifiers: MODIFIERS.to_vec(),
        };
        to.semantic_tokens_provider =
            Some(SemanticTokensServerCapabilities::SemanticTokensOptions(SemanticTokensOptions {
                legend,
                range: Some(true),
                full: Some(SemanticTokensFullOptions::Bool(true)),
                ..SemanticTokensOptions::default()
            }));
    },
    answer: |server, params| {
        about::<SemanticTokensFullRequest>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, _| Ok(Some(SemanticTokensResult::Tokens(tokens(document, None)))),
        )
    },
};

pub const RANGE: Ability = Ability {
    method: SemanticTokensRangeRequest::METHOD,
    announce: |_| {},
    answer: |server, params| {
        about::<SemanticTokensRangeRequest>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, params| {
                let tokens = tokens(document, Some(params.range));
                Ok(Some(SemanticTokensRangeResult::Tokens(tokens)))
            },
        )
    },
};

fn tokens(document: &Document, range: Option<Range>) -> SemanticTokens {
    let mut kinds: HashMap<u32, (NameKind, bool)> = HashMap::new();
    for name in &document.analysis().names {
        kinds.insert(name.span.start, (name.kind, true));
        for place in &name.uses {
            kinds.insert(place.start, (name.kind, false));
        }
    }
    let mut data = Vec::new();
    let (mut line, mut start) = (0, 0);
    for (span, class) in classes(&document.text) {
        let (ty, modifiers) = match (class, kinds.get(&span.start)) {
            (Class::Name, Some((kind, is_defined))) => of_kind(*kind, *is_defined),
            (Class::Name, None) => (of_word(document, span.range()), 0),
            (class, _) => (of_class(class), 0),
        };
        let index = TYPES.iter().position(|known| *known == ty).unwrap_or_default() as u32;
        // No token goes over the end of a line, as comments of other languages do.
        let mut from = span.range().start;
        for part in document.text[span.range()].split_inclusive('\n') {
            let end = from + part.trim_end().len();
            let (first, last) = (document.position(from), document.position(end));
            from += part.len();
            let is_seen = range.is_none_or(|range| range.start <= last && first <= range.end);
            if !is_seen || first == last {
                continue;
            }
            let delta_line = first.line - line;
            let delta_start = first.character - if delta_line == 0 { start } else { 0 };
            (line, start) = (first.line, first.character);
            data.push(SemanticToken {
                delta_line,
                delta_start,
                length: last.character - first.character,
                token_type: index,
                token_modifiers_bitset: modifiers,
            });
        }
    }
    SemanticTokens { result_id: None, data }
}

fn of_class(class: Class) -> SemanticTokenType {
    match class {
        Class::Keyword => SemanticTokenType::KEYWORD,
        Class::Name => SemanticTokenType::VARIABLE,
        Class::Number => SemanticTokenType::NUMBER,
        Class::String => SemanticTokenType::STRING,
        Class::Operator => SemanticTokenType::OPERATOR,
        Class::Comment => SemanticTokenType::COMMENT,
    }
}

fn of_kind(kind: NameKind, is_defined: bool) -> (SemanticTokenType, u32) {
    let ty = match kind {
        NameKind::Argument => SemanticTokenType::PARAMETER,
        NameKind::Block | NameKind::Layer => SemanticTokenType::FUNCTION,
        _ => SemanticTokenType::VARIABLE,
    };
    (ty, u32::from(is_defined) | u32::from(kind == NameKind::Constant) << 1)
}

/// A word that no statement defines: an argument or a setting, or a function of the language.
fn of_word(document: &Document, range: std::ops::Range<usize>) -> SemanticTokenType {
    let rest = document.text[range.end..].trim_start();
    match rest.starts_with([':', '=']) {
        true => SemanticTokenType::PROPERTY,
        false if !manual::entries(&document.text[range]).is_empty() => SemanticTokenType::FUNCTION,
        false => SemanticTokenType::VARIABLE,
    }
}
