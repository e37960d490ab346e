//! IDX files, the format of the MNIST digits: unsigned bytes of any shape, perhaps gzipped.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::bytes::read_up_to;
use super::npy::element_count;
use super::{DataError, Flaw, read_elements};

const UNSIGNED_BYTE: u8 = 0x08;
const MAX_RANK: u8 = 8;

/// A table of bytes: the first dimension of the file is the rows, the others together the width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxArray {
    /// The number of rows.
    pub rows: usize,
    /// The values in a row; 1 where the file has one dimension.
    pub width: usize,
    /// `rows * width` values.
    pub values: Vec<u8>,
}

/// Reads the file at `path`, through gzip if its name ends in `.gz`.
pub fn read_idx_file(path: impl AsRef<Path>, max_bytes: u64) -> Result<IdxArray, DataError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| DataError::io(&name, &error))?;
    let file = BufReader::new(file);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
        read_idx(MultiGzDecoder::new(file), &name, max_bytes)
    } else {
        read_idx(file, &name, max_bytes)
    }
}

/// Reads an array that takes at most `max_bytes`; `name` is what errors call it.
pub fn read_idx(mut reader: impl Read, name: &str, max_bytes: u64) -> Result<IdxArray, DataError> {
    let reader: &mut dyn Read = &mut reader;
    let fail = |message: String| DataError::new(name, message);
    let shape = read_shape(reader, name)?;
    let count = element_count(&shape)
        .ok_or_else(|| fail("its IDX header gives a shape that overflows".to_string()))?;
    if count > max_bytes {
        return Err(DataError::over_limit(name, max_bytes));
    }
    let values = read_elements(reader, count, |[byte]: [u8; 1]| Some(byte));
    let values = values.map_err(|flaw| match flaw {
        Flaw::Io(error) => DataError::io(name, &error),
        Flaw::Short(got) => fail(format!("ends early: {got} bytes of data, expected {count}")),
        Flaw::Memory | Flaw::TooLarge(_) => fail("needs more memory than there is".to_string()),
    })?;
    match read_up_to(reader, &mut [0]) {
        Ok(0) => {
            // Where there are no rows, a row's width may be beyond counting; it has no values then.
            let width = shape[1..].iter().try_fold(1usize, |width, n| width.checked_mul(*n));
            Ok(IdxArray { rows: shape[0], width: width.unwrap_or(0), values })
        }
        Ok(_) => Err(fail("has bytes behind its array".to_string())),
        Err(error) => Err(DataError::io(name, &error)),
    }
}

/// The dimensions, of which there is at least one.
fn read_shape(reader: &mut dyn Read, name: &str) -> Result<Vec<usize>, DataError> {
    let mut fill = || {
        let mut bytes = [0; 4];
        match read_up_to(reader, &mut bytes) {
            Ok(4) => Ok(bytes),
            Ok(_) => Err(DataError::new(name, "ends inside its IDX header")),
            Err(error) => Err(DataError::io(name, &error)),
        }
    };
    let rank = match fill()? {
        [0, 0, UNSIGNED_BYTE, rank] if (1..=MAX_RANK).contains(&rank) => rank,
        [0, 0, UNSIGNED_BYTE, rank] => {
            return Err(DataError::new(name, format!("has {rank} dimensions; 1 to 8 are read")));
        }
        [0, 0, kind @ (0x09 | 0x0B..=0x0E), _] => {
            let message = format!("holds elements of type 0x{kind:02x}; unsigned bytes are read");
            return Err(DataError::new(name, message));
        }
        _ => return Err(DataError::new(name, "is no IDX file")),
    };
    (0..rank).map(|_| fill().map(|bytes| u32::from_be_bytes(bytes) as usize)).collect()
}
