//! The session: what the editor says, in the order in which it says it.

use std::collections::HashMap;

use arenet::internals::compiler::diagnostic::Diagnostic;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, Notification as _,
    PublishDiagnostics,
};
use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    InitializeParams, InitializeResult, PositionEncodingKind, PublishDiagnosticsParams,
    ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ability::{ABILITIES, Answer, Refusal};
use super::diagnose;
use super::document::{Document, Encoding};
use crate::failure::{Failure, Kind};

/// What is open.
pub struct Server {
    encoding: Encoding,
    documents: HashMap<String, Document>,
    /// The documents whose mistakes have not been told since they changed.
    changed: Vec<Uri>,
}

impl Server {
    /// An open document.
    pub fn document(&self, uri: &Uri) -> Option<&Document> {
        self.documents.get(uri.as_str())
    }
}

/// Serves one session.
pub fn run() -> Result<(), Failure> {
    let (connection, threads) = Connection::stdio();
    let ended = session(&connection);
    drop(connection);
    // The thread that reads ends with what it could not read.
    let read = threads.join();
    match (ended, read) {
        (_, Err(error)) => {
            let text = format!("standard input: this is no message of an editor: {error}");
            Err(Failure::new(Kind::Data, text))
        }
        (true, Ok(())) => Ok(()),
        // The protocol asks for 1 where nobody has said `shutdown`.
        (false, Ok(())) => Err(Failure::Reported(Kind::Model)),
    }
}

/// Answers until the end; whether the editor has announced it.
fn session(connection: &Connection) -> bool {
    let Ok((id, params)) = connection.initialize_start() else { return false };
    let params: InitializeParams = serde_json::from_value(params).unwrap_or_default();
    let encodings = params.capabilities.general.and_then(|general| general.position_encodings);
    let is_utf8 = encodings.is_some_and(|known| known.contains(&PositionEncodingKind::UTF8));
    let encoding = if is_utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
    let result = serde_json::to_value(welcome(encoding)).unwrap_or_default();
    if connection.initialize_finish(id, result).is_err() {
        return false;
    }
    let mut server = Server { encoding, documents: HashMap::new(), changed: Vec::new() };
    while let Ok(message) = connection.receiver.recv() {
        match message {
            Message::Request(request) => match connection.handle_shutdown(&request) {
                Ok(false) => send(connection, answer(&server, request)),
                Ok(true) => return true,
                Err(_) => return false,
            },
            Message::Notification(notification) if notification.method == "exit" => return false,
            Message::Notification(notification) => {
                if let Some(told) = notice(&mut server, notification) {
                    send(connection, told);
                }
            }
            Message::Response(_) => {}
        }
        // While someone types, only the last text counts.
        if connection.receiver.is_empty() {
            for uri in std::mem::take(&mut server.changed) {
                if let Some(document) = server.document(&uri) {
                    send(connection, told(document, &document.told()));
                }
            }
        }
    }
    false
}

/// Sends a message; one that nobody reads is lost.
fn send(connection: &Connection, message: impl Into<Message>) {
    let _ = connection.sender.send(message.into());
}

/// Who the server is, and what it can do.
fn welcome(encoding: Encoding) -> InitializeResult {
    let mut capabilities = ServerCapabilities {
        position_encoding: Some(match encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Kind(
            TextDocumentSyncKind::INCREMENTAL,
        )),
        ..ServerCapabilities::default()
    };
    ABILITIES.iter().for_each(|ability| (ability.announce)(&mut capabilities));
    let version = Some(env!("CARGO_PKG_VERSION").to_string());
    let server_info = Some(ServerInfo { name: "arenet".to_string(), version });
    InitializeResult { capabilities, server_info }
}

/// Answers a request.
fn answer(server: &Server, Request { id, method, params }: Request) -> Response {
    let ability = ABILITIES.iter().find(|ability| ability.method == method);
    let result: Answer = match ability {
        Some(ability) => (ability.answer)(server, params),
        None => {
            let message = format!("`{method}` is nothing that this server answers");
            Err(Refusal { code: ErrorCode::MethodNotFound, message })
        }
    };
    match result {
        Ok(result) => Response::new_ok(id, result),
        Err(Refusal { code, message }) => Response::new_err(id, code as i32, message),
    }
}

/// Takes note of what the editor says, and gives what is to be told at once. What it says in a form
/// that is not of the protocol is passed over, as are notices that nothing comes of.
fn notice(server: &mut Server, notification: Notification) -> Option<Notification> {
    fn read<T: DeserializeOwned>(params: Value) -> Option<T> {
        serde_json::from_value(params).ok()
    }
    let Notification { method, params } = notification;
    match method.as_str() {
        DidOpenTextDocument::METHOD => {
            let opened = read::<DidOpenTextDocumentParams>(params)?.text_document;
            let uri = opened.uri.clone();
            keep(server, Document::new(uri, opened.version, opened.text, server.encoding));
        }
        DidChangeTextDocument::METHOD => {
            let params: DidChangeTextDocumentParams = read(params)?;
            let (uri, version) = (params.text_document.uri, params.text_document.version);
            for change in params.content_changes {
                let before = server.document(&uri)?;
                keep(server, before.changed(version, change.range, &change.text));
            }
        }
        DidCloseTextDocument::METHOD => {
            let uri = read::<DidCloseTextDocumentParams>(params)?.text_document.uri;
            let closed = server.documents.remove(uri.as_str())?;
            server.changed.retain(|other| *other != uri);
            return Some(told(&closed, &[]));
        }
        _ => {}
    }
    None
}

fn keep(server: &mut Server, document: Document) {
    if !server.changed.contains(&document.uri) {
        server.changed.push(document.uri.clone());
    }
    server.documents.insert(document.uri.as_str().to_string(), document);
}

/// What is told of a document.
fn told(document: &Document, found: &[Diagnostic]) -> Notification {
    let params = PublishDiagnosticsParams {
        uri: document.uri.clone(),
        diagnostics: found.iter().map(|found| diagnose::message(document, found)).collect(),
        version: Some(document.version),
    };
    Notification::new(PublishDiagnostics::METHOD.to_string(), params)
}
