//! Tables that are read in blocks, of which no row waits for another.

use std::cell::RefCell;
use std::io::{self, Read};
use std::ops::ControlFlow;

use arenet_runtime::data::{Dataset, PortSpec, TableSpec, Values, read_blocks};
use pretty_assertions::assert_eq;

/// Text that arrives in pieces. The next one comes only when somebody waits for it, which is noted.
struct Arriving<'a> {
    pieces: std::slice::Iter<'a, &'a str>,
    log: &'a RefCell<Vec<String>>,
}

impl Read for Arriving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.log.borrow_mut().push("waits".to_string());
        let piece = self.pieces.next().copied().unwrap_or_default();
        buffer[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

fn x() -> [PortSpec; 1] {
    [PortSpec { name: "x".into(), width: 1, ..PortSpec::default() }]
}

fn values(rows: &Dataset) -> &[f32] {
    match &rows.inputs[0].data {
        Values::F32(values) => values,
        Values::I32(_) | Values::File(_) => panic!("they are real numbers in memory"),
    }
}

/// What happens while these pieces are read: the blocks, with the lines of their last rows, and
/// where it waits for a piece.
fn read(pieces: &[&str], most: usize) -> (Vec<String>, String) {
    let log = RefCell::new(Vec::new());
    let x = x();
    let reader = Arriving { pieces: pieces.iter(), log: &log };
    let end = read_blocks(reader, "t", &TableSpec::new(&x, &[]), most, &mut |rows, line| {
        log.borrow_mut().push(format!("{:?} to line {line}", values(&rows)));
        ControlFlow::Continue(())
    });
    let end = end.map_or_else(|error| error.to_string(), |left_out| format!("{left_out} left out"));
    (log.into_inner(), end)
}

#[test]
fn rows_do_not_wait_for_those_that_have_not_arrived() {
    // Half a row is none, and neither is a blank line. A header tells of itself.
    let (log, end) = read(&["x\n", "1\n2\n3", "4\n\n", "5"], 256);
    let expected = [
        "waits",
        "waits",
        "[1.0, 2.0] to line 3",
        "waits",
        "[34.0] to line 4",
        "waits",
        "waits",
        "[5.0] to line 6",
    ];
    assert_eq!(log, expected);
    assert_eq!(end, "0 left out");
    let (log, _) = read(&["{\"x\": 1}\n", "{\"x\": 2}\n{\"x\": 3}\n"], 256);
    let expected = ["waits", "[1.0] to line 1", "waits", "[2.0, 3.0] to line 3", "waits"];
    assert_eq!(log, expected);
}

#[test]
fn blocks_have_so_many_rows_at_most() {
    let (log, _) = read(&["1\n2\n3\n4\n5\n"], 2);
    let blocks: Vec<&String> = log.iter().filter(|line| *line != "waits").collect();
    assert_eq!(blocks, ["[1.0, 2.0] to line 2", "[3.0, 4.0] to line 4", "[5.0] to line 5"]);
}

#[test]
fn rows_before_an_error_are_given() {
    for (text, error) in [
        ("1\n2\nx\n4\n", "t:3: column 0 (x): \"x\" is not a number"),
        ("1\n2\n3,3\n", "t:3: expected 1 column, found 2"),
    ] {
        let (log, end) = read(&[text], 256);
        assert_eq!(log.last().unwrap(), "[1.0, 2.0] to line 2");
        assert_eq!(end, error);
    }
}

/// A block has no more rows than there is memory for, and a table of any length passes.
#[test]
fn memory_bounds_the_rows_of_a_block() {
    let x = x();
    let read = |max_bytes| {
        let mut lengths = Vec::new();
        let spec = TableSpec { max_bytes, held: 100, ..TableSpec::new(&x, &[]) };
        let text = "1\n".repeat(10);
        read_blocks(text.as_bytes(), "t", &spec, 256, &mut |rows, _| {
            lengths.push(rows.rows);
            ControlFlow::Continue(())
        })
        .map(|_| lengths)
        .map_err(|error| error.to_string())
    };
    assert_eq!(read(117), Ok(vec![4, 4, 2]));
    let error = "t: needs more memory than the limit of 103 bytes";
    assert_eq!(read(103), Err(error.to_string()));
}

#[test]
fn who_reads_may_stop() {
    let x = x();
    let mut blocks = 0;
    let end = read_blocks(&b"1\n2\nx\n"[..], "t", &TableSpec::new(&x, &[]), 1, &mut |_, _| {
        blocks += 1;
        ControlFlow::Break(())
    });
    assert_eq!((blocks, end), (1, Ok(0)));
}

/// An array says how many rows it has, so it is one block; in place of a table with targets it is
/// refused.
#[test]
fn an_array_is_one_block() {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend([1.0f32, 2.0].iter().flat_map(|value| value.to_le_bytes()));
    let x = x();
    let read = |targets_optional| {
        let mut blocks = Vec::new();
        let spec = TableSpec { targets_optional, ..TableSpec::new(&x, &[]) };
        read_blocks(&bytes[..], "t", &spec, 1, &mut |rows, line| {
            blocks.push((values(&rows).to_vec(), line));
            ControlFlow::Continue(())
        })
        .map(|_| blocks)
        .map_err(|error| format!("{error:#}"))
    };
    assert_eq!(read(true), Ok(vec![(vec![1.0, 2.0], 0)]));
    let error = "t: is an array, and row by row a table of text is read\nhelp: save it as CSV";
    assert_eq!(read(false), Err(error.to_string()));
}
