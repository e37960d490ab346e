//! NumPy's `.npy` files: reads one array of numbers as f32, writes a matrix of f32.
//!
//! It reads versions 1.0 and 2.0, C order, little-endian f4, f8, i4, i8 and u1. It is no reader of
//! `.npz` archives, of structured types or of pickled objects, which are code.

use std::io::{self, Read, Write};

use super::bytes::{narrow, read_up_to};
use super::columns::plural;
use super::error::quoted;
use super::{DataError, Flaw, read_elements};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy pads so that the data starts at a multiple of this.
const ALIGNMENT: usize = 64;
const MAX_HEADER_BYTES: usize = 1 << 20;
const MAX_RANK: usize = 8;

/// An array as it is in the file, its last dimension contiguous.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray {
    /// The dimensions; none for a scalar.
    pub shape: Vec<usize>,
    /// The product of the dimensions many values.
    pub data: Vec<f32>,
}

/// Reads an array that takes at most `max_bytes` as f32; `name` is what errors call it.
pub fn read_npy(mut reader: impl Read, name: &str, max_bytes: u64) -> Result<NpyArray, DataError> {
    let reader: &mut dyn Read = &mut reader;
    let fail = |message: String| DataError::new(name, message);
    let text = read_header(reader, name)?;
    let header = parse_header(&text).map_err(|m| fail(format!("its npy header {m}")))?;
    let element = Element::parse(&header.descr).map_err(fail)?;
    if header.fortran_order && header.shape.iter().filter(|n| **n > 1).count() > 1 {
        let error = DataError::new(name, "holds an array in Fortran order");
        return Err(error.with_help("save numpy.ascontiguousarray(a)"));
    }
    let count = element_count(&header.shape)
        .ok_or_else(|| fail("its npy header gives a shape that overflows".to_string()))?;
    if count.checked_mul(size_of::<f32>() as u64).is_none_or(|bytes| bytes > max_bytes) {
        return Err(DataError::over_limit(name, max_bytes));
    }
    let data = element.read(reader, count).map_err(|flaw| match flaw {
        Flaw::Io(error) => DataError::io(name, &error),
        Flaw::Short(got) => fail(format!(
            "ends early: {got} bytes of data, expected {} values of type {}",
            count, header.descr
        )),
        Flaw::TooLarge(index) => fail(format!("value {index} is too large for a 32-bit float")),
        Flaw::Memory => fail("needs more memory than there is".to_string()),
    })?;
    match read_up_to(reader, &mut [0]) {
        Ok(0) => Ok(NpyArray { shape: header.shape, data }),
        Ok(_) => Err(fail("has bytes behind its array".to_string())),
        Err(error) => Err(DataError::io(name, &error)),
    }
}

