//! Decides which columns of a table belong to which port of the model.
//!
//! In this order, for each port:
//!
//! 1. the columns that the user's map gives it;
//! 2. where the table has a header, those of the names that the net was trained on, if they are
//!    known, or else those of the port's own name: `x`, or `x.0`, `x.1` and so on;
//! 3. where neither says anything of any port, and the user chose the columns of the table without
//!    a header that the net was trained on: the same places, if this one has as many columns;
//! 4. where no names are known, or the table has no header: of the columns that are left, the last
//!    ones for all such targets together, and the others for the inputs, in order. Then none may be
//!    left over.
//!
//! A port that is found by name may leave columns that nobody takes. A name that the net was
//! trained on and the header lacks is an error.

use std::collections::HashMap;

use super::PortSpec;
use super::choice::{Choice, Words};
use super::column_map::Columns;
use super::error::{Complaint, did_you_mean, plural, quoted, shown};
use super::suggest::{Gaps, suggest};
use super::tables::TableSpec;

/// The columns of each port, counted from 0, in the order of the ports.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub inputs: Vec<Vec<usize>>,
    pub targets: Vec<Vec<usize>>,
    /// Those that a table with a header has beside them.
    pub unused: Vec<usize>,
}

impl Assignment {
    /// The ports that have columns, and theirs.
    pub fn ports<'a>(
        &'a self,
        spec: &TableSpec<'a>,
    ) -> impl Iterator<Item = (&'a PortSpec, &'a Vec<usize>)> {
        spec.inputs.iter().zip(&self.inputs).chain(spec.targets.iter().zip(&self.targets))
    }
}

/// What is known of a table before its values are read.
pub(super) struct Head<'a> {
    /// The number of columns.
    pub count: usize,
    /// Their names, if it has a header.
    pub header: Option<&'a [String]>,
    /// Whether a column starts with a number, for those that the advice in an error leaves out.
    pub starts_with_number: &'a dyn Fn(usize) -> bool,
}

/// Where the columns of a port are.
enum Seat {
    /// There, in order.
    Found(Vec<usize>),
    /// Some of its names are not in the header.
    Lacking(Vec<Option<usize>>),
    /// Nothing names them.
    Open,
}

impl Seat {
    fn is_found(&self) -> bool {
        matches!(self, Seat::Found(_))
    }

    fn is_open(&self) -> bool {
        matches!(self, Seat::Open)
    }

    /// The columns known so far.
    fn columns(&self) -> Vec<usize> {
        match self {
            Seat::Found(columns) => columns.clone(),
            Seat::Lacking(columns) => columns.iter().flatten().copied().collect(),
            Seat::Open => Vec::new(),
        }
    }
}

/// Gives each port its columns; the rule is at the top of this file.
///
/// Where targets are optional, a table has none if it has just the columns of the inputs, or if
/// all inputs are found and not all targets.
pub(super) fn assign(spec: &TableSpec<'_>, table: &Head<'_>) -> Result<Assignment, Complaint> {
    let names = Names { count: table.count, header: table.header.map(index_names) };
    check_ports(spec)?;
    let mut inputs = find_all(spec.inputs, spec, &names)?;
    let mut targets = find_all(spec.targets, spec, &names)?;
    if inputs.iter().chain(&targets).all(Seat::is_open) {
        inputs = find_places(spec.inputs, spec, table.count)?;
        targets = find_places(spec.targets, spec, table.count)?;
    }
    let lacks = |seat: &Seat| matches!(seat, Seat::Lacking(_));
    let skip_targets = spec.targets_optional
        && (targets.iter().any(lacks)
            || targets.iter().all(Seat::is_open)
                && (table.count == total_width(spec.inputs) || inputs.iter().all(Seat::is_found)));
    let wanted = if skip_targets { &[] } else { spec.targets };
    targets.truncate(wanted.len());

    let mut taken = vec![false; table.count];
    inputs.iter().chain(&targets).flat_map(Seat::columns).for_each(|column| taken[column] = true);
    let free: Vec<usize> = (0..table.count).filter(|column| !taken[*column]).collect();
    let (input_gaps, target_gaps) = (gaps(spec.inputs, &inputs), gaps(wanted, &targets));
    let missing = input_gaps.saturating_add(target_gaps);
    let advice = || {
        suggest(
            &gaps_of(spec.inputs, &inputs),
            &gaps_of(wanted, &targets),
            &free,
            table,
            spec.words,
        )
    };
    if inputs.iter().chain(&targets).any(lacks) {
        let advice = if missing <= free.len() { advice() } else { None };
        return Err(lacking(spec, &inputs, wanted, &targets, advice));
    }
    if missing > free.len() {
        return Err(too_few(spec.inputs, wanted, table.count, missing - free.len()));
    }
    let by_position = inputs.iter().chain(&targets).any(Seat::is_open);
    if by_position && missing < free.len() {
        let more = free.len() - missing;
        return Err(too_many(spec.inputs, wanted, table.count, more, advice()));
    }
    let (inputs_free, targets_free) = free.split_at(input_gaps);
    let chosen = |port: &PortSpec| spec.columns.is_some_and(|map| map.get(&port.name).is_some());
    let all_chosen = spec.inputs.iter().chain(wanted).all(chosen);
    Ok(Assignment {
        unused: if by_position || all_chosen { Vec::new() } else { free.clone() },
        inputs: fill(spec.inputs, inputs, inputs_free),
        targets: fill(wanted, targets, targets_free),
    })
}

