//! Arenet: compile a `.net` file, train it, predict with it.
//!
//! The compiler turns text into a program, the runtime trains it and predicts with it; this crate
//! joins them. See `examples/train.rs` and `examples/predict.rs`.
#![forbid(unsafe_code)]

/// The compiler and the runtime as they are inside. Nothing here is a promise: it changes with any
/// release, and is reachable for this repository's command, tests and measurements.
#[doc(hidden)]
pub mod internals {
    pub use arenet_compiler as compiler;
    pub use arenet_runtime as runtime;

    /// What most tests need.
    pub mod prelude {
        pub use arenet_compiler::{Compiled, Options as CompileOptions, Precision, compile};
        pub use arenet_runtime::data::{
            Array, ColumnNames, DataError, Dataset, PortSpec, TableSpec, Values, read_arrays,
            read_csv, read_csv_file,
        };
        pub use arenet_runtime::exec::{Options as RunOptions, RunError};
        pub use arenet_runtime::predict::Predictor;
        pub use arenet_runtime::program::verify::verify;
        pub use arenet_runtime::program::{Program, Verified};
        pub use arenet_runtime::train::{
            Divergence, EpochReport, Evaluation, Progress, Settings, TrainError, Trainer,
        };
        pub use arenet_runtime::weights::{Tensor, WeightsFile, read_weights, write_weights};
    }
}
