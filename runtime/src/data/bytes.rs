//! Reads binary elements as f32.

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

/// Reads `count` elements and appends them; `bytes` is a buffer for them.
pub(super) fn append<const SIZE: usize>(
    reader: &mut impl Read,
    count: usize,
    convert: impl Fn([u8; SIZE]) -> Option<f32>,
    bytes: &mut Vec<u8>,
    to: &mut Vec<f32>,
) -> Result<(), Flaw> {
    bytes.resize(count * SIZE, 0);
    let got = read_up_to(reader, bytes).map_err(Flaw::Io)?;
    if got < bytes.len() {
        return Err(Flaw::Short(got as u64));
    }
    to.try_reserve(count).map_err(|_| Flaw::Memory)?;
    let start = to.len();
    to.resize(start + count, 0.0);
    let (pieces, _) = bytes.as_chunks::<SIZE>();
    for (index, (to, piece)) in to[start..].iter_mut().zip(pieces).enumerate() {
        *to = convert(*piece).ok_or(Flaw::TooLarge(index as u64))?;
    }
    Ok(())
}

impl Flaw {
    /// The flaw counted from the first element, after `elements` elements of `size` bytes.
    pub(crate) fn after(self, elements: u64, size: usize) -> Flaw {
        match self {
            Flaw::Short(bytes) => Flaw::Short(elements * size as u64 + bytes),
            Flaw::TooLarge(index) => Flaw::TooLarge(elements + index),
            flaw => flaw,
        }
    }
}

/// Fills `buffer` as far as there is data, and returns how much there was.
pub(super) fn read_up_to(
    reader: &mut (impl Read + ?Sized),
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match read_some(reader, &mut buffer[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

/// What a reader has now, or waits for; nothing at its end.
pub(super) fn read_some(reader: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The nearest f32, or `None` where a finite value would become infinite.
pub(super) fn narrow(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (narrow.is_finite() || !value.is_finite()).then_some(narrow)
}
