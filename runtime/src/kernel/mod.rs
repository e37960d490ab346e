//! The kernels: each written once, generic over [`Simd`](crate::simd::Simd), over bound places.
//!
//! From the bottom: `place`, then `lanes` and `sum`, `expr`, the kernels, and `bound`, which is any
//! of them.
//!
//! # Safety
//! A kernel follows its offsets unchecked. It may run over memory that is its own as
//! [`Memory::new`](crate::arena::Memory::new) asks, if `Binder` in exec/bind.rs bound it for that
//! memory from a [`Verified`](crate::program::Verified) program, at 1 to the program's batch of
//! rows, which `Executor::check_run` sees to. It then rests on what program/src/verify/ has proved:
//!
//! - `place`: every buffer lies inside the arena in whole vectors, at any such number of rows;
//! - `kernel::check`, by kernel: the operands have the types, sizes and layouts it assumes;
//! - `expr::check`: the operands of an expression cover its domain, and each value it names exists;
//! - `check_target`: a class index is one of a row's columns;
//! - `check_overlaps`: what a step writes is apart from all else that it touches, but for exact
//!   aliases of what it reads just before it writes the same element.
//!
//! The rooms in scratch are the binder's: `Binder::room` for packed operands, `Binder::code` for
//! registers.

pub mod bound;
pub mod cross_entropy;
pub mod expr;
pub mod gemm;
pub mod gemm_int8;
pub mod lanes;
pub mod map;
pub mod place;
pub mod random;
pub mod reduce;
pub mod softmax;
pub mod sum;
