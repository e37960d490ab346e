//! What the measurements share; the package is one for the sake of its dependencies.

pub mod shared;
#[path = "shared/workloads.rs"]
pub mod workloads;