/// A table's header, if it has one, ready to be asked for a name.
struct Names<'a> {
    count: usize,
    header: Option<HashMap<&'a str, Occurrence>>,
}

#[derive(Clone, Copy)]
enum Occurrence {
    Once(usize),
    Often,
}

fn index_names(header: &[String]) -> HashMap<&str, Occurrence> {
    let mut occurrences = HashMap::with_capacity(header.len());
    for (index, name) in header.iter().enumerate() {
        let found = occurrences.entry(name.as_str()).or_insert(Occurrence::Once(index));
        if !matches!(found, Occurrence::Once(first) if *first == index) {
            *found = Occurrence::Often;
        }
    }
    occurrences
}

impl Names<'_> {
    fn find(&self, name: &str) -> Result<Option<usize>, Complaint> {
        match self.header.as_ref().and_then(|header| header.get(name)) {
            None => Ok(None),
            Some(Occurrence::Once(index)) => Ok(Some(*index)),
            Some(Occurrence::Often) => {
                Err(Complaint::new(format!("the header has {} more than once", quoted(name))))
            }
        }
    }
}

/// Every port that the user's map names is a port of the model.
fn check_ports(spec: &TableSpec<'_>) -> Result<(), Complaint> {
    let Some(map) = spec.columns else { return Ok(()) };
    let columns = (spec.words)(Choice::Columns(None));
    let ports = || spec.inputs.iter().chain(spec.targets).map(|port| port.name.as_str());
    for name in map.ports() {
        if !ports().any(|port| port == name) {
            return Err(Complaint {
                message: format!("{columns} names {}, which the model does not have", quoted(name)),
                help: did_you_mean(name, ports()),
            });
        }
    }
    Ok(())
}

/// For each port, what the user or the header says of its columns.
fn find_all(
    ports: &[PortSpec],
    spec: &TableSpec<'_>,
    table: &Names<'_>,
) -> Result<Vec<Seat>, Complaint> {
    let find = |port: &PortSpec| {
        if let Some(items) = spec.columns.and_then(|map| map.get(&port.name)) {
            return resolve(port, items, table, spec.words).map(Seat::Found);
        }
        let trained = spec.names.and_then(|names| names.get(&port.name));
        let by_training = match trained.filter(|_| table.header.is_some()) {
            Some(names) => find_trained(port, names, table)?,
            None => Seat::Open,
        };
        match by_training {
            Seat::Found(columns) => Ok(Seat::Found(columns)),
            other => Ok(find_in_header(port, table)?.map_or(other, Seat::Found)),
        }
    };
    ports.iter().map(find).collect()
}

/// For each port, where its columns were in the table that the net was trained on.
fn find_places(
    ports: &[PortSpec],
    spec: &TableSpec<'_>,
    count: usize,
) -> Result<Vec<Seat>, Complaint> {
    let find = |port: &PortSpec| match spec.names.and_then(|names| names.places(&port.name, count))
    {
        Some(places) => check_width(port, places.len()).map(|()| Seat::Found(places.to_vec())),
        None => Ok(Seat::Open),
    };
    ports.iter().map(find).collect()
}

/// A port has as many columns as the net was trained on.
fn check_width(port: &PortSpec, trained: usize) -> Result<(), Complaint> {
    if trained == port.width {
        return Ok(());
    }
    let (has, takes, port) = (plural(trained, "column"), port.width, shown(&port.name));
    let message = format!("the weights or the program name {has} for {port}, which takes {takes}");
    Err(Complaint::new(message))
}

/// The columns that the net was trained on, by their names.
fn find_trained(port: &PortSpec, names: &[String], table: &Names<'_>) -> Result<Seat, Complaint> {
    check_width(port, names.len())?;
    let columns = names.iter().map(|name| table.find(name)).collect::<Result<Vec<_>, _>>()?;
    let whole: Option<Vec<usize>> = columns.iter().copied().collect();
    Ok(whole.map_or(Seat::Lacking(columns), Seat::Found))
}

/// The columns that the user gave to a port.
fn resolve(
    port: &PortSpec,
    items: &[Columns],
    table: &Names<'_>,
    words: Words,
) -> Result<Vec<usize>, Complaint> {
    let mut columns = Vec::new();
    for item in items {
        match item {
            Columns::Indices(range) if range.end > table.count => {
                return Err(Complaint::with_help(
                    format!(
                        "{} gives {} column {}, but the table has {}",
                        words(Choice::Columns(None)),
                        shown(&port.name),
                        range.end - 1,
                        plural(table.count, "column")
                    ),
                    "columns are counted from 0, and the end of a range is not part of it",
                ));
            }
            Columns::Indices(range) => columns.extend(range.clone()),
            Columns::Named(name) => columns.push(resolve_name(name, table, words)?),
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
        "{} gives {} {given} than its {}",
        words(Choice::Columns(None)),
        shown(&port.name),
        plural(port.width, "column")
    )))
}

