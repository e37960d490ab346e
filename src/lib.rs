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
//! does and where each value lies is decided before the first.
//!
//! | to | there is |
//! | --- | --- |
//! | read a net, from a file, a text or a `.netc` file | [`Net`] |
//! | read rows, from tables, arrays, memory or a stream | [`Net::reader`], [`Net::data`] |
//! | train: a whole run, epoch by epoch, or row by row as they arrive | [`Trainer`] |
//! | predict, on one thread or on many | [`Predictor`] |
//! | tell a user what is wrong, with the place and the way out | [`Error`] |
//!
//! Rows are slices, arrays or vectors of numbers; several inputs are a tuple of these:
//!
//! ```
//! # fn main() -> Result<(), arenet::Error> {
//! let net = arenet::Net::parse(
//!     "net shop {
//!          input sizes: [N, 2]
//!          input town: i32[N] in [\"Oslo\", \"Rome\"]
//!          output price = concat(sizes, one_hot(town)) |> dense(1)
//!      }
//!      train { target t: [N, 1]  loss = mse(price, t)  optimizer = sgd(lr: 0.1) }",
//! )?;
//! let (sizes, towns) = ([[0.5, 1.0], [1.0, 0.0]], [0, 1]);
//! let mut trainer = net.trainer(net.data(&(sizes, towns), &[0.3, 0.9])?).build()?;
//! trainer.train()?;
//! # let weights = std::env::temp_dir().join("arenet-doc-front.safetensors");
//! trainer.save(&weights)?;
//!
//! let mut shop = net.predictor(&weights)?;
//! let outputs = shop.predict(&([0.5, 1.0], [0]))?;
//! println!("{:?}", &outputs["price"]);
//! # Ok(())
//! # }
//! ```
//!
//! The language and the command are described in the
//! [README](https://docs.rs/crate/arenet/latest) and in the folder docs of the repository.
//!
//! # Features
//!
//! - `parquet`: tables in Apache Parquet; off by default.
#![forbid(unsafe_code)]

/// The documents, whose blocks of Rust are run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/cookbook.md")]
    struct Cookbook;
    #[doc = include_str!("../docs/rust.md")]
    struct Rust;
}

mod builder;
mod data;
mod diagnosis;
mod error;
mod estimates;
mod lints;
mod net;
mod predictor;
mod reader;
mod trainer;

pub use arenet_compiler::Precision;
pub use arenet_runtime::data::Unlisted;
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
    pub use crate::diagnosis::Units;
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
