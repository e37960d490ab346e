//! Drawings as SVG: a net as a graph, and the arena as a map.

pub mod arena;
pub mod graph;
mod layered;
pub mod svg;
