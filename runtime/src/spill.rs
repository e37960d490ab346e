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
        match (values, self.dtype) {
            (Slice::F32(values), DType::F32) => self.write(values, |value| value.to_le_bytes()),
            (Slice::I32(values), DType::I32) => self.write(values, |value| value.to_le_bytes()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "values of another type")),
        }
    }

    fn write<T: Copy>(
        &mut self,
        values: &[T],
        bytes_of: impl Fn(T) -> [u8; VALUE_BYTES],
    ) -> io::Result<()> {
        /// What is turned to bytes at once.
        const BLOCK: usize = 1 << 18;
        let mut bytes = Vec::with_capacity(BLOCK.min(values.len()) * VALUE_BYTES);
        for block in values.chunks(BLOCK) {
            bytes.clear();
            bytes.extend(block.iter().flat_map(|&value| bytes_of(value)));
            self.scratch.file.write_all(&bytes)?;
            self.len += block.len() as u64;
        }
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

    /// Replaces `to` by the bytes of `count` values from `first` on.
    ///
    /// # Errors
    /// A file that cannot be read, or values that are not there.
    pub fn read(&self, first: u64, count: usize, to: &mut Vec<u8>) -> io::Result<()> {
        to.resize(count * VALUE_BYTES, 0);
        read_at(&self.scratch.file, to, first * VALUE_BYTES as u64)
    }
}

/// The values that have been read as these bytes, from value `first` on; integers as floats of the
/// same bits.
pub fn values(bytes: &[u8], first: usize) -> impl Iterator<Item = f32> {
    let words = bytes[first * VALUE_BYTES..].chunks_exact(VALUE_BYTES);
    words.map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}

/// Two are the same where they are one.
impl PartialEq for Spill {
    fn eq(&self, other: &Spill) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Fills `bytes` from a place in a file, whatever other readers of it do.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, mut bytes: &mut [u8], mut place: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, place)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => (bytes, place) = (&mut bytes[read..], place + read as u64),
        }
    }
    Ok(())
}

#[cfg(not(any(unix, windows)))]
pub(crate) fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
