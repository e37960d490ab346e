//! One file for each port of a model: an array in `.npy` or IDX, the format of MNIST, either of
//! them perhaps gzipped, whatever the name.
//!
//! The first dimension is the rows, the others together are the values of a row. Numbers are taken
//! as they are: the bytes of an image stay 0 to 255, and the model scales them (`x / 255`). A port
//! of integers takes whole numbers; of a class, its index.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use super::columns::plural;
use super::error::{DataError, did_you_mean, quoted, shown};
use super::format::{Format, open};
use super::idx::read_idx;
use super::npy::{element_count, read_npy};
use super::{Array, Dataset, Domain, PortSpec, TableSpec, Values};

/// Reads the files of the ports named beside them; `columns` of the table's description have no
/// meaning here.
///
/// # Errors
/// A port that is not in the model, comes twice or has no file, a file that cannot be read or does
/// not have what its port takes, or files with different numbers of rows.
pub fn read_arrays(
    files: &[(String, PathBuf)],
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    check_names(files, spec)?;
    let file_of = |port: &PortSpec| files.iter().find(|(name, _)| *name == port.name);
    let skip = spec.targets_optional && spec.targets.iter().all(|port| file_of(port).is_none());
    let targets = if skip { &[] } else { spec.targets };
    let mut reading = Reading::new(spec);
    let mut read = |ports: &[PortSpec]| -> Result<Vec<Array>, DataError> {
        let array = |port| match file_of(port) {
            Some((_, path)) => reading.read_file(port, path),
            None => Err(missing(port, files)),
        };
        ports.iter().map(array).collect()
    };
    let (inputs, targets) = (read(spec.inputs)?, read(targets)?);
    let rows = reading.rows.map_or(0, |(rows, _)| rows);
    Ok(Dataset { rows, inputs, targets, ..known_columns(spec) })
}

/// Reads an array that is given where a table could be: the only input of a net, if the targets
/// may be absent.
pub(super) fn read_alone(
    format: Format,
    reader: &mut dyn Read,
    name: &str,
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    if spec.columns.is_some() || spec.header.is_some() {
        let message = "is an array, and --columns and --header are for tables of text";
        return Err(DataError::new(name, message));
    }
    let [input] = spec.inputs else { return Err(one_of_several(name, spec)) };
    if !spec.targets_optional && !spec.targets.is_empty() {
        return Err(one_of_several(name, spec));
    }
    let mut reading = Reading::new(spec);
    let inputs = vec![reading.read(input, format, reader, name)?];
    let rows = reading.rows.map_or(0, |(rows, _)| rows);
    Ok(Dataset { rows, inputs, ..known_columns(spec) })
}

/// An array has no names; its columns are in the order that the net was trained on.
fn known_columns(spec: &TableSpec<'_>) -> Dataset {
    Dataset { columns: spec.names.cloned().unwrap_or_default(), ..Dataset::default() }
}

/// What to do with one array where several ports need rows.
fn one_of_several(name: &str, spec: &TableSpec<'_>) -> DataError {
    const SHOWN: usize = 8;
    let ports = spec.inputs.len() + if spec.targets_optional { 0 } else { spec.targets.len() };
    let mut file = Some(shown(name));
    let mut named: Vec<String> = spec
        .ports()
        .take(ports.min(SHOWN))
        .map(|port| format!("{}={}", port.name, file.take().unwrap_or("FILE".into())))
        .collect();
    if ports > SHOWN {
        named.push("...".into());
    }
    DataError::new(name, "is one array, and the rows need more than one")
        .with_help(format!("name a file for each: --data {}", named.join(",")))
}

/// Every name is that of a port, and none comes twice.
fn check_names(files: &[(String, PathBuf)], spec: &TableSpec<'_>) -> Result<(), DataError> {
    let ports = || spec.inputs.iter().chain(spec.targets).map(|port| port.name.as_str());
    let mut seen = HashSet::new();
    for (name, path) in files {
        let path = path.display().to_string();
        if !ports().any(|port| port == name) {
            let message = format!("is for {}, which the model does not have", quoted(name));
            return Err(DataError {
                help: did_you_mean(name, ports()),
                ..DataError::new(path, message)
            });
        }
        if !seen.insert(name) {
            return Err(DataError::new(path, format!("is the second file for {}", quoted(name))));
        }
    }
    Ok(())
}

fn missing(port: &PortSpec, files: &[(String, PathBuf)]) -> DataError {
    let first = files.first().map_or("no file".into(), |(_, path)| path.display().to_string());
    let message = format!("there is no file for {} beside it", quoted(&port.name));
    DataError::new(first, message).with_help(format!("add {}=FILE", shown(&port.name)))
}

