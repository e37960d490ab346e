//! Decides which columns of a table belong to which port of the model.
//!
//! In this order, for each port:
//!
//! 1. the columns that the user's map gives it;
//! 2. the columns that the model says `from`;
//! 3. if the table has a header: the columns of the names that the net was trained on, where they
//!    are known, or else those of the port's own name: `x`, or `x.0`, `x.1` and so on;
//! 4. if these rules find no port, and the net was trained on a table without a header whose
//!    columns the user chose: the same places, if this table has the same number of columns;
//! 5. otherwise, of the remaining columns, the last ones for all remaining targets together, and
//!    the others for the inputs, in order. Then no column may be left.
//!
//! Where all ports are found by name, other columns are not used. A name that the net was trained
//! on and that the header lacks is an error.

use std::collections::HashMap;

use super::choice::{Choice, Words};
use super::column_map::Columns;
use super::error::{Complaint, meant_or_listed, nearest, plural, quoted, shown};
use super::seat::{Head, Seat, Seated};
use super::spec::TableSpec;
use super::suggest::{ids, suggest};
use super::{Column, PortSpec};

/// The columns of each port, counted from 0, in the order of the ports.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// Those of the inputs, then of the targets, if the table has any.
    pub columns: Vec<Vec<usize>>,
    /// The columns of a table with a header that no port takes.
    pub unused: Vec<usize>,
}

/// Gives each port its columns; the rule is at the top of this file.
///
/// Where targets are optional, a table has none if it has just the columns of the inputs, or if
/// all inputs are found and not all targets.
pub(super) fn assign(spec: &TableSpec<'_>, table: &Head<'_>) -> Result<Assignment, Complaint> {
    let names = table.header.unwrap_or_default();
    let names = Names { count: table.count, names, header: table.header.map(index_names) };
    check_ports(spec)?;
    let found = |(_, seat): &Seated<'_>| matches!(seat, Seat::Found(_));
    let lacks = |(_, seat): &Seated<'_>| matches!(seat, Seat::Lacking(_));
    let open = |(_, seat): &Seated<'_>| matches!(seat, Seat::Open);
    let mut ports = find_all(spec, &names)?;
    if ports.iter().all(open) {
        ports = find_places(spec, table.count)?;
    }
    let (inputs, targets) = ports.split_at(spec.inputs.len());
    let skip_targets = spec.targets_optional
        && (targets.iter().any(lacks)
            || targets.iter().all(open)
                && (table.count == total_width(spec.inputs) || inputs.iter().all(found)));
    if skip_targets {
        ports.truncate(spec.inputs.len());
    }

    let mut taken = vec![false; table.count];
    ports.iter().flat_map(|(_, seat)| seat.known()).for_each(|column| taken[column] = true);
    let mut free: Vec<usize> = (0..table.count).filter(|column| !taken[*column]).collect();
    let gaps = ports.iter().map(|(port, seat)| seat.gaps(port));
    let missing = gaps.fold(0, usize::saturating_add);
    let is_other = |column: &usize| table.others.contains(column);
    let others = free.iter().filter(|column| is_other(column)).count();
    if free.len() - others >= missing {
        free.retain(|column| !is_other(column));
    }
    let advice = || suggest(ports.split_at(spec.inputs.len()), &free, table, spec.words);
    if ports.iter().any(lacks) {
        let is_plain = missing == free.len() - ids(&free, table);
        return Err(lacking(spec, &ports, if is_plain { advice() } else { None }));
    }
    misspelled(&ports, &free, table, spec.words)?;
    if missing > free.len() {
        return Err(too_few(&ports, table.count, missing - free.len()));
    }
    let by_position = ports.iter().any(open);
    if by_position && missing < free.len() {
        let several = |ports: &[Seated<'_>]| ports.iter().filter(|port| open(port)).count() > 1;
        let (inputs, targets) = ports.split_at(spec.inputs.len());
        let advice = match table.header {
            // Which of the names is which, nobody can guess.
            Some(_) if several(inputs) || several(targets) => None,
            _ => advice(),
        };
        return Err(too_many(&ports, table.count, free.len() - missing, advice, spec.words));
    }
    let chosen = |port: &PortSpec| spec.columns.is_some_and(|map| map.get(&port.name).is_some());
    let all_chosen = ports.iter().all(|(port, _)| chosen(port));
    let mut left = free.iter().copied();
    let columns = ports.iter().map(|(port, seat)| seat.fill(port, &mut left)).collect();
    Ok(Assignment { columns, unused: if by_position || all_chosen { Vec::new() } else { free } })
}

/// The names in a table's header, if it has one.
struct Names<'a> {
    count: usize,
    names: &'a [String],
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
            Some(Occurrence::Often) => Err(repeated(name)),
        }
    }
}

