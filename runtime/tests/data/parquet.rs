//! Tables in Parquet that pyarrow wrote (parquet/write.py), and what is refused.

use std::fs;
use std::path::PathBuf;

use arenet_runtime::data::profile::{ProfileSpec, profile, profile_files};
use arenet_runtime::data::{
    Dataset, Domain, Missing, PortSpec, TableSpec, Values, read_blocks, read_csv, read_csv_files,
};
use pretty_assertions::assert_eq;
use serde_json::Value;

use super::formats::gzip;
use super::hostile::mutate;
use super::{floats, folder, integer, integers, real};

const TYPES: &[u8] = include_bytes!("parquet/types.parquet");
const PLAIN: &[u8] = include_bytes!("parquet/plain.parquet");
const GZIP: &[u8] = include_bytes!("parquet/gzip.parquet");
const ZSTD: &[u8] = include_bytes!("parquet/zstd.parquet");
const SPLIT: &[u8] = include_bytes!("parquet/split.parquet");
const OLD: &[u8] = include_bytes!("parquet/old.parquet");
const NESTED: &[u8] = include_bytes!("parquet/nested.parquet");
const LONG: &[u8] = include_bytes!("parquet/long.parquet");
const BROTLI: &[u8] = include_bytes!("parquet/brotli.parquet");
const PREFIXES: &[u8] = include_bytes!("parquet/prefixes.parquet");
const DAMAGED: &str = "help: the file is cut off or damaged: copy it or save it again";

fn named(name: &str) -> PortSpec {
    PortSpec { missing: Missing::Unknown, ..real(name, 1) }
}

/// A table with these inputs, read with these of its columns as they are written.
fn keep(bytes: &[u8], input: &str, keep: &str) -> Result<Dataset, String> {
    let (inputs, keep) = ([named(input)], [keep.to_string()]);
    let spec = TableSpec { keep: &keep, max_bytes: 1 << 26, ..TableSpec::new(&inputs, &[]) };
    read_csv(bytes, "t.parquet", &spec).map_err(|error| format!("{error:#}"))
}

/// What pyarrow read of all types: the names of the columns, and a row after another.
fn types() -> (Vec<String>, Vec<Vec<Value>>) {
    let text = include_str!("parquet/types.json");
    let Value::Object(mut all) = serde_json::from_str(text).unwrap() else { panic!("an object") };
    let take = |value: Option<Value>| value.unwrap();
    let names = serde_json::from_value(take(all.remove("names"))).unwrap();
    (names, serde_json::from_value(take(all.remove("rows"))).unwrap())
}