/// What the files read so far have in common.
struct Reading {
    max_bytes: u64,
    /// The bytes that are held, the values among them.
    bytes: u64,
    /// Those for each row beside its values.
    row_bytes: u64,
    /// The rows of each file, and the first file that has them.
    rows: Option<(usize, String)>,
}

impl Reading {
    fn new(spec: &TableSpec<'_>) -> Reading {
        Reading {
            max_bytes: spec.max_bytes,
            bytes: spec.held,
            row_bytes: spec.row_bytes,
            rows: None,
        }
    }

    fn read_file(&mut self, port: &PortSpec, path: &PathBuf) -> Result<Array, DataError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| DataError::io(&name, &error))?;
        let (format, mut reader) = open(BufReader::new(file), &name)?;
        self.read(port, format, &mut reader, &name)
    }

    fn read(
        &mut self,
        port: &PortSpec,
        format: Format,
        reader: &mut dyn Read,
        name: &str,
    ) -> Result<Array, DataError> {
        let fail = |message: String| DataError::new(name, message);
        let left = self.max_bytes.saturating_sub(self.bytes);
        let (shape, data) = read_values(format, reader, name, left).map_err(|error| {
            if error.over_limit { DataError::over_limit(name, self.max_bytes) } else { error }
        })?;
        self.bytes += data.len() as u64 * 4;

        let Some((&rows, row)) = shape.split_first() else {
            return Err(fail("is a single number, and no rows of them".to_string()));
        };
        if rows == 0 {
            return Err(fail("has no rows".to_string()));
        }
        if element_count(row) != Some(port.width as u64) {
            let (wanted, has) = (plural(port.width, "value"), data.len() / rows);
            let port = quoted(&port.name);
            return Err(fail(format!("has {has} in a row, and {port} takes {wanted}")));
        }
        match &self.rows {
            Some((first, other)) if *first != rows => {
                return Err(fail(format!("has {}, but {other} has {first}", plural(rows, "row"))));
            }
            Some(_) => {}
            None => {
                self.rows = Some((rows, name.to_string()));
                self.bytes = self.bytes.saturating_add(self.row_bytes.saturating_mul(rows as u64));
                if self.bytes > self.max_bytes {
                    return Err(DataError::over_limit(name, self.max_bytes));
                }
            }
        }
        let data = values(port, data)
            .map_err(|(index, what)| fail(format!("row {}: {what}", index / port.width)))?;
        Ok(Array { width: port.width, data })
    }
}

/// The dimensions and the values of an array, which take at most `max_bytes` as f32.
fn read_values(
    format: Format,
    reader: &mut dyn Read,
    name: &str,
    max_bytes: u64,
) -> Result<(Vec<usize>, Vec<f32>), DataError> {
    match format {
        Format::Npy => {
            let array = read_npy(reader, name, max_bytes)?;
            Ok((array.shape, array.data))
        }
        Format::Idx => {
            let array = read_idx(reader, name, max_bytes / 4)?;
            let values = array.values.into_iter().map(f32::from).collect();
            Ok((vec![array.rows, array.width], values))
        }
        Format::Text => Err(DataError::new(name, "is neither an npy nor an IDX file")
            .with_help("a table of text is given alone: --data FILE")),
    }
}

/// The values as the port takes them, or the first that it does not take, and why.
fn values(port: &PortSpec, data: Vec<f32>) -> Result<Values, (usize, String)> {
    let range = match &port.domain {
        Domain::Any | Domain::Interval { .. } => None,
        Domain::Range { low, high } => Some((*low, *high)),
        Domain::Names(names) => Some((0, names.len() as i64)),
    };
    let outside = |value: f64| match port.domain {
        Domain::Interval { low, high } if !(low..=high).contains(&value) => Some((low, high)),
        _ => None,
    };
    let flaw = |value: f32| {
        let wide = f64::from(value);
        match range {
            _ if !value.is_finite() => Some(format!("{value} is not a finite number")),
            _ if port.integer && value.fract() != 0.0 => {
                Some(format!("{value} is not a whole number"))
            }
            Some((low, high)) if wide < low as f64 || wide >= high as f64 => {
                Some(format!("{value} is outside {low}..{high}"))
            }
            None if let Some((low, high)) = outside(wide) => {
                Some(format!("{value} is outside {low} to {high}"))
            }
            None if port.integer && !(-2147483648.0..2147483648.0).contains(&value) => {
                Some(format!("{value} does not fit 32 bits"))
            }
            _ => None,
        }
    };
    let found = data.iter().enumerate().find_map(|(index, &value)| Some((index, flaw(value)?)));
    match found {
        Some(found) => Err(found),
        None if port.integer => {
            Ok(Values::I32(data.into_iter().map(|value| value as i32).collect()))
        }
        None => Ok(Values::F32(data)),
    }
}
