//! Words of a column that are no classes of its port. Where that is an error, all of them are told
//! once one has been found; where the net takes such words, they are counted.

use super::error::{DataError, nearest, quoted};
use super::field::is_missing;
use super::table::{Field, Table};
use super::{Domain, Missing, PortSpec};
use std::collections::HashSet;

/// The most words that are looked for. More are no misspellings.
const MOST: usize = 1000;
/// Of those, as many are shown.
const SHOWN: usize = 4;

/// Rows with words that are no classes of a port which takes such, as a class of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// The port.
    pub port: String,
    /// How many fields.
    pub count: u64,
    /// The first of the words.
    pub first: String,
}

impl Unlisted {
    /// Counts a field that is a hole of a port, unless it is empty or says that it is one.
    #[cold]
    pub(super) fn count(found: &mut Option<Unlisted>, field: Field<'_>, port: &PortSpec) {
        let text = field.text();
        if port.missing == Missing::Unknown && !is_missing(&text) {
            let new = || Unlisted { port: port.name.clone(), count: 0, first: text.into() };
            found.get_or_insert_with(new).count += 1;
        }
    }

    /// Adds what a later part of the table has.
    pub fn add(all: &mut Vec<Unlisted>, more: &[Unlisted]) {
        for later in more {
            match all.iter_mut().find(|known| known.port == later.port) {
                Some(known) => known.count += later.count,
                None => all.push(later.clone()),
            }
        }
    }
}

/// The error about the row that a table is at, with the other words in the rest of the table; the
/// same error where it is about something else.
pub(super) fn with_others(error: DataError, port: &PortSpec, table: &mut dyn Table) -> DataError {
    let (Domain::Names(names), Some(column)) = (&port.domain, error.column) else { return error };
    let column = column as usize;
    let unlisted = |table: &dyn Table| match table.row().field(column) {
        Field::Text(text) => {
            let word = str::from_utf8(text).ok()?.trim();
            let is_listed = names.iter().chain(port.missing.words()).any(|name| name == word);
            (!is_listed && !is_missing(word)).then(|| word.to_string())
        }
        Field::Number(_) => None,
    };
    let Some(first) = unlisted(table) else { return error };
    let mut known = HashSet::from([first.clone()]);
    let mut words = vec![first];
    while words.len() < MOST && table.advance().unwrap_or(false) {
        words.extend(unlisted(table).filter(|word| known.insert(word.clone())));
    }
    let others = &words[1..];
    if others.is_empty() {
        return error;
    }
    let message = format!("{}, and neither {}", error.message, be(others));
    let names = || names.iter().map(String::as_str);
    let meant = |word: &String| nearest(word, names());
    let pair = |word| Some(format!("{} for {}", quoted(meant(word)?), quoted(word)));
    let pairs: Vec<String> = words.iter().filter_map(pair).collect();
    let new: Vec<String> = words.iter().filter(|word| meant(word).is_none()).cloned().collect();
    let mut ways = Vec::new();
    if !pairs.is_empty() {
        let more = if pairs.len() > SHOWN { ", ..." } else { "" };
        let pairs: Vec<&str> = pairs.iter().take(SHOWN).map(String::as_str).collect();
        ways.push(format!("did you mean {}{more}?", pairs.join(", ")));
    }
    match new.len() {
        0 => {}
        count @ 1..=SHOWN if names().count() + count <= 3 * SHOWN => {
            let all: Vec<String> =
                names().chain(new.iter().map(String::as_str)).map(quoted).collect();
            ways.push(format!("if they are classes, write `in [{}]` in the net", all.join(", ")));
        }
        _ => ways.push(format!("if they are classes, list them in the net, behind {}", port.name)),
    }
    DataError { message, ..error }.with_help(ways.join(" "))
}

/// `is "a"`, `are "a" and "b"`.
fn be(words: &[String]) -> String {
    let shown: Vec<String> = words.iter().take(SHOWN).map(|word| quoted(word)).collect();
    match (words.len(), shown.split_last()) {
        (1, _) => format!("is {}", shown[0]),
        (2..=SHOWN, Some((last, first))) => format!("are {} and {last}", first.join(", ")),
        (count, _) => format!("are {} and {} more words", shown.join(", "), count - SHOWN),
    }
}
