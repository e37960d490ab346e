//! Archives of arrays: the one of its name for each port, and what is refused.

use std::fs;

use arenet_runtime::data::profile::{ProfileSpec, profile};
use arenet_runtime::data::{ColumnMap, Dataset, TableSpec, read_arrays, read_csv, read_csv_file};
use flate2::Crc;
use pretty_assertions::assert_eq;

use super::formats::gzip;
use super::{dataset, digits, floats, folder, integer, integers, npy, real};

/// Of numpy.savez, with the arrays x, t and note.
pub const STORED: &[u8] = include_bytes!("stored.npz");
/// Of numpy.savez_compressed, with the arrays note, t and x.
pub const PACKED: &[u8] = include_bytes!("packed.npz");
/// Of numpy.savez_compressed into a pipe, with the arrays x and t.
pub const PIPED: &[u8] = include_bytes!("piped.npz");

fn read(bytes: &[u8], columns: Option<&str>, targets_optional: bool) -> Result<Dataset, String> {
    let (inputs, targets) = ([real("x", 2)], [integer("t", digits())]);
    let columns = columns.map(|columns| ColumnMap::parse(columns).unwrap());
    let spec = TableSpec {
        columns: columns.as_ref(),
        targets_optional,
        ..TableSpec::new(&inputs, &targets)
    };
    let spec = TableSpec { max_bytes: 1000, ..spec };
    read_csv(bytes, "a.npz", &spec).map_err(|error| format!("{error:#}"))
}

/// What is in them all.
fn x_and_t() -> Dataset {
    let x = floats(2, &[1.0, -2.5, 3.0, 4.25, 0.5, 6.0]);
    dataset(3, &[x], &[integers(&[7, 0, 9])])
}

/// An archive of files that are not packed, whose method and flags are these.
fn archive(method: u8, flags: u8, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in files {
        let mut sum = Crc::new();
        sum.update(data);
        let size = (data.len() as u32).to_le_bytes();
        bytes.extend(b"PK\x03\x04\x14\0");
        bytes.extend([flags, 0, method, 0, 0, 0, 0, 0]);
        bytes.extend([sum.sum().to_le_bytes(), size, size].as_flattened());
        bytes.extend([name.len() as u8, (name.len() >> 8) as u8, 0, 0]);
        bytes.extend([name.as_bytes(), data].concat());
    }
    [&bytes[..], b"PK\x01\x02"].concat()
}

/// The bytes of one row of x, and of a t for it.
fn row() -> (Vec<u8>, Vec<u8>) {
    let x = npy::file(&npy::header("|u1", "(1, 2)"), &[1, 2]);
    (x, npy::file(&npy::header("|u1", "(1,)"), &[3]))
}

#[test]
fn ports_take_the_arrays_of_their_names() {
    let unused = Some("array note".to_string());
    for (bytes, unused) in [(STORED, unused.clone()), (PACKED, unused), (PIPED, None)] {
        let expected = Dataset { unused, ..x_and_t() };
        assert_eq!(read(bytes, None, false), Ok(expected.clone()));
        assert_eq!(read(&gzip(bytes), None, true), Ok(expected));
    }
    let file = folder("npz_alone").join("rows");
    fs::write(&file, PACKED).unwrap();
    let (inputs, targets) = ([real("x", 2)], [integer("t", digits())]);
    let data = read_csv_file(&file, &TableSpec::new(&inputs, &targets)).unwrap();
    assert_eq!((data.inputs, data.targets), (x_and_t().inputs, x_and_t().targets));
}

#[test]
fn a_map_names_other_arrays() {
    let (x, t) = row();
    let files: [(&str, &[u8]); 7] = [
        ("x_test.npy", &t),
        ("x_train.npy", &x),
        ("a.npy", b""),
        ("b.npy", b""),
        ("c.npy", b""),
        ("y_train.npy", &t),
        ("read.me", b"rows"),
    ];
    let expected = dataset(1, &[floats(2, &[1.0, 2.0])], &[integers(&[3])]);
    let unused = Some("arrays x_test, a, b, 2 more".to_string());
    let expected = Dataset { unused, ..expected };
    let bytes = archive(0, 0, &files);
    assert_eq!(read(&bytes, Some("x=x_train,t=y_train"), false), Ok(expected.clone()));
    let check = |columns, expected: &str| {
        assert_eq!(read(&bytes, columns, false), Err(format!("a.npz: {expected}")));
    };
    check(
        None,
        "has no array \"x\"\n\
         help: other arrays in it are x_test, x_train, a, b, c, y_train, read.me; \
         `columns(\"x=NAME\")` takes the array NAME",
    );
    check(
        Some("x=x_train,t=y_trein"),
        "has no array \"y_trein\"\n\
         help: did you mean \"y_train\"? `columns(\"t=NAME\")` takes the array NAME",
    );
    check(
        Some("x=0..2"),
        "`columns` names no array for \"x\": a port takes one, by name\n\
         help: say `columns(\"x=NAME\")`",
    );
    check(
        Some("y=x_train"),
        "`columns` names \"y\", which the model does not have\n\
         help: its inputs and targets are x, t",
    );
    let both = "is to give the array \"x_train\" to x and to t\nhelp: save it under two names";
    check(Some("x=x_train,t=x_train"), both);
}

