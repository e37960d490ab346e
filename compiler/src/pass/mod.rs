//! The passes: free functions over graphs, one file each.

pub mod accumulate;
pub mod clip;
pub mod contract;
pub mod differentiate;
pub mod fuse;
pub mod hold;
pub mod lists;
pub mod memory;
pub mod mode;
pub mod schedule;
pub mod simplify;
pub mod update;
