//! Which rows are held out: a share of them or a fold, at random, with each class at its share, by
//! groups that stay together, or the last ones. The invariants are those of scikit-learn:
//! StratifiedShuffleSplit, GroupShuffleSplit, StratifiedKFold, GroupKFold and TimeSeriesSplit.
//!
//! The result depends on the seed, the number of rows, and their classes or groups alone.

use super::chosen::Chosen;
use super::report::TrainError;
use crate::data::{quoted, shown};
use crate::exec::Feed;
use crate::program::{Domain, Split};
use crate::random::{SPLIT_STREAM, Stream, shuffle};
use std::collections::BTreeMap;
use std::ops::Range;

/// One of several parts of the rows, of nearly the same size.
///
/// ```
/// # use arenet_runtime::train::Fold;
/// let parts = (0..3).map(|index| Fold { index, count: 3 }.range(10));
/// assert_eq!(parts.collect::<Vec<_>>(), [0..3, 3..6, 6..10]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Which, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

impl Fold {
    /// Its places among so many rows.
    pub fn range(self, rows: usize) -> Range<usize> {
        let place = |index: u32| (rows as u64 * u64::from(index) / u64::from(self.count)) as usize;
        place(self.index)..place(self.index + 1)
    }
}

/// How much is held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Portion {
    /// A share, from 0 up to but not including 1.
    Share(f64),
    /// A fold.
    Fold(Fold),
}

/// What each row belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// Of each row the number of its class or group.
    pub of_row: Vec<u32>,
    /// How a message names each of them.
    pub names: Vec<String>,
}

