//! Decides which columns of a table belong to which port of the model.

use std::collections::HashMap;
use std::ops::Range;

use super::PortSpec;
use super::csv::TableSpec;
use super::error::{Complaint, did_you_mean, quoted, shown};

/// The user's choice of columns, as in `--columns x=0..64,label=64`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap {
    entries: Vec<(String, Vec<Columns>)>,
}

/// One item of a [`ColumnMap`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Columns {
    Indices(Range<usize>),
    Named(String),
}

impl ColumnMap {
    /// Reads `PORT=ITEM,ITEM,...,PORT=ITEM,...` where an item is an index from 0 (`64`), a
    /// half-open range of them (`0..64`), or the name of a column in the header.
    pub fn parse(text: &str) -> Result<ColumnMap, String> {
        let mut entries: Vec<(String, Vec<Columns>)> = Vec::new();
        for part in text.split(',') {
            let item = match part.split_once('=') {
                Some((port, item)) => {
                    let port = port.trim();
                    if port.is_empty() {
                        return Err(format!("{} names no port", quoted(part)));
                    }
                    if entries.iter().any(|(name, _)| name == port) {
                        return Err(format!("{} is given twice", quoted(port)));
                    }
                    entries.push((port.to_string(), Vec::new()));
                    item
                }
                None => part,
            };
            let Some((_, items)) = entries.last_mut() else {
                return Err(format!("{} is not of the form PORT=COLUMNS", quoted(part)));
            };
            items.push(parse_item(item.trim())?);
        }
        Ok(ColumnMap { entries })
    }

    fn get(&self, port: &str) -> Option<&[Columns]> {
        let entry = self.entries.iter().find(|(name, _)| name == port);
        entry.map(|(_, items)| items.as_slice())
    }

    /// Whether the user calls a column by this name.
    pub(super) fn names_column(&self, column: &str) -> bool {
        let mut items = self.entries.iter().flat_map(|(_, items)| items);
        items.any(|item| matches!(item, Columns::Named(name) if name == column))
    }
}

fn parse_item(item: &str) -> Result<Columns, String> {
    let index = |text: &str| text.trim().parse::<usize>().ok();
    if item.is_empty() {
        return Err("a column is missing".to_string());
    }
    if let Some(only) = index(item) {
        let end = only.checked_add(1).ok_or_else(|| format!("there is no column {item}"))?;
        return Ok(Columns::Indices(only..end));
    }
    if let Some((low, high)) = item.split_once("..")
        && let (Some(low), Some(high)) = (index(low), index(high))
    {
        if low >= high {
            return Err(format!("the range {item} is empty; its end is not part of it"));
        }
        return Ok(Columns::Indices(low..high));
    }
    Ok(Columns::Named(item.to_string()))
}

/// The columns of each port, counted from 0, in the order of the ports.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placement {
    pub inputs: Vec<Vec<usize>>,
    pub targets: Vec<Vec<usize>>,
}

/// Gives each port its columns, of a table that has `count` of them.
///
/// A port named by the user's map, or by the header, takes those columns. Of the others, all
/// targets together take the last columns that are left, and the inputs the rest, in order; then
/// none may be left over. Where targets are optional, a table without one has none if it has just
/// the columns of the inputs, or if all inputs are found by name.
pub(super) fn place(
    spec: &TableSpec<'_>,
    count: usize,
    header: Option<&[String]>,
) -> Result<Placement, Complaint> {
    let table = Names { count, header: header.map(index_names) };
    check_ports(spec)?;
    let mut inputs = find_all(spec.inputs, spec, &table)?;
    let mut targets = find_all(spec.targets, spec, &table)?;

    let no_target = targets.iter().all(Option::is_none);
    let only_inputs = count == total_width(spec.inputs) || inputs.iter().all(Option::is_some);
    let skip_targets = spec.targets_optional && no_target && only_inputs;
    let wanted = if skip_targets { &[] } else { spec.targets };
    targets.truncate(wanted.len());

    let found = || inputs.iter().chain(&targets).flatten().flatten();
    let mut taken = vec![false; count];
    found().for_each(|column| taken[*column] = true);
    let free: Vec<usize> = (0..count).filter(|column| !taken[*column]).collect();
    let missing_inputs = missing_width(spec.inputs, &inputs);
    let missing_targets = missing_width(wanted, &targets);
    let missing = missing_inputs.saturating_add(missing_targets);
    if missing > free.len() {
        return Err(too_few(spec.inputs, wanted, count, missing - free.len()));
    }
    let by_position = inputs.iter().chain(&targets).any(Option::is_none);
    if by_position && missing < free.len() {
        return Err(left_over(spec, &free[missing_inputs..free.len() - missing_targets], header));
    }
    let (inputs_free, targets_free) = free.split_at(missing_inputs);
    Ok(Placement {
        inputs: fill(spec.inputs, &mut inputs, inputs_free),
        targets: fill(wanted, &mut targets, targets_free),
    })
}