/// The error of a name that does not tell columns apart.
pub(super) fn repeated(name: &str) -> Complaint {
    let message = format!("the header has {} more than once", quoted(name));
    Complaint::new(message, "give each column a name of its own")
}

/// Every port that the user's map names is a port of the model.
pub(super) fn check_ports(spec: &TableSpec<'_>) -> Result<(), Complaint> {
    let Some(map) = spec.columns else { return Ok(()) };
    let columns = (spec.words)(Choice::Columns(None));
    let ports = || spec.inputs.iter().chain(spec.targets).map(|port| port.name.as_str());
    for name in map.ports() {
        if !ports().any(|port| port == name) {
            return Err(Complaint::new(
                format!("{columns} names {}, which the model does not have", quoted(name)),
                meant_or_listed(name, "its inputs and targets", ports()),
            ));
        }
    }
    Ok(())
}

/// For each port, what the user or the header says of its columns.
fn find_all<'a>(spec: &TableSpec<'a>, table: &Names<'_>) -> Result<Vec<Seated<'a>>, Complaint> {
    let find = |port: &PortSpec| {
        if let Some(items) = spec.columns.and_then(|map| map.get(&port.name)) {
            let who = (spec.words)(Choice::Columns(None));
            return resolve(port, items, table, &who, spec.words).map(Seat::Found);
        }
        if !port.from.is_empty() {
            return find_from(port, table, spec);
        }
        let trained = spec.names.and_then(|names| names.get(&port.name));
        let by_training = match trained.filter(|_| table.header.is_some()) {
            Some(names) => find_trained(port, names, table, spec.words)?,
            None => Seat::Open,
        };
        match by_training {
            Seat::Found(columns) => Ok(Seat::Found(columns)),
            other => Ok(find_in_header(port, table)?.map_or(other, Seat::Found)),
        }
    };
    spec.ports().map(|port| Ok((port, find(port)?))).collect()
}

/// For each port, where its columns were in the table that the net was trained on.
fn find_places<'a>(spec: &TableSpec<'a>, count: usize) -> Result<Vec<Seated<'a>>, Complaint> {
    let find = |port: &PortSpec| match spec.names.and_then(|names| names.places(&port.name, count))
    {
        Some(places) => {
            check_width(port, places.len(), spec.words)?;
            Ok(Seat::Found(places.to_vec()))
        }
        None => Ok(Seat::Open),
    };
    spec.ports().map(|port| Ok((port, find(port)?))).collect()
}

/// A port has as many columns as the net was trained on.
fn check_width(port: &PortSpec, trained: usize, words: Words) -> Result<(), Complaint> {
    if trained == port.width {
        return Ok(());
    }
    let (has, takes, port) = (plural(trained, "column"), port.width, shown(&port.name));
    let message = format!("the weights or the program name {has} for {port}, which takes {takes}");
    Err(Complaint::new(message, format!("choose them: {}", words(Choice::Columns(None)))))
}

/// The columns that the net was trained on, by their names.
fn find_trained(
    port: &PortSpec,
    names: &[String],
    table: &Names<'_>,
    words: Words,
) -> Result<Seat, Complaint> {
    check_width(port, names.len(), words)?;
    let columns = names.iter().map(|name| table.find(name)).collect::<Result<Vec<_>, _>>()?;
    let whole: Option<Vec<usize>> = columns.iter().copied().collect();
    Ok(whole.map_or(Seat::Lacking(columns), Seat::Found))
}

