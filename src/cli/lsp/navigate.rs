//! From a name to its definition and its uses.

use lsp_types::request::{DocumentHighlightRequest, GotoDefinition, References, Request};
use lsp_types::{DocumentHighlight, DocumentHighlightKind, GotoDefinitionResponse, OneOf};

use super::ability::{Ability, about};

/// Where a name is defined.
pub const DEFINITION: Ability = Ability {
    method: GotoDefinition::METHOD,
    announce: |to| to.definition_provider = Some(OneOf::Left(true)),
    answer: |server, params| {
        about::<GotoDefinition>(
            server,
            params,
            |params| &params.text_document_position_params.text_document.uri,
            |document, params| {
                let name = document.name_at(params.text_document_position_params.position);
                let place = name.map(|(name, _)| document.location(name.span));
                Ok(place.map(GotoDefinitionResponse::Scalar))
            },
        )
    },
};

/// Where a name is used.
pub const REFERENCES: Ability = Ability {
    method: References::METHOD,
    announce: |to| to.references_provider = Some(OneOf::Left(true)),
    answer: |server, params| {
        about::<References>(
            server,
            params,
            |params| &params.text_document_position.text_document.uri,
            |document, params| {
                let name = document.name_at(params.text_document_position.position);
                let places = name.map(|(name, _)| {
                    let defined = Some(&name.span).filter(|_| params.context.include_declaration);
                    let spans = defined.into_iter().chain(&name.uses);
                    spans.map(|span| document.location(*span)).collect()
                });
                Ok(places)
            },
        )
    },
};

/// The same within what is seen.
pub const HIGHLIGHT: Ability = Ability {
    method: DocumentHighlightRequest::METHOD,
    announce: |to| to.document_highlight_provider = Some(OneOf::Left(true)),
    answer: |server, params| {
        about::<DocumentHighlightRequest>(
            server,
            params,
            |params| &params.text_document_position_params.text_document.uri,
            |document, params| {
                let name = document.name_at(params.text_document_position_params.position);
                let places = name.map(|(name, _)| {
                    let mark = |span, kind| DocumentHighlight {
                        range: document.range(span),
                        kind: Some(kind),
                    };
                    let uses =
                        name.uses.iter().map(|use_| mark(*use_, DocumentHighlightKind::READ));
                    let defined = mark(name.span, DocumentHighlightKind::WRITE);
                    std::iter::once(defined).chain(uses).collect()
                });
                Ok(places)
            },
        )
    },
};
