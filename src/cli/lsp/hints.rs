//! Shapes, behind the names of values whose statements do not say them.

use arenet::internals::compiler::lower::Known;
use arenet::internals::compiler::names::{Name, NameKind};
use lsp_types::request::{InlayHintRequest, Request};
use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, OneOf};

use super::ability::{Ability, about};
use super::document::Document;

pub const HINTS: Ability = Ability {
    method: InlayHintRequest::METHOD,
    announce: |to| to.inlay_hint_provider = Some(OneOf::Left(true)),
    answer: |server, params| {
        about::<InlayHintRequest>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, params| {
                let (start, end) =
                    (document.offset(params.range.start), document.offset(params.range.end));
                let seen = |name: &&Name| (start..=end).contains(&(name.span.end as usize));
                let names = document.analysis().names.iter().filter(seen);
                Ok(Some(names.filter_map(|name| hint(document, name)).collect()))
            },
        )
    },
};

fn hint(document: &Document, name: &Name) -> Option<InlayHint> {
    let is_unsaid = matches!(name.kind, NameKind::Value | NameKind::Output | NameKind::Argument);
    let Known::Value(ty) = document.analysis().known.get(&name.span).filter(|_| is_unsaid)? else {
        return None;
    };
    Some(InlayHint {
        position: document.position(name.span.range().end),
        label: InlayHintLabel::String(format!(": {}", ty.to_string().trim_start_matches("f32"))),
        kind: Some(InlayHintKind::TYPE),
        text_edits: None,
        tooltip: None,
        padding_left: None,
        padding_right: None,
        data: None,
    })
}
