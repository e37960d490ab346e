//! What the compiler makes of a text, stage by stage.

mod aliases;
mod batch_norm;
mod common;
mod diagnostics;
mod documented;
mod editor;
mod editors;
mod explanations;
mod extremes;
mod fixes;
mod fuse;
mod graph;
mod inits;
mod layers;
mod layout;
mod lists;
mod lower;
mod memory;
mod mutations;
mod names;
mod operators;
#[path = "../../../tests/reference/optimizer.rs"]
mod optimizer;
mod papers;
mod reference;
mod regularization;
mod schedules;
mod scores;
mod shapes;
mod tables;
mod verified;
