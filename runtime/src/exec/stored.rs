//! The values of a port in a file. Classes are checked when they are read, because the kernels rely
//! on their bounds.

use super::RunError;
use super::feed::stored_class;
use crate::program::{DType, Port};
use crate::spill::{self, Spill};
use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

/// The values that are read at once.
const BLOCK: usize = 1 << 16;

/// The values of a port.
#[derive(Clone)]
pub(super) struct Stored {
    spill: Arc<Spill>,
    port: Arc<Port>,
}

impl Stored {
    pub fn new(spill: Arc<Spill>, port: &Port) -> Stored {
        Stored { spill, port: Arc::new(port.clone()) }
    }

    /// The values in a row.
    pub fn width(&self) -> usize {
        self.port.width as usize
    }

    /// The rows that are read at once.
    pub fn block_rows(&self) -> usize {
        (BLOCK / self.width()).max(1)
    }

    /// Replaces `to` by the bytes of `count` rows from `first` on.
    pub fn read(&self, first: usize, count: usize, to: &mut Vec<u8>) -> Result<(), RunError> {
        let width = self.width();
        self.spill.read((first * width) as u64, count * width, to).map_err(unreadable)
    }

    /// Fills `to` with the values of rows that have been read, from row `first` of them on; classes
    /// are indices, as floats of the same bits.
    #[inline]
    pub fn decode(&self, read: &[u8], first: usize, to: &mut [f32]) -> Result<(), RunError> {
        let values = spill::values(read, first * self.width());
        to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
        if self.spill.dtype() == DType::I32 {
            for value in to {
                let class = value.to_bits() as i32;
                if !self.port.takes_class(class) {
                    return Err(unreadable("they have changed"));
                }
                *value = stored_class(class, &self.port);
            }
        }
        Ok(())
    }

    /// Replaces `to` by the values of some rows, through `bytes`.
    pub fn replace(
        &self,
        rows: Range<usize>,
        to: &mut Vec<f32>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), RunError> {
        self.read(rows.start, rows.len(), bytes)?;
        to.resize(rows.len() * self.width(), 0.0);
        self.decode(bytes, 0, to)
    }

    /// Goes over the values of `rows` rows, in blocks.
    pub fn each_block(
        &self,
        rows: usize,
        mut each: impl FnMut(usize, &[f32]),
    ) -> Result<(), RunError> {
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        for first in (0..rows).step_by(self.block_rows()) {
            let last = rows.min(first + self.block_rows());
            self.replace(first..last, &mut values, &mut bytes)?;
            each(first, &values);
        }
        Ok(())
    }

    /// Adds the values of a row to `to`.
    pub fn add_row(&self, row: usize, to: &mut Vec<f32>) -> Result<(), RunError> {
        let mut values = Vec::new();
        self.replace(row..row + 1, &mut values, &mut Vec::new())?;
        to.extend_from_slice(&values);
        Ok(())
    }
}

fn unreadable(why: impl Display) -> RunError {
    RunError::Value(format!("the rows that were put on disk cannot be read: {why}"))
}
