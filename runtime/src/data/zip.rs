//! Zip archives, read from front to back, so that they may come from a pipe: each file has a head
//! of its own. The list of files at the end of an archive is not needed.

use std::io::{self, BufReader, ErrorKind, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::bytes::read_up_to;
use super::error::{DAMAGED, DataError};

/// What begins the head of a file, and what may follow the last file.
const FILE: &[u8; 4] = b"PK\x03\x04";
const ENDS: [&[u8; 4]; 2] = [b"PK\x01\x02", b"PK\x05\x06"];
/// What may begin the figures behind a file.
const FIGURES: &[u8; 4] = b"PK\x07\x08";

/// The bits of a head that say that a file is encrypted, and that its figures are behind it.
const ENCRYPTED: u16 = 1;
const BEHIND: u16 = 8;
/// The ways of packing a file.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// A zip archive; `name` is what errors call it.
pub(super) struct Zip<'r> {
    archive: BufReader<Box<dyn Read + 'r>>,
    pub name: String,
}

/// The head of a file.
struct Head {
    name: String,
    flags: u16,
    method: u16,
    figures: Figures,
    /// Whether its sizes are of 64 bits.
    is_long: bool,
}

/// What is said of a file.
#[derive(Clone, Copy)]
struct Figures {
    sum: u32,
    packed: u64,
    size: u64,
}

impl<'r> Zip<'r> {
    pub fn new(archive: Box<dyn Read + 'r>, name: &str) -> Zip<'r> {
        Zip { archive: BufReader::new(archive), name: name.to_string() }
    }

    /// Gives the next file to `each`, with its name and what errors call it. What `each` leaves of
    /// it is skipped. False after the last file.
    pub fn next(
        &mut self,
        each: impl FnOnce(&str, &str, &mut dyn Read) -> Result<(), DataError>,
    ) -> Result<bool, DataError> {
        let head = self.head().map_err(|error| DataError::io(&self.name, &error))?;
        let Some(head) = head else { return Ok(false) };
        let name = format!("{}/{}", self.name, head.name);
        let fail = |error: io::Error| DataError::io(&name, &error);
        check_method(&head, &name)?;
        let is_behind = head.flags & BEHIND != 0;
        let limit = if is_behind { u64::MAX } else { head.figures.packed };
        let mut packed = (&mut self.archive).take(limit);
        let unpacked: Box<dyn Read + '_> = match head.method {
            STORED => Box::new(&mut packed),
            _ => Box::new(DeflateDecoder::new(&mut packed)),
        };
        let least = if is_behind { 0 } else { head.figures.size };
        let mut file = Summed { file: unpacked, sum: Crc::new(), size: 0, least };
        each(&head.name, &name, &mut file)?;
        io::copy(&mut file, &mut io::sink()).map_err(fail)?;
        let (sum, size) = (file.sum.sum(), file.size);
        drop(file);
        let left = packed.limit();
        let mut figures = head.figures;
        if is_behind {
            figures = self.figures_behind(head.is_long).map_err(fail)?;
        } else if left > 0 {
            return Err(fail(damaged()));
        }
        if (figures.sum, figures.size) != (sum, size) {
            let error = DataError::new(name, "has another checksum than when it was packed");
            return Err(error.with_help(DAMAGED));
        }
        Ok(true)
    }

    /// Reads the head of a file; nothing after the last one.
    fn head(&mut self) -> io::Result<Option<Head>> {
        let begin = self.bytes::<4>()?;
        if &begin != FILE {
            return if ENDS.contains(&&begin) { Ok(None) } else { Err(damaged()) };
        }
        let fixed = self.bytes::<26>()?;
        let (flags, method) = (u16_at(&fixed, 2), u16_at(&fixed, 4));
        let [sum, packed, size] = [10, 14, 18].map(|at| u32_at(&fixed, at));
        let mut name = vec![0; u16_at(&fixed, 22).into()];
        self.fill(&mut name)?;
        let mut extra = vec![0; u16_at(&fixed, 24).into()];
        self.fill(&mut extra)?;
        let long = long_sizes(&extra);
        let mut figures = Figures { sum, packed: packed.into(), size: size.into() };
        if let (Some((long_size, long_packed)), true) =
            (long, packed == u32::MAX || size == u32::MAX)
        {
            figures = Figures { packed: long_packed, size: long_size, ..figures };
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        Ok(Some(Head { name, flags, method, figures, is_long: long.is_some() }))
    }

    /// Reads the figures behind a file.
    fn figures_behind(&mut self, is_long: bool) -> io::Result<Figures> {
        let mut sum = self.bytes::<4>()?;
        if &sum == FIGURES {
            sum = self.bytes()?;
        }
        let mut size = || match is_long {
            true => Ok(u64::from_le_bytes(self.bytes()?)),
            false => Ok::<_, io::Error>(u32::from_le_bytes(self.bytes()?).into()),
        };
        Ok(Figures { sum: u32::from_le_bytes(sum), packed: size()?, size: size()? })
    }

    fn bytes<const COUNT: usize>(&mut self) -> io::Result<[u8; COUNT]> {
        let mut bytes = [0; COUNT];
        self.fill(&mut bytes).map(|()| bytes)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let got = read_up_to(&mut self.archive, buffer)?;
        if got < buffer.len() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// A file must be packed in a way that is read.
fn check_method(head: &Head, name: &str) -> Result<(), DataError> {
    let (message, help) = match head.method {
        _ if head.flags & ENCRYPTED != 0 => ("is encrypted".to_string(), "unpack the archive"),
        STORED if head.flags & BEHIND != 0 => (
            "does not say in front how long it is".to_string(),
            "save the archive in a file instead of a pipe",
        ),
        STORED | DEFLATED => return Ok(()),
        other => (
            format!("is packed by method {other} of zip; 0 and 8 are read"),
            "save it with numpy.savez_compressed",
        ),
    };
    Err(DataError::new(name, message).with_help(help))
}

/// The sizes of 64 bits in the extra part of a head: of the file, and of what is packed.
fn long_sizes(mut extra: &[u8]) -> Option<(u64, u64)> {
    const LONG_SIZES: u16 = 1;
    while let Some((head, rest)) = extra.split_at_checked(4) {
        let field = rest.get(..u16_at(head, 2).into())?;
        if u16_at(head, 0) == LONG_SIZES {
            let (sizes, _) = field.as_chunks::<8>();
            let [size, packed, ..] = sizes else { return None };
            return Some((u64::from_le_bytes(*size), u64::from_le_bytes(*packed)));
        }
        extra = &rest[field.len()..];
    }
    None
}

/// A reader that sums up what is read.
struct Summed<'r> {
    file: Box<dyn Read + 'r>,
    sum: Crc,
    size: u64,
    /// The size that it should have at least.
    least: u64,
}

impl Read for Summed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read(buffer)?;
        if got == 0 && !buffer.is_empty() && self.size < self.least {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.sum.update(&buffer[..got]);
        self.size += got as u64;
        Ok(got)
    }
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "corrupt zip archive")
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