/// Whether the fields of a table that have been kept are those that pyarrow read.
fn check(data: &Dataset) {
    let (names, rows) = types();
    let kept = data.kept.as_ref().unwrap();
    assert_eq!(data.rows, rows.len());
    for (column, name) in kept.names().iter().enumerate() {
        let name = name.trim_start_matches("table.");
        let place = names.iter().position(|known| known == name).unwrap();
        for (row, expected) in rows.iter().enumerate() {
            let (text, is_string) = kept.field(row, column);
            let numbers = ["half", "single", "double"].contains(&name);
            match &expected[place] {
                Value::Null => assert_eq!((text, is_string), ("", Some(false)), "{name} {row}"),
                Value::String(expected) if numbers => {
                    let parse = |text: &str| text.parse::<f64>().unwrap();
                    let same = match name {
                        "single" => parse(text) as f32 == parse(expected) as f32,
                        _ => parse(text) == parse(expected),
                    };
                    assert!(same, "{name} {row}: {text} for {expected}");
                }
                Value::String(expected) => assert_eq!(text, expected, "{name} {row}"),
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn every_type_is_read_as_it_is_exported() {
    check(&keep(TYPES, "single", "all").unwrap());
    let strings = keep(TYPES, "single", "word,id,price,truth,us,day").unwrap().kept.unwrap();
    let is_string: Vec<_> = (0..6).map(|column| strings.field(0, column).1.unwrap()).collect();
    assert_eq!(is_string, [true, false, false, false, true, true]);
}

#[test]
fn every_way_of_writing_gives_the_same() {
    for bytes in [PLAIN, GZIP, ZSTD, SPLIT] {
        check(&keep(bytes, "single", "all").unwrap());
        check(&keep(&gzip(bytes), "single", "word,id").unwrap());
    }
    let file = folder("parquet_in_place").join("t");
    fs::write(&file, GZIP).unwrap();
    let (inputs, all) = ([named("single")], ["all".to_string()]);
    let spec = TableSpec { keep: &all, ..TableSpec::new(&inputs, &[]) };
    check(&read_csv_files(&[file], &spec).unwrap());
}

#[test]
fn old_moments_are_read() {
    let kept = keep(OLD, "x", "at").unwrap().kept.unwrap();
    let moments: Vec<_> = (0..2).map(|row| kept.field(row, 0).0).collect();
    assert_eq!(moments, ["1970-01-01 22:58:01.000002", "1970-01-02 22:58:01.000003"]);
}

#[test]
fn columns_are_found_by_their_names() {
    let words = Domain::Names(["red", "green"].map(String::from).to_vec());
    let (inputs, targets) = ([named("single"), real("u32", 1)], [integer("kind", words)]);
    let data = read_csv(TYPES, "t.parquet", &TableSpec::new(&inputs, &targets)).unwrap();
    let kinds: Vec<i32> = (0..23).map(|row| row % 2).collect();
    assert_eq!(data.targets, [integers(&kinds)]);
    let Values::F32(single) = &data.inputs[0].data else { panic!("single is real") };
    assert!(single[1].is_nan() && single[2] == -0.8);
    assert_eq!(data.columns.get("u32"), Some(&["u32".to_string()][..]));
}

/// A row in a block, the number of rows of the files, and both parts of a table.
#[test]
fn rows_pass_in_blocks_and_in_parts() {
    let folder = folder("parquet_parts");
    let paths: Vec<PathBuf> = ["a", "b"].map(|name| folder.join(name)).to_vec();
    fs::write(&paths[0], PLAIN).unwrap();
    fs::write(&paths[1], GZIP).unwrap();
    let inputs = [named("single")];
    let spec = TableSpec::new(&inputs, &[]);
    let both = read_csv_files(&paths, &spec).unwrap();
    let one = read_csv(PLAIN, "t", &spec).unwrap();
    let [Values::F32(both), Values::F32(one)] = [&both.inputs[0].data, &one.inputs[0].data] else {
        panic!("single is real")
    };
    assert!(both.iter().zip(one.iter().chain(one)).all(|(a, b)| a.to_bits() == b.to_bits()));
    let spec = TableSpec { targets_optional: true, ..spec };
    let mut blocks = Vec::new();
    let each = &mut |rows: Dataset, line| {
        blocks.push((rows.rows, line));
        std::ops::ControlFlow::Continue(())
    };
    read_blocks(PLAIN, "t", &spec, 10, each).unwrap();
    assert_eq!(blocks, [(10, 9), (10, 19), (3, 22)]);
    fs::write(&paths[1], NESTED).unwrap();
    let error = read_csv_files(&paths, &spec).unwrap_err().to_string();
    assert!(error.contains("b: has 6 columns, and "), "{error}");
}

#[test]
fn lists_are_for_nobody() {
    let classes = Domain::Names(["no", "yes"].map(String::from).to_vec());
    let targets = [integer("t", classes)];
    let read = |input: &str| {
        let inputs = [named(input)];
        let read = read_csv(NESTED, "n.parquet", &TableSpec::new(&inputs, &targets));
        read.map_err(|error| format!("{error:#}"))
    };
    let data = read("x").unwrap();
    assert_eq!(data.inputs, [floats(1, &[1.5, 2.5])]);
    assert_eq!(data.unused.as_deref(), Some("columns 2 (point.x), 3 (point.y)"));
    assert_eq!(read("point.x").unwrap().inputs, [floats(1, &[1.0, 3.0])]);
    let message = "n.parquet: column 1 (tags): holds lists or the like, and a field is a value\n\
                   help: save its values as columns of their own, such as tags.0, or leave it out";
    assert_eq!(read("tags").unwrap_err(), message);
    assert_eq!(keep(NESTED, "x", "all").unwrap_err(), message.replace("n.p", "t.p"));
    // Nobody names the inputs: those that can be are taken.
    let inputs = [real("features", 3)];
    let spec = TableSpec::new(&inputs, &targets);
    let error = read_csv(NESTED, "n.parquet", &spec).unwrap_err();
    assert_eq!(error.to_string(), "n.parquet: column 3 (point.y): row 1: the field is empty");
    let found = profile(NESTED, "n.parquet", &ProfileSpec::default()).unwrap();
    let nested: Vec<bool> = found.columns.iter().map(|column| column.nested).collect();
    assert_eq!(nested, [false, true, false, false, true, false]);
}

#[test]
fn mistakes_are_named() {
    let classes = Domain::Names(["red", "gren"].map(String::from).to_vec());
    let word = PortSpec { missing: Missing::Hole(Vec::new()), ..integer("word", classes) };
    let (inputs, targets) = ([named("single")], [word]);
    let error = read_csv(PLAIN, "t.parquet", &TableSpec::new(&inputs, &targets)).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "t.parquet: column 2 (word): row 3: \"a, \\\"b\\\"\" is not a class of the model, and \
         neither are \"grün\" and \"green\"\n\
         help: did you mean \"gren\" for \"grün\", \"gren\" for \"green\"? if they are classes, \
         write `in [\"red\", \"gren\", \"a, \\\"b\\\"\"]` in the net"
    );
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(keep(bytes, "word", "all").unwrap_err(), format!("t.parquet: {expected}"));
    };
    let save = "help: save it as most programs do, such as pandas with to_parquet(FILE)";
    check(BROTLI, &format!("is packed by BROTLI\n{save}"));
    check(PREFIXES, &format!("has values encoded by DELTA_BYTE_ARRAY\n{save}"));
    let unreadable = "is not a Parquet file that can be read";
    check(b"PAR1", &format!("{unreadable}: no end\n{DAMAGED}"));
    let cut = format!("{unreadable}: no metadata at its end\n{DAMAGED}");
    check(&PLAIN[..PLAIN.len() - 1], &cut);
    check(&PLAIN[..900], &cut);
    check(b"PAR1 and then garbage", &cut);
    check(b"PAR1\xFF\xFF\xFF\x7FPAR1", &cut);
    check(
        b"PAR1\x15\x02\x19\0\x04\0\0\0PAR1",
        &format!("{unreadable}: metadata that cannot be meant\n{DAMAGED}"),
    );
    check(b"PARE....PARE", "is an encrypted Parquet file\nhelp: save it without encryption");
}

#[test]
fn memory_is_limited() {
    let inputs = [named("single")];
    let read = |max_bytes| {
        let spec = TableSpec { max_bytes, ..TableSpec::new(&inputs, &[]) };
        read_csv(PLAIN, "t", &spec).map_err(|error| (error.over_limit, format!("{error:#}")))
    };
    let limit = "t: needs more memory than the limit of 4000 bytes\n\
                 help: save it as a file that is not packed, or raise the limit with `max_memory`";
    assert_eq!(read(4000), Err((true, limit.to_string())));
    let path = folder("parquet_memory").join("t");
    fs::write(&path, PLAIN).unwrap();
    let spec = TableSpec { max_bytes: 4000, ..TableSpec::new(&inputs, &[]) };
    assert!(read_csv_files(std::slice::from_ref(&path), &spec).unwrap_err().over_limit);
    fs::write(&path, LONG).unwrap();
    let profile = |max_bytes| {
        profile_files(
            std::slice::from_ref(&path),
            &ProfileSpec { max_bytes, ..ProfileSpec::default() },
        )
    };
    assert_eq!(profile(1 << 20).map(|found| found.columns[0].characters), Ok(100_000));
    assert!(profile(1 << 18).is_err_and(|error| error.over_limit));
}

#[test]
fn damaged_files_are_errors() {
    let seeds = [TYPES, PLAIN, GZIP, ZSTD, SPLIT, OLD, NESTED].map(<[u8]>::to_vec);
    let (inputs, all) = ([named("x")], ["all".to_string()]);
    let spec = TableSpec { keep: &all, max_bytes: 1 << 20, ..TableSpec::new(&inputs, &[]) };
    let mut read = 0;
    mutate(&seeds, 300, |bytes| {
        match read_csv(bytes, "t", &spec) {
            Ok(data) => read += data.rows,
            Err(error) => assert!(!error.message.is_empty()),
        }
        let _ = profile(bytes, "t", &ProfileSpec { max_bytes: 1 << 20, ..ProfileSpec::default() });
    });
    assert!(read > 0);
}