fn resolve_name(name: &str, table: &Names<'_>, words: Words) -> Result<usize, Complaint> {
    if let Some(index) = table.find(name)? {
        return Ok(index);
    }
    Err(match &table.header {
        None => Complaint::with_help(
            format!(
                "{} names the column {}, but the table has no header",
                words(Choice::Columns(None)),
                quoted(name)
            ),
            format!(
                "count its columns from 0, or say {} if its first row is one",
                words(Choice::Header(Some(true)))
            ),
        ),
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

/// How many columns the ports are still without.
fn gaps(ports: &[PortSpec], seats: &[Seat]) -> usize {
    let gaps = ports.iter().zip(seats).map(|(port, seat)| match seat {
        Seat::Found(_) => 0,
        Seat::Lacking(columns) => columns.iter().filter(|column| column.is_none()).count(),
        Seat::Open => port.width,
    });
    gaps.fold(0, usize::saturating_add)
}

fn total_width(ports: &[PortSpec]) -> usize {
    ports.iter().fold(0, |sum, port| sum.saturating_add(port.width))
}

/// Completes what was found by name with the free columns, in order.
fn fill(ports: &[PortSpec], seats: Vec<Seat>, mut free: &[usize]) -> Vec<Vec<usize>> {
    let mut columns = Vec::with_capacity(ports.len());
    for (port, seat) in ports.iter().zip(seats) {
        columns.push(match seat {
            Seat::Found(columns) => columns,
            _ => {
                let (own, rest) = free.split_at(port.width);
                free = rest;
                own.to_vec()
            }
        });
    }
    columns
}

/// What the advice in an error has to fill in.
fn gaps_of<'a>(ports: &'a [PortSpec], seats: &[Seat]) -> Vec<Gaps<'a>> {
    let columns = |port: &PortSpec, seat: &Seat| match seat {
        Seat::Found(columns) => columns.iter().copied().map(Some).collect(),
        Seat::Lacking(columns) => columns.clone(),
        // Not wider than what is free, which has been checked.
        Seat::Open => vec![None; port.width],
    };
    let gaps = ports.iter().zip(seats);
    gaps.map(|(port, seat)| Gaps { port, columns: columns(port, seat) }).collect()
}

/// The names that the net was trained on and that the header lacks.
fn lacking(
    spec: &TableSpec<'_>,
    inputs: &[Seat],
    wanted: &[PortSpec],
    targets: &[Seat],
    advice: Option<String>,
) -> Complaint {
    const SHOWN: usize = 3;
    let mut missing = Vec::new();
    for (port, seat) in spec.inputs.iter().zip(inputs).chain(wanted.iter().zip(targets)) {
        let names = spec.names.and_then(|names| names.get(&port.name)).unwrap_or(&[]);
        if let Seat::Lacking(columns) = seat {
            let lacks = names.iter().zip(columns).filter(|(_, column)| column.is_none());
            missing.extend(lacks.map(|(name, _)| quoted(name)));
        }
    }
    let what = if missing.len() == 1 { "the column" } else { "the columns" };
    let more = missing.len().saturating_sub(SHOWN);
    missing.truncate(SHOWN);
    let mut listed = missing.join(", ");
    if more > 0 {
        listed.push_str(&format!(" and {more} more"));
    }
    Complaint {
        message: format!("there is no {listed}: {what} that the net was trained on"),
        help: advice.map(|advice| format!("if others are meant: {advice}")),
    }
}

fn needs(inputs: &[PortSpec], targets: &[PortSpec]) -> String {
    const SHOWN: usize = 8;
    let ports = inputs.iter().chain(targets);
    let need = |port: &PortSpec| format!("{}: {}", shown(&port.name), plural(port.width, "column"));
    let mut needs: Vec<String> = ports.take(SHOWN).map(need).collect();
    if inputs.len() + targets.len() > SHOWN {
        needs.push("...".to_string());
    }
    needs.join(", ")
}

fn too_few(inputs: &[PortSpec], targets: &[PortSpec], count: usize, lacking: usize) -> Complaint {
    let (has, needs) = (plural(count, "column"), needs(inputs, targets));
    Complaint::with_help(
        format!("the table has {has}, {lacking} too few for the model ({needs})"),
        "columns are separated by a comma, a semicolon or a tab",
    )
}

fn too_many(
    inputs: &[PortSpec],
    targets: &[PortSpec],
    count: usize,
    more: usize,
    advice: Option<String>,
) -> Complaint {
    let (has, needs) = (plural(count, "column"), needs(inputs, targets));
    Complaint {
        message: format!("the table has {has}, {more} more than the model takes ({needs})"),
        help: advice.map(|advice| format!("say which to take: {advice}")),
    }
}