#[test]
fn targets_may_be_left_out() {
    let (x, _) = row();
    let bytes = archive(0, 0, &[("x.npy", &x)]);
    assert_eq!(read(&bytes, None, true), Ok(dataset(1, &[floats(2, &[1.0, 2.0])], &[])));
    let error = "a.npz: has no array \"t\"\n\
                 help: save the array beside the others, with numpy.savez";
    assert_eq!(read(&bytes, None, false), Err(error.to_string()));
}

#[test]
fn mistakes_are_named() {
    let (x, t) = row();
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(read(bytes, None, false), Err(format!("a.npz{expected}")));
    };
    let one = |method, flags| archive(method, flags, &[("x.npy", &x)]);
    check(&one(0, 1), "/x.npy: is encrypted\nhelp: unpack the archive");
    check(
        &one(12, 0),
        "/x.npy: is packed by method 12 of zip; 0 and 8 are read\n\
         help: save it with numpy.savez_compressed",
    );
    check(
        &one(0, 8),
        "/x.npy: does not say in front how long it is\n\
         help: save the archive in a file instead of a pipe",
    );
    check(
        &archive(0, 0, &[("x.npy", &x), ("x.npy", &x)]),
        "/x.npy: is the second array of this name\n\
         help: save the arrays again, with numpy.savez",
    );
    check(
        &archive(0, 0, &[("x.npy", &x), ("t.npy", &x)]),
        "/t.npy: has 2 in a row, and \"t\" takes 1 value\n\
         help: save rows of 1 value, or change \"t\" in the net",
    );
    check(
        &archive(0, 0, &[("x.npy", &npy::file(&npy::header("|u1", "(1000, 2)"), &[]))]),
        "/x.npy: needs more memory than the limit of 1000 bytes\n\
         help: `max_memory` raises the limit; fewer rows take less",
    );
    let names: Vec<String> = (0..20).map(|i| format!("{i}{}.npy", "n".repeat(60_000))).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&name[..], &b""[..])).collect();
    check(
        &archive(0, 0, &[&[("x.npy", &x[..])], &files[..]].concat()),
        ": has more than 1 MiB of names of arrays\n\
         help: save the arrays that are needed, with numpy.savez",
    );
    let (inputs, targets) = ([real("x", 2)], [integer("t", digits())]);
    let spec = TableSpec { header: Some(true), ..TableSpec::new(&inputs, &targets) };
    let error = read_csv(STORED, "a", &spec).unwrap_err();
    let message = "a: is an npz archive of arrays, and `header` is for tables of text";
    assert_eq!(format!("{error:#}"), format!("{message}\nhelp: leave it out"));
    let keep = ["id".to_string()];
    let spec = TableSpec { keep: &keep, ..TableSpec::new(&inputs, &targets) };
    let error = read_csv(STORED, "a", &spec).unwrap_err();
    assert_eq!(error.message, "is an npz archive of arrays, and `keep` is for tables of text");
    let file = folder("npz_mistakes").join("a");
    fs::write(&file, archive(0, 0, &[("t.npy", &t)])).unwrap();
    let error = read_arrays(&[("x".into(), file)], &TableSpec::new(&inputs, &[])).unwrap_err();
    let help = "a table of text, or an npz archive, is given alone: `read_csv`";
    assert_eq!(error.help.unwrap(), help);
}

#[test]
fn where_rows_are_wanted_an_archive_is_refused() {
    let error = profile(STORED, "a.npz", &ProfileSpec::default());
    let message = "a.npz: is an npz archive of arrays, and no table\nhelp: save the rows as CSV";
    assert_eq!(format!("{:#}", error.unwrap_err()), message);
}

#[test]
fn damaged_archives_are_errors() {
    let help = "help: the file is cut off or damaged: copy it or save it again";
    for bytes in [STORED, PACKED, PIPED] {
        let end = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        for end in (60..end).step_by(7) {
            let error = read(&bytes[..end], None, false).unwrap_err();
            assert!(error.ends_with(help), "cut off at {end}: {error}");
        }
    }
    let (x, t) = row();
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(read(bytes, None, false), Err(format!("a.npz{expected}\n{help}")));
    };
    let good = archive(0, 0, &[("x.npy", &x), ("t.npy", &t)]);
    let mut wrong = good.clone();
    wrong[34 + x.len()] ^= 1;
    check(&wrong, "/x.npy: has another checksum than when it was packed");
    let second = good.windows(4).rposition(|four| four == b"PK\x03\x04").unwrap();
    check(&good[..second], ": cannot be read: unexpected end of file");
    let mut wrong = good.clone();
    wrong[second] = b'p';
    check(&wrong, ": cannot be read: corrupt zip archive");
}
