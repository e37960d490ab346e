//! A table in several files.

use std::fs;
use std::path::PathBuf;

use arenet_runtime::data::{Domain, TableSpec, Values, read_csv_files};
use pretty_assertions::assert_eq;

use super::{integer, real};

/// Writes files into a folder of this test, and reads them as one table: the values of `x`, or the
/// error without the folder.
fn read(test: &str, files: &[(&str, &str)]) -> Result<Vec<f32>, String> {
    let folder = std::env::temp_dir().join(format!("arenet-parts-{}-{test}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let write = |(name, text): &(&str, &str)| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let paths: Vec<PathBuf> = files.iter().map(write).collect();
    let inputs = [real("x", 2)];
    let targets = [integer("kind", Domain::Names(vec!["a".into(), "b".into()]))];
    let data = read_csv_files(&paths, &TableSpec::new(&inputs, &targets));
    let found = match data.map_err(|error| format!("{error:#}")) {
        Ok(data) => match &data.inputs[0].data {
            Values::F32(values) => Ok(values.clone()),
            _ => panic!("x is real"),
        },
        Err(text) => Err(text.replace(&format!("{}/", folder.display()), "")),
    };
    fs::remove_dir_all(folder).unwrap();
    found
}

#[test]
fn the_rows_follow_each_other() {
    let both = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let rows = ["1,2,a\n3,4,b\n", "5,6,a"];
    let header = "x.0,x.1,kind\n";
    let with = |rows: &str| format!("{header}{rows}");
    for (test, first, second) in [
        ("bare", rows[0].to_string(), rows[1].to_string()),
        ("headers", with(rows[0]), with(rows[1])),
        // As `split` leaves a large file.
        ("first", with(rows[0]), rows[1].to_string()),
        ("none", header.to_string(), with("1,2,a\n3,4,b\n5,6,a\n")),
        ("dialects", with(rows[0]), with(rows[1]).replace(',', ";")),
        ("lines", with(rows[0]), "{\"x.0\": 5, \"x.1\": 6, \"kind\": \"a\"}\n".to_string()),
    ] {
        assert_eq!(read(test, &[("1.csv", &first), ("2.csv", &second)]), Ok(both.into()), "{test}");
    }
    // Rows that are equal to the first are rows.
    let twice = [("1.csv", "1,2,a\n"), ("2.csv", "1,2,a\n"), ("3.csv", "1,2,a\n")];
    assert_eq!(read("twice", &twice), Ok([1.0, 2.0].repeat(3)));
}

#[test]
fn every_mistake_names_its_file() {
    let fails = |test: &str, second: &str| {
        read(test, &[("1.csv", "x.0,x.1,kind\n1,2,a\n"), ("2.csv", second)]).unwrap_err()
    };
    assert_eq!(
        fails("field", "x.0,x.1,kind\n5,6,a\n7,oops,b\n"),
        "2.csv:3: column 1 (x.1): \"oops\" is not a number\nhelp: write a number, or remove the \
         row; a port of words lists them in the net: `in [\"a\", \"b\"]`"
    );
    assert_eq!(
        fails("order", "x.1,x.0,kind\n5,6,a\n"),
        "2.csv:1: column 0: the column is \"x.1\", and in 1.csv it is \"x.0\"\nhelp: the columns \
         of all files have the same names, in the same order"
    );
    assert_eq!(
        fails("width", "5,6,7,a\n"),
        "2.csv: has 4 columns, and 1.csv has 3\nhelp: all files of a table have the same columns"
    );
    assert_eq!(fails("empty", ""), "2.csv: is empty\nhelp: a table has a line for each row");
    assert_eq!(
        fails("array", "\x00\x00\x08\x01\x00\x00\x00\x01\x00"),
        "2.csv: is an array, and the parts of a table are text\nhelp: name one array for each \
         port: `arrays`, x=X.npy"
    );
    let none = read_csv_files(&[], &TableSpec::new(&[], &[])).unwrap_err();
    assert_eq!(none.to_string(), "the table: has no file");
}
