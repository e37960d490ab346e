//! Reads binary elements without trusting the count that a header gives.

use std::io::{self, Read};

/// Why the elements could not be read.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// The reader failed.
    Io(io::Error),
    /// The data ends after this many bytes.
    Short(u64),
    /// This element is finite but too large for its new type.
    TooLarge(u64),
    /// There is no memory for it.
    Memory,
}

/// Reads `count` elements of `SIZE` bytes each and converts them.
///
/// The vector grows as the bytes arrive, so a header that lies cannot make it large.
pub(crate) fn read_elements<const SIZE: usize, T>(
    reader: &mut dyn Read,
    count: u64,
    convert: impl Fn([u8; SIZE]) -> Option<T>,
) -> Result<Vec<T>, Flaw> {
    const CHUNK_ELEMENTS: usize = 8192;
    let mut buffer = vec![0; CHUNK_ELEMENTS * SIZE];
    let mut elements = Vec::new();
    let mut remaining = count;
    while remaining > 0 {
        let chunk = remaining.min(CHUNK_ELEMENTS as u64) as usize * SIZE;
        let got = read_up_to(reader, &mut buffer[..chunk]).map_err(Flaw::Io)?;
        if got < chunk {
            return Err(Flaw::Short((count - remaining) * SIZE as u64 + got as u64));
        }
        elements.try_reserve(chunk / SIZE).map_err(|_| Flaw::Memory)?;
        let (pieces, _) = buffer[..chunk].as_chunks::<SIZE>();
        for piece in pieces {
            elements.push(convert(*piece).ok_or(Flaw::TooLarge(elements.len() as u64))?);
        }
        remaining -= (chunk / SIZE) as u64;
    }
    elements.shrink_to_fit();
    Ok(elements)
}

/// Fills `buffer` as far as the data goes, and says how far that was.
pub(crate) fn read_up_to(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// The nearest f32, or nothing where a finite value would become infinite.
pub(crate) fn narrow(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (narrow.is_finite() || !value.is_finite()).then_some(narrow)
}
