//! Weights of bfloat16 and of 8-bit integers: products against plain references, and whole nets.

#[path = "../common/mod.rs"]
mod common;
mod nets;
mod products;
