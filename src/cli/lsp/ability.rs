//! What the server can do: the one list of it, and what an entry says.

use lsp_types::request::Request;
use lsp_types::{ServerCapabilities, Uri};
use serde_json::Value;

use super::document::Document;
use super::server::Server;
use super::{
    actions, complete, format, hints, hover, navigate, outline, rename, signature, tokens,
};

/// A request that the server answers.
pub struct Ability {
    /// The name of the request.
    pub method: &'static str,
    /// Says to the editor that it may ask.
    pub announce: fn(&mut ServerCapabilities),
    /// Answers.
    pub answer: fn(&Server, Value) -> Answer,
}

/// All that the server can do beside telling of mistakes.
pub const ABILITIES: [Ability; 15] = [
    hover::HOVER,
    navigate::DEFINITION,
    navigate::REFERENCES,
    navigate::HIGHLIGHT,
    rename::PREPARE,
    rename::RENAME,
    complete::COMPLETION,
    signature::SIGNATURE,
    hints::HINTS,
    format::FORMATTING,
    actions::ACTIONS,
    tokens::TOKENS,
    tokens::RANGE,
    outline::SYMBOLS,
    outline::FOLDING,
];

/// A result, or why there is none.
pub type Answer = Result<Value, Refusal>;

/// Why a request has no result.
#[derive(Debug)]
pub struct Refusal {
    /// One of the protocol's codes.
    pub code: lsp_server::ErrorCode,
    /// What the editor shows.
    pub message: String,
}

impl Refusal {
    /// That it cannot be done, which the editor shows.
    pub fn failed(message: impl Into<String>) -> Refusal {
        Refusal { code: lsp_server::ErrorCode::RequestFailed, message: message.into() }
    }
}

/// Answers a request about a document.
pub fn about<R: Request>(
    server: &Server,
    params: Value,
    uri: fn(&R::Params) -> &Uri,
    answer: impl Fn(&Document, &R::Params) -> Result<R::Result, Refusal>,
) -> Answer {
    let invalid = |message: String| Refusal { code: lsp_server::ErrorCode::InvalidParams, message };
    let params: R::Params =
        serde_json::from_value(params).map_err(|error| invalid(error.to_string()))?;
    let document = server.document(uri(&params)).ok_or_else(|| {
        let message = format!("{} is not open", uri(&params).as_str());
        invalid(message)
    })?;
    let result = answer(document, &params)?;
    Ok(serde_json::to_value(result).unwrap_or_default())
}
