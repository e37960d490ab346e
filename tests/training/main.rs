//! Training and prediction through the public API.

mod accumulate;
mod balance;
mod columns;
mod common;
mod diagnosis;
mod divergence;
mod epochs;
mod exact;
mod explanations;
mod fits;
mod held;
mod lints;
mod loading;
mod memory;
mod metrics;
mod modes;
#[path = "../reference/optimizer.rs"]
mod optimizer;
mod own;
mod plateau;
mod reference;
mod refusals;
mod resume;
mod same_bits;
mod spill;
mod sums;
mod watch;