/// The columns that the model says a port takes. A table to predict from may lack those of a
/// target.
fn find_from<'a>(
    port: &PortSpec,
    table: &Names<'_>,
    spec: &TableSpec<'a>,
) -> Result<Seat, Complaint> {
    let may_lack = spec.targets_optional && spec.targets.iter().any(|target| target == port);
    let there = |column: &Column| match column {
        Column::Named(name) => Ok(table.find(name)?.is_some()),
        Column::At(place) => Ok((*place as usize) < table.count),
    };
    if may_lack {
        let there = port.from.iter().map(there).collect::<Result<Vec<bool>, Complaint>>()?;
        if there.contains(&false) {
            return Ok(Seat::Lacking(vec![None; port.width]));
        }
    }
    let item = |column: &Column| match column {
        Column::Named(name) => Columns::Named(name.clone()),
        Column::At(place) => Columns::Indices(*place as usize..*place as usize + 1),
    };
    let items: Vec<Columns> = port.from.iter().map(item).collect();
    resolve(port, &items, table, "the model", spec.words).map(Seat::Found)
}

/// The columns that the user, or the model, gave to a port.
fn resolve(
    port: &PortSpec,
    items: &[Columns],
    table: &Names<'_>,
    who: &str,
    words: Words,
) -> Result<Vec<usize>, Complaint> {
    let mut columns = Vec::new();
    for item in items {
        match item {
            Columns::Indices(range) if range.end > table.count => {
                return Err(Complaint::new(
                    format!(
                        "{who} gives {} column {}, but the table has {}",
                        shown(&port.name),
                        range.end - 1,
                        plural(table.count, "column")
                    ),
                    "columns are counted from 0, and the end of a range is not part of it",
                ));
            }
            Columns::Indices(range) => columns.extend(range.clone()),
            Columns::Named(name) => columns.push(resolve_name(name, port, table, who, words)?),
        }
        if columns.len() > port.width {
            break; // more can only repeat the mistake, and take memory
        }
    }
    if columns.len() == port.width {
        return Ok(columns);
    }
    let given = if columns.len() > port.width { "more" } else { "fewer" };
    let (name, takes) = (shown(&port.name), plural(port.width, "column"));
    Err(Complaint::new(
        format!("{who} gives {name} {given} than its {takes}"),
        format!("give it {takes}, such as {name}=0..{}", port.width),
    ))
}

fn resolve_name(
    name: &str,
    port: &PortSpec,
    table: &Names<'_>,
    who: &str,
    words: Words,
) -> Result<usize, Complaint> {
    if let Some(index) = table.find(name)? {
        return Ok(index);
    }
    let named = table.names.iter().map(String::as_str).filter(|name| !name.is_empty());
    Err(match &table.header {
        None => Complaint::new(
            format!("{who} names the column {}, but the table has no header", quoted(name)),
            format!(
                "say where its columns are, from 0: {}; or {} if its first row is a header",
                words(Choice::Columns(Some(&places(port)))),
                words(Choice::Header(Some(true)))
            ),
        ),
        Some(_) => Complaint::new(
            format!("there is no column {}", quoted(name)),
            meant_or_listed(name, "the columns", named),
        ),
    })
}

/// Places that a port could have, as an option says them.
fn places(port: &PortSpec) -> String {
    match port.width {
        1 => format!("{}=0", port.name),
        width => format!("{}=0..{width}", port.name),
    }
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
    // One beyond the width: such a column shows that the table belongs to another model.
    for index in 0..port.width.min(table.count) + 1 {
        match table.find(&numbered(index))? {
            Some(_) if index == port.width => {
                let (name, extra) = (shown(&port.name), shown(&numbered(index)));
                let has = plural(port.width, "column");
                return Err(Complaint::new(
                    format!("the header has {extra}, but the model has only {has} in {name}"),
                    format!("rename {extra}, or make {name} in the net as long as it is here"),
                ));
            }
            Some(column) => columns.push(column),
            None if index < port.width => missing = missing.or(Some(index)),
            None => {}
        }
    }
    match (columns.first(), missing) {
        (None, _) => Ok(None),
        (Some(_), None) => Ok(Some(columns)),
        (Some(_), Some(index)) => {
            let (name, lacks) = (shown(&port.name), shown(&numbered(index)));
            let has = plural(port.width, "column");
            Err(Complaint::new(
                format!("the header has columns of {name}, but no {lacks}"),
                format!("{name} takes {has}: add {lacks}, or make {name} in the net shorter"),
            ))
        }
    }
}