/// A table's header, if it has one, ready to be asked for a name.
struct Names<'a> {
    count: usize,
    header: Option<HashMap<&'a str, Place>>,
}

#[derive(Clone, Copy)]
enum Place {
    Once(usize),
    Often,
}

fn index_names(header: &[String]) -> HashMap<&str, Place> {
    let mut places = HashMap::with_capacity(header.len());
    for (index, name) in header.iter().enumerate() {
        let place = places.entry(name.as_str()).or_insert(Place::Once(index));
        if !matches!(place, Place::Once(first) if *first == index) {
            *place = Place::Often;
        }
    }
    places
}

impl Names<'_> {
    fn find(&self, name: &str) -> Result<Option<usize>, Complaint> {
        match self.header.as_ref().and_then(|header| header.get(name)) {
            None => Ok(None),
            Some(Place::Once(index)) => Ok(Some(*index)),
            Some(Place::Often) => {
                Err(Complaint::new(format!("the header has {} more than once", quoted(name))))
            }
        }
    }
}

/// Every port that the user's map names is a port of the model.
fn check_ports(spec: &TableSpec<'_>) -> Result<(), Complaint> {
    let Some(map) = spec.columns else { return Ok(()) };
    let ports = || spec.inputs.iter().chain(spec.targets).map(|port| port.name.as_str());
    for (name, _) in &map.entries {
        if !ports().any(|port| port == name) {
            return Err(Complaint {
                message: format!("--columns names {}, which the model does not have", quoted(name)),
                help: did_you_mean(name, ports()),
            });
        }
    }
    Ok(())
}

/// For each port, its columns if the user or the header names them.
fn find_all(
    ports: &[PortSpec],
    spec: &TableSpec<'_>,
    table: &Names<'_>,
) -> Result<Vec<Option<Vec<usize>>>, Complaint> {
    let find = |port: &PortSpec| match spec.columns.and_then(|map| map.get(&port.name)) {
        Some(items) => resolve(port, items, table).map(Some),
        None => find_in_header(port, table),
    };
    ports.iter().map(find).collect()
}

/// The columns that the user gave to a port.
fn resolve(port: &PortSpec, items: &[Columns], table: &Names<'_>) -> Result<Vec<usize>, Complaint> {
    let mut columns = Vec::new();
    for item in items {
        match item {
            Columns::Indices(range) if range.end > table.count => {
                return Err(Complaint::with_help(
                    format!(
                        "--columns gives {} column {}, but the table has {}",
                        shown(&port.name),
                        range.end - 1,
                        plural(table.count, "column")
                    ),
                    "columns are counted from 0, and the end of a range is not part of it",
                ));
            }
            Columns::Indices(range) => columns.extend(range.clone()),
            Columns::Named(name) => columns.push(resolve_name(name, table)?),
        }
        if columns.len() > port.width {
            break; // more can only repeat the mistake, and take memory
        }
    }
    if columns.len() == port.width {
        return Ok(columns);
    }
    let given = if columns.len() > port.width { "more" } else { "fewer" };
    Err(Complaint::new(format!(
        "--columns gives {} {given} than its {}",
        shown(&port.name),
        plural(port.width, "column")
    )))
}

fn resolve_name(name: &str, table: &Names<'_>) -> Result<usize, Complaint> {
    if let Some(index) = table.find(name)? {
        return Ok(index);
    }
    Err(match &table.header {
        None => Complaint::new(format!(
            "--columns names the column {}, but the table has no header",
            quoted(name)
        )),
        Some(header) => Complaint {
            message: format!("there is no column {}", quoted(name)),
            help: did_you_mean(name, header.keys().copied()),
        },
    })
}

