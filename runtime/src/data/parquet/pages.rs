//! The pages of a column. They are read here and not by the crate, so that what a page says of its
//! size is held against the limit before memory is taken for it, and so that packed pages are
//! unpacked by what unpacks other files.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use flate2::Crc;
use flate2::read::MultiGzDecoder;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use super::compact::{DATA, DATA_2, DICTIONARY, PageHead, differences, page_head};
use super::place::Place;
use crate::data::error::DataError;
use crate::data::zstd::Frames;

/// The first guess of the bytes of a head, and the most, which has the least and the largest value.
const HEAD_BYTES: u64 = 1 << 8;
const MAX_HEAD_BYTES: u64 = 1 << 20;
/// What a decoded value of a dictionary takes at most.
const VALUE_BYTES: u64 = 40;

/// What all columns together hold.
#[derive(Debug)]
pub(super) struct Budget {
    held: AtomicU64,
    pub max: u64,
}

impl Budget {
    pub fn new(max: u64) -> Arc<Budget> {
        Arc::new(Budget { held: AtomicU64::new(0), max })
    }
}

/// The pages of a column in a row group.
pub(super) struct Pages {
    pub place: Place,
    /// Where the next one begins, and where the last one ends.
    pub at: u64,
    pub end: u64,
    pub packing: Compression,
    pub physical: Type,
    /// The bytes of a value, where all have as many.
    pub width: u64,
    /// Whether values may be missing.
    pub is_optional: bool,
    /// The values of the current page, for whom reads them.
    pub values: Arc<AtomicU64>,
    /// What all columns hold, and what this one does: its dictionary, and its page.
    pub budget: Arc<Budget>,
    pub dictionary: Option<u64>,
    pub held: u64,
    /// The error where they hold too much.
    pub over_limit: DataError,
}

/// What is said of a file that is not as it should be.
pub(super) fn damaged(what: &str) -> ParquetError {
    ParquetError::General(what.to_string())
}

/// What is said of a file that is written in a way that is not read.
pub(super) fn unread(message: String) -> ParquetError {
    ParquetError::NYI(message)
}

impl Pages {
    /// Holds so many bytes from now on.
    fn hold(&mut self, bytes: u64) -> Result<()> {
        let others = self.budget.held.load(Relaxed) - self.held;
        let all = others.saturating_add(bytes);
        if all > self.budget.max {
            return Err(ParquetError::External(Box::new(self.over_limit.clone())));
        }
        (self.held, _) = (bytes, self.budget.held.store(all, Relaxed));
        Ok(())
    }

    /// Reads the head of the page that comes next.
    fn head(&mut self) -> Result<PageHead> {
        let mut guess = HEAD_BYTES;
        loop {
            let count = guess.min(self.end - self.at);
            let bytes = self.place.read(self.at, count)?;
            if let Some((head, len)) = page_head(&bytes) {
                self.at += len as u64;
                return Ok(head);
            }
            if count < guess || guess >= MAX_HEAD_BYTES {
                return Err(damaged("a page without a head"));
            }
            guess *= 16;
        }
    }

    /// Reads the page whose head this is.
    fn page(&mut self, head: &PageHead) -> Result<Page> {
        let [size, packed] = [head.size, head.packed].map(u64::try_from);
        let (Ok(size), Ok(packed)) = (size, packed) else {
            return Err(damaged("a page of a negative size"));
        };
        if packed > self.end - self.at {
            return Err(damaged("a page that is larger than its column"));
        }
        let before = self.held;
        let values = number(head.values)?;
        let decoded = if head.kind == DICTIONARY { u64::from(values) * VALUE_BYTES } else { 0 };
        self.hold(before.saturating_add(size + packed + decoded))?;
        let bytes = self.place.read(self.at, packed)?;
        self.at += packed;
        if head.sum.is_some_and(|sum| sum as u32 != checksum(&bytes)) {
            return Err(damaged("a page with another checksum than when it was written"));
        }
        let levels = head.levels.map(number);
        let [rep, def] = [levels[0].as_ref(), levels[1].as_ref()].map(|l| l.copied().unwrap_or(0));
        let plain = if head.kind == DATA_2 { rep as usize + def as usize } else { 0 };
        if levels.iter().any(Result::is_err) || plain > bytes.len() || plain as u64 > size {
            return Err(damaged("levels that are larger than their page"));
        }
        let buf = match (self.packing, head.kind == DATA_2 && !head.is_packed) {
            (Compression::UNCOMPRESSED, _) | (_, true) => bytes,
            (packing, false) => unpack(packing, &bytes, plain, size as usize)?,
        };
        if buf.len() as u64 != size {
            return Err(damaged("a page of another size than it says"));
        }
        let encoding = encoding(head.encoding)?;
        let has_places = matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
        if has_places && head.kind != DICTIONARY && self.dictionary.is_none() {
            return Err(damaged("values of a dictionary that there is not"));
        }
        let page = match head.kind {
            DICTIONARY => {
                self.check_dictionary(&buf, values)?;
                self.dictionary = Some(size + decoded);
                Page::DictionaryPage { buf, num_values: values, encoding, is_sorted: false }
            }
            DATA => {
                let offset = if self.is_optional { levels_end(&buf, head)? } else { 0 };
                check_differences(encoding, self.physical, &buf[offset..], values)?;
                Page::DataPage {
                    buf,
                    num_values: values,
                    encoding,
                    def_level_encoding: Encoding::RLE,
                    rep_level_encoding: Encoding::RLE,
                    statistics: None,
                }
            }
            _ => {
                check_differences(encoding, self.physical, &buf[plain..], values)?;
                Page::DataPageV2 {
                    buf,
                    num_values: values,
                    encoding,
                    num_nulls: number(head.nulls)?,
                    num_rows: values,
                    def_levels_byte_len: def,
                    rep_levels_byte_len: rep,
                    is_compressed: false,
                    statistics: None,
                }
            }
        };
        if head.kind != DICTIONARY {
            self.values.store(values.into(), Relaxed);
        }
        let dictionary = self.dictionary.unwrap_or(0);
        let lengths = u64::from(values) * 4 * u64::from(encoding == DELTA_LENGTHS);
        self.hold(match head.kind {
            DICTIONARY => dictionary,
            _ => dictionary + size + lengths,
        })?;
        Ok(page)
    }

