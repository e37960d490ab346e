//! The machine as a whole: what the compiler makes, and programs made by hand, on every instruction
//! set.

mod columns;
#[path = "../common/mod.rs"]
mod common;
mod embedding;
mod executor;
mod gemm;
mod gradients;
mod limits;
mod losses;
mod maps;
mod masks;
mod narrow_nets;
mod narrow_products;
mod operators;
mod orthogonal;
mod random_graphs;
mod random_nets;
mod shared;
mod updates;