/// The columns that carry the port's name: all of them, or none.
fn find_in_header(port: &PortSpec, table: &Names<'_>) -> Result<Option<Vec<usize>>, Complaint> {
    if table.header.is_none() {
        return Ok(None);
    }
    if port.width == 1
        && let Some(index) = table.find(&port.name)?
    {
        return Ok(Some(vec![index]));
    }
    let numbered = |index: usize| format!("{}.{index}", port.name);
    let mut columns = Vec::new();
    let mut missing = None;
    // One beyond the width, because such a column shows that the table is of another model.
    for index in 0..port.width.min(table.count) + 1 {
        match table.find(&numbered(index))? {
            Some(_) if index == port.width => {
                return Err(Complaint::new(format!(
                    "the header has {}, but the model has only {} in {}",
                    shown(&numbered(index)),
                    plural(port.width, "column"),
                    shown(&port.name)
                )));
            }
            Some(column) => columns.push(column),
            None if index < port.width => missing = missing.or(Some(index)),
            None => {}
        }
    }
    match (columns.first(), missing) {
        (None, _) => Ok(None),
        (Some(_), None) => Ok(Some(columns)),
        (Some(_), Some(index)) => Err(Complaint::new(format!(
            "the header has columns of {}, but no {}",
            shown(&port.name),
            shown(&numbered(index))
        ))),
    }
}

fn total_width(ports: &[PortSpec]) -> usize {
    ports.iter().fold(0, |sum, port| sum.saturating_add(port.width))
}

fn missing_width(ports: &[PortSpec], found: &[Option<Vec<usize>>]) -> usize {
    let missing = ports.iter().zip(found).filter(|(_, found)| found.is_none());
    missing.fold(0, |sum, (port, _)| sum.saturating_add(port.width))
}

/// Completes what was found by name with the free columns, in order.
fn fill(
    ports: &[PortSpec],
    found: &mut [Option<Vec<usize>>],
    mut free: &[usize],
) -> Vec<Vec<usize>> {
    let mut columns = Vec::with_capacity(ports.len());
    for (port, found) in ports.iter().zip(found) {
        columns.push(found.take().unwrap_or_else(|| {
            let (own, rest) = free.split_at(port.width);
            free = rest;
            own.to_vec()
        }));
    }
    columns
}

fn too_few(inputs: &[PortSpec], targets: &[PortSpec], count: usize, lacking: usize) -> Complaint {
    const SHOWN: usize = 8;
    let ports = inputs.iter().chain(targets);
    let need = |port: &PortSpec| format!("{}: {}", shown(&port.name), plural(port.width, "column"));
    let mut needs: Vec<String> = ports.take(SHOWN).map(need).collect();
    if inputs.len() + targets.len() > SHOWN {
        needs.push("...".to_string());
    }
    Complaint::with_help(
        format!(
            "the table has {}, {lacking} too few for the model ({})",
            plural(count, "column"),
            needs.join(", ")
        ),
        "columns are separated by a comma, a semicolon or a tab",
    )
}

fn left_over(spec: &TableSpec<'_>, free: &[usize], header: Option<&[String]>) -> Complaint {
    const SHOWN: usize = 3;
    let name = |column: &usize| match header {
        Some(names) => format!("{} ({})", column + 1, shown(&names[*column])),
        None => (column + 1).to_string(),
    };
    let mut shown: Vec<String> = free.iter().take(SHOWN).map(name).collect();
    if free.len() > SHOWN {
        shown.push(format!("{} more", free.len() - SHOWN));
    }
    let (columns, are) = if free.len() == 1 { ("column", "is") } else { ("columns", "are") };
    let ports = spec.inputs.iter().chain(spec.targets);
    Complaint::with_help(
        format!("{columns} {} {are} of no use to the model", shown.join(", ")),
        format!("say which columns to take, for example --columns {}", example(ports)),
    )
}

/// What `--columns` would be if the ports lay one behind the other.
fn example<'a>(ports: impl Iterator<Item = &'a PortSpec>) -> String {
    let mut start = 0usize;
    let mut parts = Vec::new();
    for port in ports {
        let end = start.saturating_add(port.width);
        parts.push(match port.width {
            1 => format!("{}={start}", port.name),
            _ => format!("{}={start}..{end}", port.name),
        });
        start = end;
    }
    parts.join(",")
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}
