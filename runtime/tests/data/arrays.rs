//! A file for each port, npy or IDX, plain or gzipped, and what is refused.

use std::fs;
use std::path::PathBuf;

use arenet_runtime::data::{DataError, Dataset, PortSpec, TableSpec, read_arrays};
use pretty_assertions::assert_eq;

use super::idx::{file as idx, gzip};
use super::npy::{file as npy, header};
use super::{dataset, digits, floats, folder, integer, integers, real, species};

fn f4(shape: &str, values: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    npy(&header("<f4", shape), &data)
}

/// Reads the files, whose names are those of their ports, in a folder of the test's own.
fn read(
    test: &str,
    inputs: &[PortSpec],
    targets: &[PortSpec],
    files: &[(&str, Vec<u8>)],
) -> Result<Dataset, DataError> {
    let spec = TableSpec { targets_optional: true, ..TableSpec::new(inputs, targets) };
    read_arrays(&written(test, files), &TableSpec { max_bytes: 1000, ..spec })
}

fn written(test: &str, files: &[(&str, Vec<u8>)]) -> Vec<(String, PathBuf)> {
    let folder = folder(test);
    let write = |(name, bytes): &(&str, Vec<u8>)| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        (name.to_string(), path)
    };
    files.iter().map(write).collect()
}

#[test]
fn images_and_labels_are_read_whatever_they_are_called() {
    let ports = ([real("x", 4)], [integer("label", digits())]);
    let images = idx(&[2, 2, 2], &[0, 1, 2, 255, 4, 5, 6, 7]);
    let labels = idx(&[2], &[9, 0]);
    let expected =
        dataset(2, &[floats(4, &[0.0, 1.0, 2.0, 255.0, 4.0, 5.0, 6.0, 7.0])], &[integers(&[9, 0])]);
    let floats = f4("(2, 4)", &[0.0, 1.0, 2.0, 255.0, 4.0, 5.0, 6.0, 7.0]);
    for (i, images) in [gzip(&images), images, gzip(&floats), floats].into_iter().enumerate() {
        let files = [("label", labels.clone()), ("x", images)];
        let found = read(&format!("arrays_{i}"), &ports.0, &ports.1, &files);
        assert_eq!(found, Ok(expected.clone()), "{i}");
    }
}

#[test]
fn targets_may_be_left_out_and_classes_are_indices() {
    let ports = ([real("x", 1)], [integer("species", species())]);
    let x = ("x", f4("(3,)", &[1.0, -2.5, 3.0]));
    let found = read("arrays_bare", &ports.0, &ports.1, std::slice::from_ref(&x));
    assert_eq!(found, Ok(dataset(3, &[floats(1, &[1.0, -2.5, 3.0])], &[])));
    let files = [x, ("species", f4("(3, 1)", &[2.0, 0.0, 1.0]))];
    let found = read("arrays_classes", &ports.0, &ports.1, &files);
    assert_eq!(found, Ok(dataset(3, &[floats(1, &[1.0, -2.5, 3.0])], &[integers(&[2, 0, 1])])));
}

#[test]
fn mistakes_are_named() {
    let ports = ([real("x", 2)], [integer("label", digits())]);
    let x = || ("x", f4("(2, 2)", &[1.0, 2.0, 3.0, 4.0]));
    let label = |values: &[u8]| ("label", idx(&[values.len() as u32], values));
    let check = |test: &str, files: &[(&str, Vec<u8>)], expected: &str| {
        let error = read(test, &ports.0, &ports.1, files).unwrap_err();
        let folder = folder(test).display().to_string();
        assert_eq!(format!("{error:#}").replace(&format!("{folder}/"), ""), expected);
    };
    check(
        "arrays_slip",
        &[x(), ("labl", vec![])],
        "labl: is for \"labl\", which the model does not have\nhelp: did you mean \"label\"?",
    );
    check(
        "arrays_other",
        &[x(), ("species", vec![])],
        "species: is for \"species\", which the model does not have\n\
         help: its inputs and targets are x, label",
    );
    check(
        "arrays_twice",
        &[x(), x()],
        "x: is the second file for \"x\"\nhelp: name one file for each port",
    );
    check(
        "arrays_missing",
        &[label(&[1])],
        "label: there is no file for \"x\" beside it\nhelp: add x=FILE",
    );
    check(
        "arrays_rows",
        &[x(), label(&[1, 2, 3])],
        "label: has 3 rows, but x has 2\nhelp: take files of the same rows",
    );
    check(
        "arrays_domain",
        &[x(), label(&[1, 10])],
        "label: row 1: 10 is outside 0..10\n\
         help: correct it, or widen the range of label in the net",
    );
    check(
        "arrays_whole",
        &[x(), ("label", f4("(2,)", &[1.0, 1.5]))],
        "label: row 1: 1.5 is not a whole number\n\
         help: round it, or make the port one of real numbers: without `i32`",
    );
    check(
        "arrays_finite",
        &[("x", f4("(2, 2)", &[1.0, 2.0, 3.0, f32::NAN]))],
        "x: row 1: NaN is not a finite number\n\
         help: fill in a value, remove the row, or write `missing` behind the type of x in the \
         model",
    );
    check(
        "arrays_width",
        &[("x", f4("(1, 3)", &[1.0, 2.0, 3.0]))],
        "x: has 3 in a row, and \"x\" takes 2 values\n\
         help: save rows of 2 values, or change \"x\" in the net",
    );
    let neither = "x: is neither an npy nor an IDX file\n\
                   help: a table of text, or an npz archive, is given alone: `read_csv`";
    check("arrays_text", &[("x", b"1,2\n".to_vec())], neither);
    check("arrays_empty", &[("x", vec![])], neither);
    check("arrays_zip_of_text", &[("x", gzip(b"1,2\n"))], neither);
    check(
        "arrays_large",
        &[("x", idx(&[1000, 2], &[0; 2000]))],
        "x: needs more memory than the limit of 1000 bytes\n\
         help: `max_memory` raises the limit; fewer rows take less",
    );
}

#[test]
fn damaged_files_are_errors() {
    let good = gzip(&idx(&[4, 2], &[1, 2, 3, 4, 5, 6, 7, 8]));
    let ports = [real("x", 2)];
    for at in 0..good.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= change;
            // What a header's flags and times are is not checked by anybody.
            if let Ok(found) = read("arrays_damaged", &ports, &[], &[("x", bytes)]) {
                assert_eq!(found.rows, 4, "byte {at}");
            }
        }
        assert!(read("arrays_damaged", &ports, &[], &[("x", good[..at].to_vec())]).is_err());
    }
}
