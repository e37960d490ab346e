//! The choice of columns that an error about the columns of a table proposes.
//!
//! It keeps what was found by name and fills the gaps in order, from columns that can be meant:
//! not what looks like a number of the row, nor words where a port takes numbers. The last ones go
//! to the targets, and if still too many are left, the first ones are left out.

use super::Domain;
use super::choice::{Choice, Words};
use super::error::shown;
use super::seat::{Head, Seated};

/// What the user could say of the inputs and the targets, and what that leaves out; nothing if the
/// free columns do not suffice.
pub(super) fn suggest(
    (inputs, targets): (&[Seated<'_>], &[Seated<'_>]),
    free: &[usize],
    table: &Head<'_>,
    words: Words,
) -> Option<String> {
    let mut left = free.to_vec();
    let for_targets = take(targets, &mut left, table)?;
    let mut chosen = take(inputs, &mut left, table)?.into_iter().chain(for_targets);
    let parts: Vec<String> = (inputs.iter().chain(targets))
        .map(|(port, seat)| format!("{}={}", port.name, ranges(&seat.fill(port, &mut chosen))))
        .collect();
    let mut text = words(Choice::Columns(Some(&parts.join(","))));
    if !left.is_empty() {
        text.push_str(&format!(" leaves out {}", list(&left, table.header)));
    }
    Some(text)
}

/// Takes as many columns as the ports have gaps, in order, out of those that are left.
fn take(ports: &[Seated<'_>], left: &mut Vec<usize>, table: &Head<'_>) -> Option<Vec<usize>> {
    let gaps = ports.iter().map(|(port, seat)| seat.gaps(port)).sum();
    let words = ports.iter().any(|(port, _)| matches!(port.domain, Domain::Names(_)));
    let suits = |column: &usize| {
        let name = table.header.map_or("", |header| &header[*column]);
        words || !counts_rows(name, table.header.is_some()) && (table.starts_with_number)(*column)
    };
    let suitable: Vec<usize> = left.iter().copied().filter(suits).collect();
    let from = if suitable.len() >= gaps { suitable } else { left.clone() };
    let chosen = from[from.len().checked_sub(gaps)?..].to_vec();
    left.retain(|column| chosen.binary_search(column).is_err());
    Some(chosen)
}

/// Whether a column of this name most likely counts the rows. What writes an unnamed index leaves
/// its name empty.
fn counts_rows(name: &str, has_header: bool) -> bool {
    const NAMES: [&str; 9] = ["", "#", "id", "index", "no", "nr", "row", "rowid", "unnamed: 0"];
    has_header && NAMES.contains(&name.to_lowercase().as_str())
}

/// How many of some columns most likely count the rows.
pub(super) fn ids(columns: &[usize], table: &Head<'_>) -> usize {
    let is_id =
        |column: &&usize| table.header.is_some_and(|header| counts_rows(&header[**column], true));
    columns.iter().filter(is_id).count()
}

/// Columns as a map writes them: `0..4,6`.
fn ranges(columns: &[usize]) -> String {
    let runs = columns.chunk_by(|a, b| a + 1 == *b);
    let texts: Vec<String> = runs
        .map(|run| match run {
            [only] => only.to_string(),
            _ => format!("{}..{}", run[0], run[run.len() - 1] + 1),
        })
        .collect();
    texts.join(",")
}

/// The first columns of a list, as a message names them: counted from 0, with their names.
pub(super) fn list(columns: &[usize], header: Option<&[String]>) -> String {
    let name = |column: &usize| match header {
        Some(names) if !names[*column].is_empty() => {
            format!("{column} ({})", shown(&names[*column]))
        }
        _ => column.to_string(),
    };
    some("column", columns.len(), columns.iter().map(name))
}

/// The first of several things, which are called so.
pub(super) fn some(what: &str, count: usize, names: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 3;
    let mut listed: Vec<String> = names.take(SHOWN).collect();
    if count > SHOWN {
        listed.push(format!("{} more", count - SHOWN));
    }
    format!("{what}{} {}", if count == 1 { "" } else { "s" }, listed.join(", "))
}