/// Writes `rows * cols` values as a matrix, version 1.0.
pub fn write_npy(mut w: impl Write, rows: usize, cols: usize, values: &[f32]) -> io::Result<()> {
    if rows.checked_mul(cols) != Some(values.len()) {
        let message = format!("{} values are no {rows} x {cols} matrix", values.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    w.write_all(&matrix_header(rows, cols))?;
    for chunk in values.chunks(4096) {
        let bytes: Vec<u8> = chunk.iter().flat_map(|value| value.to_le_bytes()).collect();
        w.write_all(&bytes)?;
    }
    Ok(())
}

/// Everything that precedes the values of a matrix of f32.
pub(super) fn matrix_header(rows: usize, cols: usize) -> Vec<u8> {
    let mut text =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
    let before = MAGIC.len() + 4;
    let total = (before + text.len() + 1).next_multiple_of(ALIGNMENT);
    while before + text.len() + 1 < total {
        text.push(' ');
    }
    text.push('\n');
    let mut header = MAGIC.to_vec();
    header.extend([1, 0]);
    header.extend((text.len() as u16).to_le_bytes()); // two integers, so always short
    header.extend(text.as_bytes());
    header
}

/// The type of the elements in the file.
enum Element {
    F4,
    F8,
    I4,
    I8,
    U1,
}

impl Element {
    fn parse(descr: &str) -> Result<Element, String> {
        Ok(match descr {
            "<f4" => Element::F4,
            "<f8" => Element::F8,
            "<i4" => Element::I4,
            "<i8" => Element::I8,
            "|u1" | "<u1" => Element::U1,
            _ => {
                return Err(format!(
                    "holds elements of type {}; those read are <f4, <f8, <i4, <i8 and |u1",
                    quoted(descr)
                ));
            }
        })
    }

    fn read(&self, reader: &mut dyn Read, count: u64) -> Result<Vec<f32>, Flaw> {
        match self {
            Element::F4 => read_elements(reader, count, |b| Some(f32::from_le_bytes(b))),
            Element::F8 => read_elements(reader, count, |b| narrow(f64::from_le_bytes(b))),
            Element::I4 => read_elements(reader, count, |b| Some(i32::from_le_bytes(b) as f32)),
            Element::I8 => read_elements(reader, count, |b| Some(i64::from_le_bytes(b) as f32)),
            Element::U1 => read_elements(reader, count, |[b]: [u8; 1]| Some(f32::from(b))),
        }
    }
}

pub(super) fn element_count(shape: &[usize]) -> Option<u64> {
    shape.iter().try_fold(1u64, |count, n| count.checked_mul(*n as u64))
}

/// The text of the header, up to the first byte of data.
fn read_header(reader: &mut dyn Read, name: &str) -> Result<String, DataError> {
    let fail = |message: &str| DataError::new(name, message);
    let mut fill = |buffer: &mut [u8]| match read_up_to(reader, buffer) {
        Ok(got) if got == buffer.len() => Ok(()),
        Ok(_) => Err(fail("ends inside its npy header")),
        Err(error) => Err(DataError::io(name, &error)),
    };
    let mut magic = [0; MAGIC.len()];
    let mut version = [0; 2];
    fill(&mut magic)?;
    if magic != *MAGIC {
        return Err(fail("is no npy file"));
    }
    fill(&mut version)?;
    let length = match version {
        [1, _] => {
            let mut length = [0; 2];
            fill(&mut length)?;
            u32::from(u16::from_le_bytes(length))
        }
        [2, _] => {
            let mut length = [0; 4];
            fill(&mut length)?;
            u32::from_le_bytes(length)
        }
        [major, minor] => {
            let message = format!("is of npy version {major}.{minor}; 1.0 and 2.0 are read");
            return Err(DataError::new(name, message));
        }
    };
    if length as usize > MAX_HEADER_BYTES {
        return Err(fail("has an npy header of more than 1 MiB"));
    }
    let mut text = vec![0; length as usize];
    fill(&mut text)?;
    String::from_utf8(text).map_err(|_| fail("has an npy header that is not text"))
}

#[derive(Default)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// Parses the Python dictionary of a header, such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse_header(text: &str) -> Result<Header, String> {
    let mut cursor = Cursor { rest: text };
    let (mut descr, mut order, mut shape) = (None, None, None);
    cursor.expect("{")?;
    while !cursor.accept("}") {
        let key = cursor.string()?;
        cursor.expect(":")?;
        let fresh = match key {
            "descr" => descr.replace(cursor.string()?.to_string()).is_none(),
            "fortran_order" => order.replace(cursor.boolean()?).is_none(),
            "shape" => shape.replace(cursor.tuple()?).is_none(),
            _ => return Err(format!("has the unknown key {}", quoted(key))),
        };
        if !fresh {
            return Err(format!("has {} twice", quoted(key)));
        }
        if !cursor.accept(",") {
            cursor.expect("}")?;
            break;
        }
    }
    match (descr, order, shape) {
        (Some(descr), Some(fortran_order), Some(shape)) if cursor.at_end() => {
            Ok(Header { descr, fortran_order, shape })
        }
        (Some(_), Some(_), Some(_)) => Err("has text behind its dictionary".to_string()),
        _ => Err("lacks one of descr, fortran_order and shape".to_string()),
    }
}

/// What is left of a header's text.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn accept(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.accept(token) { Ok(()) } else { Err(self.expected(&format!("'{token}'"))) }
    }

    fn expected(&self, what: &str) -> String {
        format!("has {} where {what} is expected", quoted(self.rest))
    }

    fn string(&mut self) -> Result<&'a str, String> {
        for quote in ["'", "\""] {
            if self.accept(quote) {
                let (string, rest) =
                    self.rest.split_once(quote).ok_or_else(|| self.expected("a closed string"))?;
                self.rest = rest;
                return Ok(string);
            }
        }
        Err(self.expected("a string"))
    }

    fn boolean(&mut self) -> Result<bool, String> {
        if self.accept("True") {
            return Ok(true);
        }
        if self.accept("False") { Ok(false) } else { Err(self.expected("True or False")) }
    }

    fn tuple(&mut self) -> Result<Vec<usize>, String> {
        let mut items = Vec::new();
        self.expect("(")?;
        while !self.accept(")") {
            items.push(self.integer()?);
            if items.len() > MAX_RANK {
                return Err(format!("has a shape of more than {}", plural(MAX_RANK, "dimension")));
            }
            if !self.accept(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(items)
    }

    fn integer(&mut self) -> Result<usize, String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let value = digits.parse().map_err(|_| self.expected("a dimension"))?;
        self.rest = rest;
        Ok(value)
    }

    fn at_end(&self) -> bool {
        self.rest.trim().is_empty()
    }
}
