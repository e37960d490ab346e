//! The values of a port in a file, where a table is larger than the memory that it may take. The
//! file has no name, and is gone with the process.

use crate::files::Scratch;
use crate::program::DType;
use crate::rows::Slice;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// The bytes of a value: an f32 or an i32, little-endian.
const VALUE_BYTES: usize = 4;

/// Values in a file, in the order in which they were added.
#[derive(Debug)]
pub struct Spill {
    scratch: Scratch,
    dtype: DType,
    len: u64,
}

impl Spill {
    /// No values yet, in a file of this folder.
    ///
    /// # Errors
    /// A folder in which no file can be made.
    pub fn create_in(folder: &Path, dtype: DType) -> io::Result<Spill> {
        Ok(Spill { scratch: Scratch::create_in(folder)?, dtype, len: 0 })
    }

    /// Adds values.
    ///
    /// # Errors
    /// Values of the other type, or a file that cannot be written.
    pub fn add(&mut self, values: Slice<'_>) -> io::Result<()> {
        let bytes: Vec<u8> = match (values, self.dtype) {
            (Slice::F32(values), DType::F32) => {
                values.iter().flat_map(|x| x.to_le_bytes()).collect()
            }
            (Slice::I32(values), DType::I32) => {
                values.iter().flat_map(|x| x.to_le_bytes()).collect()
            }
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "values of another type")),
        };
        self.scratch.file.write_all(&bytes)?;
        self.len += values.len() as u64;
        Ok(())
    }

    /// The type of the values.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The number of values.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.len * VALUE_BYTES as u64
    }

    /// Replaces `to` by `count` values from `first` on, through `bytes`; integers as floats of the
    /// same bits.
    ///
    /// # Errors
    /// A file that cannot be read, or values that are not there.
    pub fn read(
        &self,
        first: u64,
        count: usize,
        to: &mut Vec<f32>,
        bytes: &mut Vec<u8>,
    ) -> io::Result<()> {
        bytes.resize(count * VALUE_BYTES, 0);
        read_at(&self.scratch.file, bytes, first * VALUE_BYTES as u64)?;
        to.clear();
        let words = bytes.chunks_exact(VALUE_BYTES);
        to.extend(words.map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])));
        Ok(())
    }
}

/// Two are the same where they are one.
impl PartialEq for Spill {
    fn eq(&self, other: &Spill) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Fills `bytes` from a place in a file, whatever other readers of it do.
#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut place: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, place)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => (bytes, place) = (&mut bytes[read..], place + read as u64),
        }
    }
    Ok(())
}

#[cfg(not(any(unix, windows)))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
