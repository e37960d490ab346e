//! What there is of `--live` where it was not built.

use arenet::EpochReport;

use super::About;
use crate::failure::Failure;

/// There is none.
pub enum Live {}

impl Live {
    /// Says how to get it.
    pub fn check() -> Result<(), Failure> {
        Err(none())
    }

    /// Says how to get it.
    pub fn start(_: About) -> Result<Live, Failure> {
        Err(none())
    }

    /// A batch is done.
    pub fn step(&self, _: u64) {
        match *self {}
    }

    /// An epoch is done.
    pub fn epoch(&self, _: &EpochReport) {
        match *self {}
    }

    /// Leaves the screen.
    pub fn finish(&mut self) -> String {
        match *self {}
    }
}

fn none() -> Failure {
    let failure = Failure::usage("--live: this program was built without it");
    failure.help("install it by: cargo install --path src/cli --features live")
}
