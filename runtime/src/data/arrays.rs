//! One file for each port of a model: an array in `.npy` or IDX, the format of MNIST, either of
//! them perhaps packed, whatever the name.
//!
//! The first dimension is the rows, the others together are the values of a row. Numbers are not
//! scaled: the bytes of an image stay 0 to 255, and the model scales them (`x / 255`). A port of
//! integers takes whole numbers, and a port of classes their indices.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::choice::Choice;
use super::columns::Assignment;
use super::error::{DataError, meant_or_listed, plural, quoted, shown};
use super::format::open;
use super::sinks::Sinks;
use super::spec::TableSpec;
use super::table::Table;
use super::{Array, Dataset, PortSpec};

/// Reads a file for each port, given with the port's name; `columns` of the description is ignored.
///
/// # Errors
/// A port that is not in the model, comes twice or has no file, a file that cannot be read or does
/// not have what its port takes, or files with different numbers of rows.
pub fn read_arrays(
    files: &[(String, PathBuf)],
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    let named = |(port, path): &(String, PathBuf)| (port.clone(), path.display().to_string());
    let names: Vec<_> = files.iter().map(named).collect();
    read_each(&names, spec, |index| File::open(&files[index].1))
}

/// [`read_arrays`] of the bytes of files, such as those of `include_bytes!`. Errors name the port.
///
/// # Errors
/// As there.
pub fn read_arrays_of(
    arrays: &[(&str, &[u8])],
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    let named = |(port, _): &(&str, &[u8])| (port.to_string(), port.to_string());
    let names: Vec<_> = arrays.iter().map(named).collect();
    read_each(&names, spec, |index| Ok(arrays[index].1))
}

/// Reads files that are opened by index; `files` has the names of their ports and their own.
fn read_each<R: Read>(
    files: &[(String, String)],
    spec: &TableSpec<'_>,
    mut open_file: impl FnMut(usize) -> io::Result<R>,
) -> Result<Dataset, DataError> {
    check_names(files, spec)?;
    let file_of = |port: &PortSpec| files.iter().position(|(name, _)| *name == port.name);
    let skip = spec.targets_optional && spec.targets.iter().all(|port| file_of(port).is_none());
    let targets = if skip { &[] } else { spec.targets };
    let mut reading = Reading::new(spec);
    let mut read = |ports: &[PortSpec]| -> Result<Vec<Array>, DataError> {
        let array = |port| {
            let index = file_of(port).ok_or_else(|| missing(port, files))?;
            let name = &files[index].1;
            let file = open_file(index).map_err(|error| DataError::io(name, &error))?;
            reading.read(port, &mut *open(file, name, spec.terms())?, name)
        };
        ports.iter().map(array).collect()
    };
    let (inputs, targets) = (read(spec.inputs)?, read(targets)?);
    let rows = reading.rows();
    Ok(Dataset { rows, inputs, targets, ..known_columns(spec) })
}

/// Reads an array in place of a table: the only input of a net, where targets are optional.
pub(super) fn read_alone(
    table: &mut dyn Table,
    name: &str,
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    if spec.columns.is_some() || spec.header.is_some() || !spec.keep.is_empty() {
        let [columns, header, keep] =
            [Choice::Columns(None), Choice::Header(None), Choice::Keep(None)].map(spec.words);
        let message =
            format!("is an array, and {columns}, {header} and {keep} are for tables of text");
        return Err(DataError::new(name, message).with_help("leave them out"));
    }
    let [input] = spec.inputs else { return Err(one_of_several(name, spec)) };
    if !spec.targets_optional && !spec.targets.is_empty() {
        return Err(one_of_several(name, spec));
    }
    let mut reading = Reading::new(spec);
    let inputs = vec![reading.read(input, table, name)?];
    let rows = reading.rows();
    Ok(Dataset { rows, inputs, ..known_columns(spec) })
}

/// An array has no names; its columns are in the order that the net was trained on.
pub(super) fn known_columns(spec: &TableSpec<'_>) -> Dataset {
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
    DataError::new(name, "is one array, and the rows need more than one").with_help(format!(
        "name a file for each: {}",
        (spec.words)(Choice::Arrays(&named.join(",")))
    ))
}

/// Every name is that of a port, and none comes twice.
fn check_names(files: &[(String, String)], spec: &TableSpec<'_>) -> Result<(), DataError> {
    let ports = || spec.inputs.iter().chain(spec.targets).map(|port| port.name.as_str());
    let mut seen = HashSet::new();
    for (name, path) in files {
        if !ports().any(|port| port == name) {
            let message = format!("is for {}, which the model does not have", quoted(name));
            let help = meant_or_listed(name, "its inputs and targets", ports());
            return Err(DataError::new(path, message).with_help(help));
        }
        if !seen.insert(name) {
            let error = DataError::new(path, format!("is the second file for {}", quoted(name)));
            return Err(error.with_help("name one file for each port"));
        }
    }
    Ok(())
}

fn missing(port: &PortSpec, files: &[(String, String)]) -> DataError {
    let first = files.first().map_or("no file", |(_, path)| path);
    let message = format!("there is no file for {} beside it", quoted(&port.name));
    DataError::new(first, message).with_help(format!("add {}=FILE", shown(&port.name)))
}

/// What the files read so far have in common.
pub(super) struct Reading<'a> {
    /// What to read, with the bytes that are held so far.
    spec: TableSpec<'a>,
    /// The rows of each file, and the first file that has them.
    rows: Option<(usize, String)>,
}

impl<'a> Reading<'a> {
    pub fn new(spec: &TableSpec<'a>) -> Reading<'a> {
        Reading { spec: *spec, rows: None }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows.as_ref().map_or(0, |(rows, _)| *rows)
    }

    pub fn read(
        &mut self,
        port: &PortSpec,
        table: &mut dyn Table,
        name: &str,
    ) -> Result<Array, DataError> {
        let Some((rows, width)) = table.shape() else {
            let error = DataError::new(name, "is neither an npy nor an IDX file");
            let alone = (self.spec.words)(Choice::Table);
            let help = format!("a table of text, or an npz archive, is given alone: {alone}");
            return Err(error.with_help(help));
        };
        if width != port.width as u64 {
            let (wanted, port) = (plural(port.width, "value"), quoted(&port.name));
            let error =
                DataError::new(name, format!("has {width} in a row, and {port} takes {wanted}"));
            return Err(
                error.with_help(format!("save rows of {wanted}, or change {port} in the net"))
            );
        }
        if let Some((first, other)) = &self.rows
            && *first as u64 != rows
        {
            let error = DataError::new(name, format!("has {rows} rows, but {other} has {first}"));
            return Err(error.with_help("take files of the same rows"));
        }
        let ports = std::slice::from_ref(port);
        let spec = TableSpec { inputs: ports, targets: &[], ..self.spec };
        let columns = vec![(0..port.width).collect()];
        let assignment = Assignment { columns, unused: vec![] };
        let mut sinks = Sinks::new(&spec, assignment, None);
        sinks.check_room(rows, name)?;
        if table.advance()? {
            sinks.fill(table, None, name)?;
        }
        self.spec.held = sinks.held();
        let data = sinks.finish()?;
        // Of all files, only the first counts what a row takes beside its values.
        self.spec.row_bytes = 0;
        self.rows.get_or_insert((data.rows, name.to_string()));
        Ok(data.inputs.into_iter().next().expect("there is a sink for the port"))
    }
}
