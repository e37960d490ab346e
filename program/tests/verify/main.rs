//! The instruction set's guards: what may be executed, and what its bytes may be.

mod accept;
mod codec;
mod columns;
mod gather;
mod lifetime;
mod names;
mod narrow;
mod refuse;
mod sample;
mod splice;
mod sums;
mod training;