/// What decides on which side a row is.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// Chance.
    Chance,
    /// Chance, but each class is held out at its share.
    Class(&'a Labels),
    /// Chance, but rows of a group stay together.
    Group(&'a [u32]),
    /// Its place: the last ones are held out.
    Place,
}

/// The rows to train on and those to hold out, each in the order of the data.
pub type Sides = (Chosen, Vec<u32>);

/// Holds rows of the data out as a training says; `groups` are those of its rows.
pub(crate) fn hold_out(
    data: &Feed,
    groups: Option<&[u32]>,
    split: &Split,
    part: Portion,
    seed: u64,
) -> Result<Sides, TrainError> {
    let rows = data.rows();
    match split {
        _ if part == Portion::Share(0.0) => self::split(rows, By::Chance, part, seed),
        Split::Random => self::split(rows, By::Chance, part, seed),
        Split::Last => self::split(rows, By::Place, part, seed),
        Split::Class => self::split(rows, By::Class(&classes(data)?), part, seed),
        Split::Column(name) => match groups {
            Some(groups) => self::split(rows, By::Group(groups), part, seed),
            None => {
                let name = quoted(name);
                Err(refuse(format!("rows are held out by their {name}, and the data has none")))
            }
        },
    }
}

/// The class of each row; of several targets, the classes together.
fn classes(data: &Feed) -> Result<Labels, TrainError> {
    let targets = (0..).zip(data.ports()).skip(data.input_count());
    let targets: Vec<_> = targets.filter(|(_, port)| port.domain.classes().is_some()).collect();
    if targets.is_empty() {
        return Err(refuse("rows are held out by class, and no target has classes".into()));
    }
    // Classes that come together are numbered in the order of their indices, column by column.
    let mut of_row = vec![0; data.rows()];
    let mut keys = vec![Vec::new()];
    for &(index, port) in &targets {
        let width = port.width as usize;
        for column in 0..width {
            let mut numbers = BTreeMap::new();
            data.each_block_of(index, |first, values| {
                let values = values[column..].iter().step_by(width);
                for (number, value) in of_row[first..].iter_mut().zip(values) {
                    let next = numbers.len() as u32;
                    *number = *numbers.entry((*number, value.to_bits())).or_insert(next);
                }
            })?;
            let mut in_order = vec![0; numbers.len()];
            (0..).zip(numbers.values()).for_each(|(place, met)| in_order[*met as usize] = place);
            of_row.iter_mut().for_each(|number: &mut u32| *number = in_order[*number as usize]);
            let longer = |&(number, class): &(u32, u32)| {
                let key: &Vec<u32> = &keys[number as usize];
                key.iter().copied().chain([class]).collect()
            };
            keys = numbers.keys().map(longer).collect();
        }
    }
    let domains: Vec<&Domain> = targets
        .iter()
        .flat_map(|(_, port)| std::iter::repeat_n(&port.domain, port.width as usize))
        .collect();
    let name = |key: &Vec<u32>| {
        let label = |(class, domain): (&u32, &&Domain)| {
            let label = domain.label(u64::from(*class)).map(|label| label.to_string());
            shown(&label.unwrap_or_else(|| "that does not count".to_string()))
        };
        key.iter().zip(&domains).map(label).collect::<Vec<_>>().join(", ")
    };
    Ok(Labels { names: keys.iter().map(name).collect(), of_row })
}

/// Holds rows out.
///
/// A share is rounded to whole rows, or to whole groups, but is at least one if it is not 0.
///
/// # Errors
/// More rows than 2³², no rows, or so few of them, of a class or of groups, that a side would have
/// none.
pub fn split(rows: usize, by: By<'_>, part: Portion, seed: u64) -> Result<Sides, TrainError> {
    let Ok(count) = u32::try_from(rows) else {
        return Err(refuse(format!("{rows} rows are more than the limit of 2^32")));
    };
    if rows == 0 {
        return Err(refuse("there are no rows to train on".into()));
    }
    if part == Portion::Share(0.0) {
        return Ok((Chosen::new(count, &[]), Vec::new()));
    }
    let mut order: Vec<u32> = (0..count).collect();
    shuffle(Stream { seed, stream: SPLIT_STREAM }, 0, &mut order);
    match by {
        By::Chance => {
            let places = places(rows, part, "row")?;
            Ok(without(count, order[places].to_vec()))
        }
        By::Place => {
            let held = last(rows, part)?;
            let held = held.start as u32..held.end as u32;
            Ok((Chosen::new(held.start, &[]), held.collect()))
        }
        By::Group(groups) => by_group(&order, groups, part),
        By::Class(labels) => by_class(&order, labels, part),
    }
}

/// The places that are held out of so many things in a random order.
fn places(count: usize, part: Portion, what: &str) -> Result<Range<usize>, TrainError> {
    match part {
        Portion::Share(share) => {
            let held = ((count as f64 * share).round() as usize).max(1);
            if held >= count {
                return Err(refuse(format!(
                    "a share of {share} holds out {held} of {count} {what}s, and leaves none to \
                     train on"
                )));
            }
            Ok(0..held)
        }
        Portion::Fold(fold) => {
            check_folds(count, fold, what)?;
            Ok(fold.range(count))
        }
    }
}

fn check_folds(count: usize, fold: Fold, what: &str) -> Result<(), TrainError> {
    let end = if count == 1 { "" } else { "s" };
    match fold.count as usize > count {
        true => Err(refuse(format!("{count} {what}{end} are too few for {} folds", fold.count))),
        false => Ok(()),
    }
}

/// The last rows; of folds, parts of the same size that follow each other at the end, each of which
/// is held out of all rows up to its own.
fn last(rows: usize, part: Portion) -> Result<Range<usize>, TrainError> {
    match part {
        Portion::Share(_) => Ok(rows - places(rows, part, "row")?.len()..rows),
        Portion::Fold(fold) => {
            let size = rows / (fold.count as usize + 1);
            if size == 0 {
                let count = fold.count;
                return Err(refuse(format!(
                    "{rows} rows are too few for {count} folds in their order, which take one row \
                     more than there are folds"
                )));
            }
            let end = rows - size * (fold.count - 1 - fold.index) as usize;
            Ok(end - size..end)
        }
    }
}

/// Of a share, so many groups at random. Of folds, each takes the next group, the largest first,
/// into the one with the fewest rows.
fn by_group(order: &[u32], groups: &[u32], part: Portion) -> Result<Sides, TrainError> {
    let count = groups.iter().max().map_or(0, |most| *most as usize + 1);
    let mut sizes = vec![0_usize; count];
    let mut in_order = Vec::with_capacity(count);
    for &row in order {
        let group = groups[row as usize] as usize;
        if sizes[group] == 0 {
            in_order.push(group);
        }
        sizes[group] += 1;
    }
    let mut held = vec![false; count];
    match part {
        Portion::Share(_) => {
            for &group in &in_order[places(count, part, "group")?] {
                held[group] = true;
            }
        }
        Portion::Fold(fold) => {
            check_folds(count, fold, "group")?;
            in_order.sort_by_key(|&group| std::cmp::Reverse(sizes[group])); // a stable sort
            let mut rows = vec![0; fold.count as usize];
            for group in in_order {
                let least = (0..rows.len()).min_by_key(|&fold| rows[fold]).unwrap_or(0);
                rows[least] += sizes[group];
                held[group] = least == fold.index as usize;
            }
        }
    }
    Ok(sides(order, |row| held[groups[row] as usize]))
}

/// Of a share, each class has the rows that it has a right to, rounded down, and the classes with
/// the largest remainders one more each. Of folds, the rows of one class after the other are dealt
/// out in turn.
fn by_class(order: &[u32], labels: &Labels, part: Portion) -> Result<Sides, TrainError> {
    let Labels { of_row, names } = labels;
    let mut sizes = vec![0_usize; names.len()];
    of_row.iter().for_each(|&class| sizes[class as usize] += 1);
    if let Some(class) = sizes.iter().position(|&size| size == 1) {
        let name = &names[class];
        return Err(refuse(format!(
            "the class {name} has one row, and by class each needs a row on either side: add rows \
             of it, or hold out without `by: class`"
        )));
    }
    let mut held = vec![false; of_row.len()];
    match part {
        Portion::Share(share) => {
            let (rows, classes) = (order.len(), names.len());
            let total = places(rows, part, "row")?.len();
            if total.min(rows - total) < classes {
                return Err(refuse(format!(
                    "a share of {share} holds out {total} of {rows} rows, and by class each side \
                     needs a row of {classes} classes"
                )));
            }
            let mut counts: Vec<usize> = sizes.iter().map(|size| size * total / rows).collect();
            let mut by_rest: Vec<usize> = (0..classes).collect();
            by_rest.sort_by_key(|&class| std::cmp::Reverse(sizes[class] * total % rows));
            let missing = total - counts.iter().sum::<usize>();
            by_rest[..missing].iter().for_each(|&class| counts[class] += 1);
            for &row in order {
                let left = &mut counts[of_row[row as usize] as usize];
                held[row as usize] = *left > 0;
                *left = left.saturating_sub(1);
            }
        }
        Portion::Fold(fold) => {
            check_folds(order.len(), fold, "row")?;
            let mut dealt = order.to_vec();
            dealt.sort_by_key(|&row| of_row[row as usize]); // a stable sort
            let own = dealt.iter().skip(fold.index as usize).step_by(fold.count as usize);
            own.for_each(|&row| held[row as usize] = true);
        }
    }
    Ok(sides(order, |row| held[row]))
}

fn sides(order: &[u32], held: impl Fn(usize) -> bool) -> Sides {
    let held = order.iter().copied().filter(|&row| held(row as usize)).collect();
    without(order.len() as u32, held)
}

/// The rows that are not held, and those that are.
fn without(rows: u32, mut held: Vec<u32>) -> Sides {
    held.sort_unstable();
    (Chosen::new(rows, &held), held)
}

fn refuse(message: String) -> TrainError {
    TrainError::Settings(message)
}
