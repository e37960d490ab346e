//! Where the bytes of a file lie: on disk, any of which can be read; or in memory, where they came
//! from a pipe or were packed.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use crate::spill::read_at;

/// The bytes of a file.
#[derive(Clone)]
pub(super) enum Place {
    File(Arc<File>, u64),
    Memory(Bytes),
}

impl Place {
    pub fn of_file(file: File) -> io::Result<Place> {
        let len = file.metadata()?.len();
        Ok(Place::File(Arc::new(file), len))
    }

    /// All that comes from a reader, which may be so much; nothing where it is more.
    pub fn of_reader(reader: impl Read, most: u64) -> io::Result<Option<Place>> {
        let mut bytes = Vec::new();
        reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= most).then(|| Place::Memory(bytes.into())))
    }

    /// The number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Place::File(_, len) => *len,
            Place::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// So many bytes from a place on.
    pub fn read(&self, at: u64, count: u64) -> io::Result<Bytes> {
        if at.checked_add(count).is_none_or(|end| end > self.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self {
            Place::File(file, _) => {
                let mut bytes = vec![0; count as usize];
                read_at(file, &mut bytes, at)?;
                Ok(bytes.into())
            }
            Place::Memory(bytes) => Ok(bytes.slice(at as usize..(at + count) as usize)),
        }
    }
}