    /// A dictionary has the bytes of its values.
    fn check_dictionary(&self, bytes: &[u8], values: u32) -> Result<()> {
        const LENGTH_BYTES: u64 = 4;
        let least = if self.width > 0 { self.width } else { LENGTH_BYTES };
        match u64::from(values).checked_mul(least) {
            Some(needed) if needed <= bytes.len() as u64 => Ok(()),
            _ => Err(damaged("a dictionary that is smaller than it says")),
        }
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        while self.at < self.end {
            let head = self.head()?;
            if [DATA, DICTIONARY, DATA_2].contains(&head.kind) {
                return self.page(&head).map(Some);
            }
            self.at = self.at.saturating_add(number(head.packed)?.into());
        }
        Ok(None)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(damaged("rows are not skipped"))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        Err(damaged("rows are not skipped"))
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.held, Relaxed);
    }
}

const DELTA_LENGTHS: Encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY;

/// How values are encoded. Of the strings that repeat their beginnings the crate would take
/// memory for as many as a page says there are.
fn encoding(number: i64) -> Result<Encoding> {
    Ok(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => DELTA_LENGTHS,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        7 => return Err(unread("has values encoded by DELTA_BYTE_ARRAY".to_string())),
        _ => return Err(damaged("an encoding that there is not")),
    })
}

/// Where the levels end that are in front of the values.
fn levels_end(bytes: &[u8], head: &PageHead) -> Result<usize> {
    if head.levels_encoding != 3 {
        return Err(unread("has levels that are not encoded by RLE".to_string()));
    }
    let length = bytes.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize + 4);
    length.filter(|end| *end <= bytes.len()).ok_or_else(|| damaged("levels that are cut off"))
}

/// A page has no more lengths of strings than values.
fn check_differences(encoding: Encoding, physical: Type, bytes: &[u8], values: u32) -> Result<()> {
    let is_right = match encoding {
        DELTA_LENGTHS => differences(bytes).is_some_and(|count| count <= values.into()),
        Encoding::RLE => physical == Type::BOOLEAN,
        _ => true,
    };
    if is_right { Ok(()) } else { Err(damaged("values that are encoded in a wrong way")) }
}

fn number(value: i64) -> Result<u32> {
    match i32::try_from(value) {
        Ok(value @ 0..) => Ok(value as u32),
        _ => Err(damaged("a page with a number that it cannot have")),
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// Unpacks a page of so many bytes, whose first ones are not packed.
fn unpack(packing: Compression, bytes: &[u8], plain: usize, size: usize) -> Result<Bytes> {
    let (plain, packed) = bytes.split_at(plain);
    let mut page = Vec::with_capacity(size);
    page.extend(plain);
    let left = size - plain.len();
    let read = |from: &mut dyn Read, page: &mut Vec<u8>| {
        from.take(left as u64 + 1).read_to_end(page).map(drop)
    };
    match packing {
        // Where all values are missing, nothing is packed.
        _ if left == 0 => {}
        Compression::GZIP(_) => read(&mut MultiGzDecoder::new(packed), &mut page)?,
        Compression::ZSTD(_) => read(&mut Frames::new(packed), &mut page)?,
        Compression::SNAPPY => {
            let says = snap::raw::decompress_len(packed).ok();
            if says != Some(left) {
                return Err(damaged("a page of another size than it says"));
            }
            page.resize(size, 0);
            let unpacked = snap::raw::Decoder::new().decompress(packed, &mut page[plain.len()..]);
            unpacked.map_err(|_| damaged("a page that cannot be unpacked"))?;
        }
        other => {
            let name = format!("{other}");
            let name = name.split('(').next().unwrap_or_default();
            return Err(unread(format!("is packed by {name}")));
        }
    }
    Ok(page.into())
}
