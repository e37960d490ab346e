//! The formats that are read. The first bytes of a file decide its format, whatever its name.
//! Packed files are unpacked (packing.rs). For a file of another kind, the error names a way out.

use std::fs::File;
use std::io::{self, Read};

use super::bytes::read_some;
use super::choice::{Choice, Words};
use super::error::DataError;
#[cfg(feature = "gzip")]
use super::npz;
use super::packing::packing;
#[cfg(feature = "parquet")]
use super::parquet;
use super::table::{Format, Opened, Source, Terms};
#[cfg(feature = "csv")]
use super::{csv, jsonl};
use super::{idx, npy};

/// Every format; the first one that takes a file has it.
const FORMATS: &[Format] = &[
    npy::FORMAT,
    #[cfg(feature = "gzip")]
    npz::FORMAT,
    #[cfg(feature = "parquet")]
    parquet::FORMAT,
    idx::FORMAT,
    #[cfg(feature = "csv")]
    jsonl::FORMAT,
    #[cfg(feature = "csv")]
    csv::FORMAT,
];

/// As many first bytes as any kind needs: those of a zip archive up to its first name.
const HEAD_BYTES: usize = 128;

/// A way out, which may end with a choice of the caller's.
type Help = (&'static str, Option<Choice<'static>>);

const TO_CSV: Help = ("save the table as CSV in UTF-8", None);
#[cfg(not(feature = "parquet"))]
const PARQUET: Help = (
    "save it as CSV, with pandas: read_parquet(FILE).to_csv(CSV, index=False); or read it with \
     `arenet` installed by: cargo install --path src/cli --features parquet",
    None,
);
const FEATHER: Help = ("save it as CSV, with pandas: read_feather(FILE).to_csv(CSV)", None);
const DECRYPT: Help = ("save it without encryption", None);
const SQLITE: Help = ("export a table: sqlite3 -header -csv FILE QUERY", None);
const UTF_8: Help = ("save the table as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > CSV", None);
const UNPACK: Help = ("unpack it; of packed files gzip and zstd are read", None);
const OBJECTS: Help = ("write an object in each line: jq -c '.[]' FILE > ROWS.jsonl", None);
const ARFF: Help =
    ("keep the lines after @data, below a line with the names of the attributes", None);
const ARRAYS: Help = (
    "save each array by itself, with numpy.save, and name them: ",
    Some(Choice::Arrays("x=X.npy")),
);
const NPZ: Help =
    ("unpack it (unzip FILE) and name them: ", Some(Choice::Arrays("x=x.npy,t=t.npy")));
const MODEL: Help = ("a model has no rows; name a table of them: ", Some(Choice::Table));

/// What some files begin with that are not read: the bytes, what they are, and the way out.
const OTHERS: &[(&[u8], &str, Help)] = &[
    #[cfg(not(feature = "parquet"))]
    (b"PAR1", "a Parquet file, and this program was built without parquet", PARQUET),
    (b"PARE", "an encrypted Parquet file", DECRYPT),
    (b"ARROW1", "an Arrow file", FEATHER),
    (b"FEA1", "a Feather file", FEATHER),
    (b"\xD0\xCF\x11\xE0", "an Excel file", TO_CSV),
    (b"SQLite format 3", "an SQLite database", SQLITE),
    (b"\x89HDF", "an HDF5 file", ARRAYS),
    (b"MATLAB 5.0", "a MATLAB file", ARRAYS),
    (b"\x80\x02", "a pickled object, which is code", ARRAYS),
    (b"\x80\x03", "a pickled object, which is code", ARRAYS),
    (b"\x80\x04", "a pickled object, which is code", ARRAYS),
    (b"\x80\x05", "a pickled object, which is code", ARRAYS),
    (b"ARENETC\0", "a compiled program", MODEL),
    (b"\xFF\xFE", "UTF-16 text", UTF_8),
    (b"\xFE\xFF", "UTF-16 text", UTF_8),
    (b"BZh", "a file packed by bzip2", UNPACK),
    (b"\xFD7zXZ", "a file packed by xz", UNPACK),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive", UNPACK),
    (b"[{", "an array of JSON", OBJECTS),
    (b"[\n", "an array of JSON", OBJECTS),
    (b"@relation", "an ARFF file", ARFF),
    (b"%PDF", "a PDF document", TO_CSV),
    (b"\x89PNG", "an image", ARRAYS),
    (b"\xFF\xD8\xFF", "an image", ARRAYS),
    (b"GIF8", "an image", ARRAYS),
];

