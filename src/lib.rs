//! Arenet: describe a small neural network in a text, train it, predict with it.
//!
//! ```no_run
//! use arenet::Net;
//!
//! # fn main() -> Result<(), arenet::Error> {
//! let net = Net::open("digits.net")?;
//! let data = net.read_csv("digits.csv")?;
//! let mut trainer = net.trainer(data).seed(1).threads(2).build()?;
//! let report = trainer.train()?;
//! trainer.save("digits.safetensors")?;
//! let mut digits = net.predictor("digits.safetensors")?;
//! # Ok(())
//! # }
//! ```
//!
//! A net's text is compiled to one static program that runs in one block of memory: what a step
//! does and where each value lies is decided before the first. The language and the command are
//! described in the [README](https://docs.rs/crate/arenet/latest).
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod builder;
mod data;
mod diagnosis;
mod error;
mod lints;
mod net;
mod predictor;
mod reader;
mod trainer;

pub use arenet_compiler::Precision;
pub use arenet_runtime::data::output::{Form, Format, Writer};
pub use arenet_runtime::predict::Batches;
pub use arenet_runtime::program::{MISSING, Split};
pub use arenet_runtime::rows::{AsSlice, AsSliceMut, Rows, RowsMut, Slice};
pub use arenet_runtime::train::{
    Best, Divergence, EpochReport, Evaluation, Part, Prequential, Progress, Reason, Table,
};
pub use builder::TrainerBuilder;
pub use data::Data;
pub use error::{Diagnostics, Error, ErrorKind};
pub use net::{Net, NetOptions};
pub use predictor::{Class, Outputs, Predictor, PredictorOptions};
pub use reader::Reader;
pub use trainer::Trainer;

/// The compiler and the runtime as they are inside. Nothing here is a promise: it changes with any
/// release, and is reachable for this repository's command, tests and measurements.
#[doc(hidden)]
pub mod internals {
    pub use arenet_compiler as compiler;
    pub use arenet_runtime as runtime;

    /// What most tests need.
    pub mod prelude {
        pub use arenet_compiler::{
            Compiled, Options as CompileOptions, Precision, Purpose, compile,
        };
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
        pub use arenet_runtime::weights::WeightsFile;
    }
}
