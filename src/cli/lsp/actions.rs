//! What messages offer to write.

use arenet::internals::compiler::diagnostic::Diagnostic;
use arenet::internals::compiler::fix::Fix;
use lsp_types::request::{CodeActionRequest, Request};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOptions, CodeActionOrCommand,
    CodeActionProviderCapability,
};

use super::ability::{Ability, about};
use super::diagnose;
use super::document::Document;
use super::rename::edits_of;

pub const ACTIONS: Ability = Ability {
    method: CodeActionRequest::METHOD,
    announce: |to| {
        to.code_action_provider = Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        }));
    },
    answer: |server, params| {
        about::<CodeActionRequest>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, params| {
                let (start, end) =
                    (document.offset(params.range.start), document.offset(params.range.end));
                let told = &document.analysis().lowered.told;
                let here = told.iter().filter(|found| {
                    let range = found.span.range();
                    range.start <= end && start <= range.end
                });
                let all = here
                    .flat_map(|found| found.fixes.iter().map(|fix| action(document, found, fix)));
                Ok(Some(all.map(CodeActionOrCommand::CodeAction).collect()))
            },
        )
    },
};

fn action(document: &Document, found: &Diagnostic, fix: &Fix) -> CodeAction {
    let edits = fix.edits(&document.text).into_iter();
    let edits = edits.map(|edit| document.edit(edit.span, edit.text)).collect();
    CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnose::message(document, found)]),
        edit: Some(edits_of(document, edits)),
        is_preferred: Some(fix.is_certain),
        ..CodeAction::default()
    }
}