/// The table in what is read, which may be packed.
///
/// # Errors
/// What cannot be read, or is of a kind that is not.
pub(super) fn open<'r>(reader: impl Read + 'r, name: &str, terms: Terms) -> Opened<'r> {
    open_source(reader, None, name, terms)
}

/// [`open`] of a file, any place of which can be read if it is no pipe.
///
/// # Errors
/// As there.
pub(super) fn open_file(file: File, name: &str, terms: Terms) -> Opened<'static> {
    let is_regular = file.metadata().is_ok_and(|file| file.is_file());
    let whole = file.try_clone().ok().filter(|_| is_regular);
    open_source(file, whole, name, terms)
}

fn open_source<'r>(
    reader: impl Read + 'r,
    mut file: Option<File>,
    name: &str,
    terms: Terms,
) -> Opened<'r> {
    let (mut head, mut reader) = peek(UpToEnd { reader, ended: false }, name)?;
    if let Some(packed) = packing(&head) {
        (head, reader) = peek(packed.open(reader, name)?, name)?;
        file = None;
        if packing(&head).is_some() {
            return Err(DataError::new(name, "is packed twice").with_help("unpack it once"));
        }
    }
    let format = recognize(&head, name, terms.words)?;
    (format.open)(Source { reader, file, terms }, name)
}

/// Reads up to the first end. A terminal would go on behind it, and ask for another.
struct UpToEnd<R> {
    reader: R,
    ended: bool,
}

impl<R: Read> Read for UpToEnd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let got = self.reader.read(buffer)?;
        self.ended = got == 0 && !buffer.is_empty();
        Ok(got)
    }
}

/// The first bytes of a reader, and one that still has them. It waits for no more than a line: the
/// rows of a pipe may come one by one.
fn peek<'r>(
    mut reader: impl Read + 'r,
    name: &str,
) -> Result<(Vec<u8>, Box<dyn Read + 'r>), DataError> {
    let (mut head, mut got) = (vec![0; HEAD_BYTES], 0);
    while got < HEAD_BYTES && !head[..got].contains(&b'\n') {
        let more = read_some(&mut reader, &mut head[got..]);
        match more.map_err(|error| DataError::io(name, &error))? {
            0 => break,
            more => got += more,
        }
    }
    head.truncate(got);
    let whole = io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

fn recognize(head: &[u8], name: &str, words: Words) -> Result<&'static Format, DataError> {
    let other = OTHERS.iter().find(|(magic, ..)| head.starts_with(magic));
    let other = other.map(|&(_, what, help)| (what, help)).or_else(|| in_zip(head));
    if let Some((what, (help, choice))) = other {
        let help = help.to_string() + &choice.map(words).unwrap_or_default();
        return Err(DataError::new(name, format!("is {what}")).with_help(help));
    }
    FORMATS.iter().find(|format| (format.begins)(head)).ok_or_else(|| {
        if cfg!(feature = "csv") || head.contains(&0) {
            DataError::new(name, "is no text: it has zero bytes")
                .with_help("rows are CSV in UTF-8, or arrays of npy or IDX")
        } else {
            DataError::new(name, "is no array, and this program was built without tables of text")
                .with_help("save arrays as npy, or build with the feature `csv` of arenet-runtime")
        }
    })
}

/// What a zip archive is, by the name of its first file.
fn in_zip(head: &[u8]) -> Option<(&'static str, Help)> {
    let Some(name) = zip_name(head) else {
        return head.starts_with(b"PK\x05\x06").then_some(("an empty zip archive", UNPACK));
    };
    let has = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    if has(b".npy") {
        let what = "an npz archive of arrays, and this program was built without gzip";
        return (!cfg!(feature = "gzip")).then_some((what, NPZ));
    }
    Some(if has(b"[Content_Types]") || has(b"_rels/") || has(b"xl/") || has(b"mimetype") {
        ("a spreadsheet", TO_CSV)
    } else {
        ("a zip archive", UNPACK)
    })
}

/// The name of the first file of a zip archive, and what comes behind it.
pub(super) fn zip_name(head: &[u8]) -> Option<&[u8]> {
    const NAME: usize = 30;
    head.starts_with(b"PK\x03\x04").then(|| head.get(NAME..).unwrap_or_default())
}
