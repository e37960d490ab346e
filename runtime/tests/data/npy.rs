//! NumPy arrays: the types that are read, the round trip, and what is refused.

use arenet_runtime::data::output::Format;
use pretty_assertions::assert_eq;

use super::array;
use super::output::{plain, written};

/// A file of version 1.0 with this header and data.
pub fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

pub fn header(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")
}

#[track_caller]
fn check(bytes: &[u8], width: usize, data: &[f32]) {
    assert_eq!(array(bytes, width), Ok(data.to_vec()));
}

#[track_caller]
fn refuse(bytes: &[u8], expected: &str) {
    assert_eq!(array(bytes, 1), Err(format!("a: {expected}")));
}

const CUT: &str = "help: the file is cut off or damaged: copy it or save it again";
const SAVE: &str = "help: write one array of numbers, with numpy.save";

fn bytes_of<const N: usize, T>(values: &[T], convert: impl Fn(&T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(convert).collect()
}

#[test]
fn every_type_is_read() {
    let values = [-1.0, 0.0, 2.0];
    let f4 = bytes_of(&[-1.0f32, 0.0, 2.0], |v| v.to_le_bytes());
    check(&file(&header("<f4", "(3,)"), &f4), 1, &values);
    let f8 = bytes_of(&[-1.0f64, 0.0, 2.0], |v| v.to_le_bytes());
    check(&file(&header("<f8", "(3, 1)"), &f8), 1, &values);
    let i4 = bytes_of(&[-1i32, 0, 2], |v| v.to_le_bytes());
    check(&file(&header("<i4", "(1, 3)"), &i4), 3, &values);
    let i8 = bytes_of(&[-1i64, 0, 2], |v| v.to_le_bytes());
    check(&file(&header("<i8", "(3)"), &i8), 1, &values);
    check(&file(&header("|u1", "(2, 2)"), &[0, 1, 2, 255]), 2, &[0.0, 1.0, 2.0, 255.0]);
    check(&file(&header("|u1", "(1, 2, 2)"), &[0, 1, 2, 255]), 4, &[0.0, 1.0, 2.0, 255.0]);
    refuse(
        &file(&header("|u1", "()"), &[9]),
        "is a single number, and no rows of them\n\
         help: save numpy.atleast_1d(a): its first dimension is the rows",
    );
    let none = "has no rows\nhelp: save an array whose first dimension is not 0";
    refuse(&file(&header("|u1", "(0, 5)"), &[]), none);
}

#[test]
fn version_2_and_other_spellings() {
    let header = b"{\"shape\":(2,),\"fortran_order\":True,\"descr\":\"|u1\"}";
    let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header);
    bytes.extend([3, 4]);
    check(&bytes, 1, &[3.0, 4.0]);
}

#[test]
fn what_is_written_is_read() {
    let values: Vec<f32> = (0..6000).map(|i| i as f32 * 0.37 - 5.0).collect();
    let bytes = written(Format::Npy, 2000, &[plain("y", 3, &values)]);
    assert_eq!(bytes.len(), 128 + 4 * values.len());
    check(&bytes, 3, &values);
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2000, 3), }";
    assert_eq!(&bytes[10..10 + text.len()], text.as_bytes());
    assert_eq!(bytes[127], b'\n');
}

#[test]
fn bad_headers() {
    let ends = format!("ends inside its npy header\n{CUT}");
    refuse(b"\x93NUMPY", &ends);
    refuse(b"\x93NUMPY\x01\x00\xFF\x00{", &ends);
    let other = |bytes: &[u8], expected: &str| refuse(bytes, &format!("{expected}\n{SAVE}"));
    other(b"\x93NUMPY\x03\x00\x00\x00\x00\x00", "is of npy version 3.0; 1.0 and 2.0 are read");
    other(b"\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF", "has an npy header of more than 1 MiB");
    other(b"\x93NUMPY\x01\x00\x01\x00\xFF", "has an npy header that is not text");
    let bad = |text: &str, expected: &str| {
        refuse(&file(text, &[]), &format!("its npy header {expected}\n{SAVE}"));
    };
    bad("", "has \"\" where '{' is expected");
    bad("{", "has \"\" where a string is expected");
    bad("{'descr", "has \"descr\" where a closed string is expected");
    bad("{'descr' '<f4'}", "has \"'<f4'}\" where ':' is expected");
    bad("{'descr': [('a', '<f4')]}", "has \"[('a', '<f4')]}\" where a string is expected");
    bad("{'a': 1}", "has the unknown key \"a\"");
    bad("{'descr': '<f4', 'descr': '<f4'}", "has \"descr\" twice");
    bad("{'descr': '<f4' 1}", "has \"1}\" where '}' is expected");
    bad("{'descr': '<f4'}", "lacks one of descr, fortran_order and shape");
    bad("{'fortran_order': 0}", "has \"0}\" where True or False is expected");
    bad("{'shape': (-1,)}", "has \"-1,)}\" where a dimension is expected");
    bad("{'shape': (3 4)}", "has \"4)}\" where ')' is expected");
    bad("{'shape': (1,1,1,1,1,1,1,1,1)}", "has a shape of more than 8 dimensions");
    bad(&(header("<f4", "(3,)") + "x"), "has text behind its dictionary");
    let shape = format!("({max}, {max})", max = u32::MAX as u64 * 4);
    let overflows = format!("has a header with a shape that overflows\n{CUT}");
    refuse(&file(&header("|u1", &shape), &[]), &overflows);
}

#[test]
fn bad_arrays() {
    let types = "those read are <f4, <f8, <i4, <i8 and |u1\n\
                 help: save it as one of them, such as a.astype(\"float32\")";
    let bad = |descr: &str| {
        refuse(
            &file(&header(descr, "(3,)"), &[]),
            &format!("holds elements of type {descr:?}; {types}"),
        );
    };
    bad(">f4");
    bad("<f2");
    bad("|O");
    let fortran = header("<f4", "(2, 2)").replace("False", "True");
    refuse(
        &file(&fortran, &[]),
        concat!("holds an array in Fortran order\n", "help: save numpy.ascontiguousarray(a)"),
    );
    let early = format!("ends early: 11 bytes of data, expected 12\n{CUT}");
    refuse(&file(&header("<f4", "(3,)"), &[0; 11]), &early);
    let behind = "has bytes behind its array\nhelp: save one array in a file";
    refuse(&file(&header("|u1", "(3,)"), &[0; 4]), behind);
    refuse(
        &file(&header("|u1", "(262145,)"), &[]),
        "needs more memory than the limit of 1048576 bytes\n\
         help: `max_memory` raises the limit; fewer rows take less",
    );
    let large: Vec<u8> = [1.0, 1e39].iter().flat_map(|v: &f64| v.to_le_bytes()).collect();
    refuse(
        &file(&header("<f8", "(2,)"), &large),
        "value 1 is too large for a 32-bit float\nhelp: scale the values before they are saved",
    );
}
