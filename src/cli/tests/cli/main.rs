//! The command `arenet`, through its binary: what it prints where, and how it exits.

mod arrays;
mod check;
mod classes;
mod columns;
mod common;
mod data_errors;
mod divergence;
#[cfg(unix)]
mod documents;
mod drawings;
mod eval;
mod events;
mod files;
mod fixes;
mod fmt;
mod foreign;
mod inspect;
#[cfg(unix)]
mod interrupt;
mod kills;
mod lints;
#[cfg(feature = "lsp")]
mod lsp;
mod model_errors;
mod new;
mod online;
mod outputs;
mod pipes;
mod predict;
mod profile;
mod pytorch;
mod report;
mod splits;
mod tour;
mod train;
mod trials;
mod usage;
mod weights;
