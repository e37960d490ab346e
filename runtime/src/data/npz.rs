//! NumPy's `.npz` files, zip archives of arrays: each input and target takes the array of its name,
//! or the one that the user's map names.

use std::io::Read;

use super::arrays::{Reading, known_columns};
use super::choice::{Choice, Words};
use super::column_map::Columns;
use super::columns::check_ports;
use super::error::{DataError, did_you_mean, listed, quoted, shown};
use super::format::{open, zip_name};
use super::spec::TableSpec;
use super::suggest::some;
use super::table::{Format, Row, Table};
use super::zip::Zip;
use super::{Array, Dataset, PortSpec};

pub(super) const FORMAT: Format = Format {
    begins: |head| zip_name(head).is_some_and(|name| name.windows(4).any(|part| part == b".npy")),
    open: |source, name| Ok(Box::new(Npz(Zip::new(source.reader, name)))),
};

/// The most bytes of the names of arrays that no port takes.
const MAX_NAME_BYTES: usize = 1 << 20;

/// An archive, which has arrays in place of rows.
struct Npz<'r>(Zip<'r>);

impl Table for Npz<'_> {
    fn advance(&mut self) -> Result<bool, DataError> {
        let error = DataError::new(&self.0.name, "is an npz archive of arrays, and no table");
        Err(error.with_help("save the rows as CSV"))
    }

    fn row(&self) -> Row<'_> {
        Row::Numbers(&[])
    }

    fn read_arrays(&mut self, spec: &TableSpec<'_>) -> Option<Result<Dataset, DataError>> {
        Some(read_archive(&mut self.0, spec))
    }
}

/// Reads the arrays of an archive, in their order in it.
fn read_archive(zip: &mut Zip<'_>, spec: &TableSpec<'_>) -> Result<Dataset, DataError> {
    let name = zip.name.clone();
    let of_text = spec.header.map(|_| Choice::Header(None));
    if let Some(choice) = of_text.or((!spec.keep.is_empty()).then_some(Choice::Keep(None))) {
        let said = (spec.words)(choice);
        let message = format!("is an npz archive of arrays, and {said} is for tables of text");
        return Err(DataError::new(name, message).with_help("leave it out"));
    }
    check_ports(spec).map_err(|complaint| complaint.in_file(&name))?;
    let ports: Vec<&PortSpec> = spec.ports().collect();
    let names = ports.iter().map(|port| array_of(port, spec, &name));
    let names = names.collect::<Result<Vec<&str>, _>>()?;
    check_distinct(&names, &ports, &name)?;
    let mut arrays: Vec<Option<Array>> = vec![None; ports.len()];
    let (mut others, mut bytes) = (Vec::new(), 0);
    let mut reading = Reading::new(spec);
    let mut read = |file: &str, path: &str, reader: &mut dyn Read| {
        let array = file.strip_suffix(".npy").unwrap_or(file);
        let Some(port) = names.iter().position(|name| *name == array) else {
            bytes += array.len();
            others.push(array.to_string());
            return if bytes > MAX_NAME_BYTES { Err(too_many(&name)) } else { Ok(()) };
        };
        if arrays[port].is_some() {
            let error = DataError::new(path, "is the second array of this name");
            return Err(error.with_help("save the arrays again, with numpy.savez"));
        }
        let mut table = open(reader, path, spec.terms())?;
        arrays[port] = Some(reading.read(ports[port], &mut *table, path)?);
        Ok(())
    };
    while zip.next(&mut read)? {}
    let inputs = spec.inputs.len();
    let is_bare = spec.targets_optional && arrays[inputs..].iter().all(Option::is_none);
    arrays.truncate(if is_bare { inputs } else { ports.len() });
    let missing = arrays.iter().position(Option::is_none);
    if let Some(port) = missing {
        return Err(lacking(&name, &ports[port].name, names[port], &others, spec.words));
    }
    let mut inputs: Vec<Array> = arrays.into_iter().flatten().collect();
    let targets = inputs.split_off(spec.inputs.len());
    let rows = reading.rows();
    let unused =
        (!others.is_empty()).then(|| some("array", others.len(), others.iter().map(|o| shown(o))));
    Ok(Dataset { rows, inputs, targets, unused, ..known_columns(spec) })
}

/// The name of the array that a port takes.
fn array_of<'a>(
    port: &'a PortSpec,
    spec: &TableSpec<'a>,
    name: &str,
) -> Result<&'a str, DataError> {
    match spec.columns.and_then(|map| map.get(&port.name)) {
        None => Ok(&port.name),
        Some([Columns::Named(array)]) => Ok(array),
        Some(_) => {
            let port = &port.name;
            let columns = (spec.words)(Choice::Columns(None));
            let message =
                format!("{columns} names no array for {}: a port takes one, by name", quoted(port));
            let say = (spec.words)(Choice::Columns(Some(&format!("{port}=NAME"))));
            Err(DataError::new(name, message).with_help(format!("say {say}")))
        }
    }
}

/// An array passes by once, so it is for one port.
fn check_distinct(names: &[&str], ports: &[&PortSpec], name: &str) -> Result<(), DataError> {
    for (at, array) in names.iter().enumerate() {
        if let Some(first) = names[..at].iter().position(|other| other == array) {
            let [first, second] = [first, at].map(|port| &ports[port].name);
            let array = quoted(array);
            let message = format!("is to give the array {array} to {first} and to {second}");
            return Err(DataError::new(name, message).with_help("save it under two names"));
        }
    }
    Ok(())
}

fn lacking(name: &str, port: &str, array: &str, others: &[String], words: Words) -> DataError {
    let error = DataError::new(name, format!("has no array {}", quoted(array)));
    if others.is_empty() {
        return error.with_help("save the array beside the others, with numpy.savez");
    }
    let others = others.iter().map(String::as_str);
    let others = match did_you_mean(array, others.clone()) {
        Some(question) => question,
        None => listed("other arrays in it", others) + ";",
    };
    let say = words(Choice::Columns(Some(&format!("{port}=NAME"))));
    error.with_help(format!("{others} {say} takes the array NAME"))
}

fn too_many(name: &str) -> DataError {
    let error = DataError::new(name, "has more than 1 MiB of names of arrays");
    error.with_help("save the arrays that are needed, with numpy.savez")
}
