//! Runs Arenet programs: one arena, SIMD kernels, training and prediction.

pub mod arena;
pub mod data;
pub mod exec;
pub mod files;
pub mod kernel;
pub mod limits;
pub mod machine;
pub mod predict;
pub mod pytorch;
pub mod random;
pub mod rows;
pub mod simd;
pub mod spill;
mod straight;
pub mod train;
pub mod weights;

/// The machine's instruction set, a package of its own: what is run.
pub use arenet_program as program;
