//! Data in and out: what is read, what is refused and with which words, and what is written.

mod arrays;
mod blocks;
mod columns;
mod csv_errors;
mod csv_reading;
mod dialects;
mod files;
mod formats;
mod holes;
mod hostile;
mod idx;
mod json_lines;
mod npy;
mod npz;
mod output;
#[cfg(feature = "parquet")]
mod parquet;
mod parts;
mod profile;
mod weights;

use arenet_runtime::data::{Array, Dataset, Domain, PortSpec, TableSpec, Values, read_csv};

/// A port of real numbers.
fn real(name: &str, width: usize) -> PortSpec {
    PortSpec { name: name.to_string(), width, ..PortSpec::default() }
}

/// An integer port of one column.
fn integer(name: &str, domain: Domain) -> PortSpec {
    PortSpec { name: name.to_string(), width: 1, integer: true, domain, ..PortSpec::default() }
}

fn digits() -> Domain {
    Domain::Range(0, 10)
}

fn species() -> Domain {
    Domain::Names(["setosa", "versicolor", "virginica"].map(String::from).to_vec())
}

fn floats(width: usize, values: &[f32]) -> Array {
    Array { width, data: Values::F32(values.to_vec()) }
}

fn integers(values: &[i32]) -> Array {
    Array { width: 1, data: Values::I32(values.to_vec()) }
}

fn dataset(rows: usize, inputs: &[Array], targets: &[Array]) -> Dataset {
    let (inputs, targets) = (inputs.to_vec(), targets.to_vec());
    Dataset { rows, inputs, targets, ..Dataset::default() }
}

/// The values of an array of so many columns, which is read alone.
fn array(bytes: &[u8], width: usize) -> Result<Vec<f32>, String> {
    let inputs = [real("x", width)];
    let spec = TableSpec { max_bytes: 1 << 20, ..TableSpec::new(&inputs, &[]) };
    let data = read_csv(bytes, "a", &spec).map_err(|error| format!("{error:#}"))?;
    assert_eq!(data.inputs[0].width, width);
    match data.inputs.into_iter().next().unwrap().data {
        Values::F32(values) => Ok(values),
        _ => panic!("x is real"),
    }
}

/// An empty folder of its own for one test.
fn folder(test: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
