//! `arenet lsp`: a language server for editors, which speaks the Language Server Protocol over
//! standard input and output. It is part of the command with the feature `lsp`.

#[cfg(feature = "lsp")]
mod ability;
#[cfg(feature = "lsp")]
mod actions;
#[cfg(feature = "lsp")]
mod complete;
#[cfg(feature = "lsp")]
mod diagnose;
#[cfg(feature = "lsp")]
mod document;
#[cfg(feature = "lsp")]
mod format;
#[cfg(feature = "lsp")]
mod hints;
#[cfg(feature = "lsp")]
mod hover;
#[cfg(feature = "lsp")]
mod manual;
#[cfg(feature = "lsp")]
mod navigate;
#[cfg(feature = "lsp")]
mod outline;
#[cfg(feature = "lsp")]
mod rename;
#[cfg(feature = "lsp")]
mod server;
#[cfg(feature = "lsp")]
mod signature;
#[cfg(feature = "lsp")]
mod tokens;

use clap::Args;

use super::failure::Failure;

/// A server for an editor, which starts it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "An editor starts it and speaks with it on standard input and output.\n\
                        Example: arenet lsp")]
pub struct LspArgs {}

/// Serves until the editor says that it is enough.
#[cfg(feature = "lsp")]
pub fn run() -> Result<(), Failure> {
    server::run()
}

/// Says how to get what this command was built without.
#[cfg(not(feature = "lsp"))]
pub fn run() -> Result<(), Failure> {
    let failure = Failure::usage("this command was built without the language server");
    Err(failure.help("build it with `cargo install --path src/cli --features lsp`"))
}