fn total_width(ports: &[PortSpec]) -> usize {
    ports.iter().fold(0, |sum, port| sum.saturating_add(port.width))
}

/// The names that the net was trained on and that the header lacks.
fn lacking(spec: &TableSpec<'_>, ports: &[Seated<'_>], advice: Option<String>) -> Complaint {
    const SHOWN: usize = 3;
    let mut missing = Vec::new();
    for (port, seat) in ports {
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
    let advice = advice.map(|advice| format!("if others are meant: {advice}"));
    let (inputs, _) = ports.split_at(spec.inputs.len());
    let needs = match inputs.iter().any(|(_, seat)| matches!(seat, Seat::Lacking(_))) {
        true => "add it to the table: the net takes every column",
        false => "add it to the table, to compare with it; a prediction needs no targets",
    };
    Complaint::new(
        format!("there is no {listed}: {what} that the net was trained on"),
        advice.unwrap_or_else(|| needs.to_string()),
    )
}

/// A name that no column has, but nearly: taking another column by its place would be a mistake.
fn misspelled(
    ports: &[Seated<'_>],
    free: &[usize],
    table: &Head<'_>,
    words: Words,
) -> Result<(), Complaint> {
    let Some(header) = table.header else { return Ok(()) };
    let names = || free.iter().map(|&column| (column, header[column].as_str()));
    for (port, _) in ports.iter().filter(|(_, seat)| matches!(seat, Seat::Open)) {
        let near = nearest(&port.name, names().map(|(_, name)| name));
        let Some(meant) = near.filter(|_| port.width == 1) else { continue };
        let place = names().find(|(_, name)| *name == meant).map_or(0, |(column, _)| column);
        let map = format!("{}={place}", port.name);
        return Err(Complaint::new(
            format!("there is no column {}", quoted(&port.name)),
            format!(
                "did you mean {}? Call both the same, or say {}",
                quoted(meant),
                words(Choice::Columns(Some(&map)))
            ),
        ));
    }
    Ok(())
}

fn needs(ports: &[Seated<'_>]) -> String {
    const SHOWN: usize = 8;
    let need =
        |(port, _): &Seated<'_>| format!("{}: {}", shown(&port.name), plural(port.width, "column"));
    let mut needs: Vec<String> = ports.iter().take(SHOWN).map(need).collect();
    if ports.len() > SHOWN {
        needs.push("...".to_string());
    }
    needs.join(", ")
}

fn too_few(ports: &[Seated<'_>], count: usize, lacking: usize) -> Complaint {
    let (has, needs) = (plural(count, "column"), needs(ports));
    Complaint::new(
        format!("the table has {has}, {lacking} too few for the model ({needs})"),
        "columns are separated by a comma, a semicolon, a tab, a bar or blanks",
    )
}

fn too_many(
    ports: &[Seated<'_>],
    count: usize,
    more: usize,
    advice: Option<String>,
    words: Words,
) -> Complaint {
    const FEW: usize = 4;
    let (has, needs) = (plural(count, "column"), needs(ports));
    let help = match advice {
        Some(advice) => format!("say which to take: {advice}"),
        None => {
            let open = ports.iter().filter(|(_, seat)| matches!(seat, Seat::Open));
            let names: Vec<String> = open.map(|(port, _)| shown(&port.name)).collect();
            let (more, say) = (names.len().saturating_sub(FEW), words(Choice::Columns(None)));
            let mut names = names[..names.len() - more].join(", ");
            if more > 0 {
                names.push_str(&format!(" and {more} more"));
            }
            format!("no column is called {names}: name them as the columns are, or use {say}")
        }
    };
    Complaint::new(format!("the table has {has}, {more} more than the model takes ({needs})"), help)
}
