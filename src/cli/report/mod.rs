//! The report of a run: one page of HTML that needs nothing else, no network either.
//!
//! `run.rs` is what is known of a run, and the rest makes a page of it.

pub mod compare;
mod curves;
mod looked;
mod looks;
mod norms;
mod numbers;
mod page;
mod points;
mod record;
mod run;

pub use record::Recorder;
pub use run::Ending;
