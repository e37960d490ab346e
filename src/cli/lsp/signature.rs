//! The arguments of the call that is being written.

use arenet::internals::compiler::names::{Name, NameKind};
use arenet::internals::compiler::syntax::{Around, OpenCall, around};
use lsp_types::request::{Request, SignatureHelpRequest};
use lsp_types::{
    Documentation, ParameterInformation, ParameterLabel, SignatureHelp, SignatureHelpOptions,
    SignatureInformation,
};

use super::ability::{Ability, about};
use super::document::Document;
use super::manual;

pub const SIGNATURE: Ability = Ability {
    method: SignatureHelpRequest::METHOD,
    announce: |to| {
        to.signature_help_provider = Some(SignatureHelpOptions {
            trigger_characters: Some(vec!["(".to_string(), ",".to_string()]),
            ..SignatureHelpOptions::default()
        });
    },
    answer: |server, params| {
        about::<SignatureHelpRequest>(
            server,
            params,
            |params| &params.text_document_position_params.text_document.uri,
            |document, params| {
                let position = params.text_document_position_params.position;
                Ok(help(document, &around(&document.text, document.offset(position))))
            },
        )
    },
};

fn help(document: &Document, around: &Around) -> Option<SignatureHelp> {
    let call = around.calls.last()?;
    let signatures: Vec<SignatureInformation> =
        shapes(document, call).into_iter().map(|shape| information(shape, call, around)).collect();
    let (active_signature, active_parameter) = (Some(0), None);
    (!signatures.is_empty()).then_some(SignatureHelp {
        signatures,
        active_signature,
        active_parameter,
    })
}

/// How a function can be called: its name, its parameters, and what it is.
struct Shape {
    name: String,
    params: Vec<String>,
    about: Option<String>,
}

/// Those of the language, or of a block or a layer of the text.
fn shapes(document: &Document, call: &OpenCall) -> Vec<Shape> {
    let entries = manual::entries(&call.function).into_iter();
    let known = entries.filter_map(|(_, item)| item.signature).map(|function| {
        let usage = function.usage();
        let inner = usage.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
        let params = inner.split(", ").filter(|param| !param.is_empty());
        Shape {
            name: function.name.to_string(),
            params: params.map(str::to_string).collect(),
            about: Some(function.about.to_string()),
        }
    });
    let names = &document.analysis().names;
    let is_called = |name: &&Name| name.kind.is_called() && name.name == call.function;
    let own = names.iter().filter(is_called).map(|called| {
        let is_param =
            |name: &&Name| name.kind == NameKind::Argument && name.scope == called.statement;
        let params = names.iter().filter(is_param).map(|param| param.name.clone());
        Shape { name: called.name.clone(), params: params.collect(), about: None }
    });
    known.chain(own).collect()
}

fn information(shape: Shape, call: &OpenCall, around: &Around) -> SignatureInformation {
    let mut label = shape.name + "(";
    let mut params = Vec::new();
    for (index, param) in shape.params.iter().enumerate() {
        label.push_str(if index > 0 { ", " } else { "" });
        let start = label.encode_utf16().count() as u32;
        label.push_str(param);
        let end = label.encode_utf16().count() as u32;
        let documentation = None;
        let label = ParameterLabel::LabelOffsets([start, end]);
        params.push(ParameterInformation { label, documentation });
    }
    label.push(')');
    let named = around.argument.as_ref().and_then(|argument| {
        shape.params.iter().position(|param| param.trim_end_matches(':') == argument)
    });
    let active = named.unwrap_or(call.commas + usize::from(call.is_piped));
    SignatureInformation {
        label,
        documentation: shape.about.map(Documentation::String),
        active_parameter: (active < params.len()).then_some(active as u32),
        parameters: Some(params),
    }
}
