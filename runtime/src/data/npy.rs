//! NumPy's `.npy` files: reads one array of numbers, writes the head of a matrix of f32.
//!
//! It reads versions 1.0 and 2.0, C order, little-endian f4, f8, i4, i8 and u1. Archives of
//! them are in npz.rs. It is no reader of structured types or of pickled objects, which are code.

use std::io::Read;

use super::array::{ArrayTable, Element, read_head};
use super::error::{DataError, plural, quoted};
use super::table::{Format, Opened, Source};

pub(super) const FORMAT: Format = Format { begins: |head| head.starts_with(MAGIC), open };

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy pads so that the data starts at a multiple of this.
const ALIGNMENT: usize = 64;
const MAX_HEADER_BYTES: usize = 1 << 20;
const MAX_RANK: usize = 8;

fn open<'r>(source: Source<'r>, name: &str) -> Opened<'r> {
    let mut reader = source.reader;
    let text = read_header(&mut reader, name)?;
    let header =
        parse_header(&text).map_err(|m| written_otherwise(name, format!("its npy header {m}")))?;
    let element = element(&header.descr).map_err(|message| {
        let help = "save it as one of them, such as a.astype(\"float32\")";
        DataError::new(name, message).with_help(help)
    })?;
    if header.fortran_order && header.shape.iter().filter(|n| **n > 1).count() > 1 {
        let error = DataError::new(name, "holds an array in Fortran order");
        return Err(error.with_help("save numpy.ascontiguousarray(a)"));
    }
    ArrayTable::open(reader, name, &header.shape, element)
}

/// The error of a header that numpy does not write so.
fn written_otherwise(name: &str, message: impl Into<String>) -> DataError {
    DataError::new(name, message).with_help("write one array of numbers, with numpy.save")
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

/// What a header calls the type of the elements.
fn element(descr: &str) -> Result<Element, String> {
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

/// The text of the header, up to the first byte of data.
fn read_header(reader: &mut dyn Read, name: &str) -> Result<String, DataError> {
    let fail = |message: &str| written_otherwise(name, message);
    let mut fill = |buffer: &mut [u8]| read_head(reader, buffer, "npy", name);
    let mut magic = [0; MAGIC.len()];
    let mut version = [0; 2];
    fill(&mut magic)?;
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
            return Err(written_otherwise(name, message));
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
