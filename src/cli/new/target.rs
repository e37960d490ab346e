//! What a column is as a target: classes, or a number.

use arenet::internals::runtime::data::profile::{ColumnProfile, Profile};

use super::choose::{styles, title};
use super::names::fits_string;
use crate::failure::{Failure, Kind};

/// What is predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One of these classes.
    Classes(Classes),
    /// A number. Words among them stand for missing ones; the numbers may be so few whole ones that
    /// they might be classes.
    Number { strays: Vec<String>, few: bool },
}

/// Classes, as the language writes them.
#[derive(Clone, Debug, PartialEq)]
pub enum Classes {
    /// Whole numbers without a gap, the end not included.
    Range(i64, i64),
    /// Words, or numbers as they are written.
    Names(Vec<String>),
}

/// The most classes.
const MAX_CLASSES: usize = 1000;
/// More whole numbers than this are an amount.
const MAX_FEW: usize = 20;

impl Classes {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Classes::Range(first, end) => (end - first) as usize,
            Classes::Names(names) => names.len(),
        }
    }
}

/// What a column is as a target; whether that is classes may be said.
pub fn target(
    table: &Profile,
    place: usize,
    said: Option<bool>,
    file: &str,
) -> Result<Target, Failure> {
    let (column, rows) = (&table.columns[place], table.rows);
    let fail = |what: String, help: &str| {
        let text = format!("{file}: the target `{}` {what}", title(table, place));
        Err(Failure::new(Kind::Data, text).help(help))
    };
    const OTHER: &str = "name another column with --target";
    const TASK: &str = "leave out --task, or name another column with --target";
    let given = rows - column.missing;
    if column.nested {
        return fail("holds lists".to_string(), OTHER);
    }
    if given == 0 {
        return fail("is missing in every row".to_string(), OTHER);
    }
    if column.foreign > 0 {
        return fail(
            "is not UTF-8".to_string(),
            "save the table as UTF-8: iconv -f LATIN1 -t UTF-8 FILE > CSV",
        );
    }
    if column.distinct == 1 {
        let value = &column.values[0].0;
        return fail(format!("is \"{value}\" in every row: there is nothing to learn"), OTHER);
    }
    let words = column.words(rows);
    let is_number = column.numbers * 10 > given * 9 && column.strays.len() < 8;
    if said != Some(true)
        && words == given
        && let [style, ..] = styles(table, column)[..]
    {
        let what = format!("has values such as \"{}\"", column.strays[0]);
        let help =
            format!("if they are numbers, say --numbers {style}, and if not: --task classes");
        return fail(what, &help);
    }
    let classes = said.unwrap_or_else(|| !is_number || are_classes(table, place));
    if !classes && !is_number {
        let word = column.strays.first().map_or("", String::as_str);
        return fail(format!("has words such as \"{word}\", which are no numbers"), TASK);
    }
    if !classes {
        let mut strays = if words > 0 { column.strays.clone() } else { Vec::new() };
        strays.retain(|word| fits_string(word));
        strays.sort();
        let few = words == 0 && column.whole && column.distinct <= MAX_FEW;
        return Ok(Target::Number { strays, few });
    }
    if words == given && column.distinct as u64 * 2 > given && column.distinct > MAX_FEW {
        let what = match column.repeats {
            false => "has another word in each row".to_string(),
            true => format!("has {} words in {given} rows", column.distinct),
        };
        return fail(format!("{what}: there are no classes to learn"), OTHER);
    }
    if column.distinct > MAX_CLASSES {
        let what = format!("has {} values, more than {MAX_CLASSES} classes", column.distinct);
        return fail(what, "join rare ones, or name another column with --target");
    }
    if column.values.iter().any(|(value, _)| value.is_empty() || !fits_string(value)) {
        let what = "has words that cannot be classes: longer than 100 characters, or unprintable";
        return fail(what.to_string(), "write short words in the table");
    }
    Ok(Target::Classes(as_classes(column, rows)))
}

/// The classes, in the order of their numbers or letters.
fn as_classes(column: &ColumnProfile, rows: u64) -> Classes {
    let mut names: Vec<String> = column.values.iter().map(|(value, _)| value.clone()).collect();
    if column.words(rows) > 0 {
        names.sort();
        return Classes::Names(names);
    }
    let (low, high) = column.range;
    if column.whole && high - low + 1.0 == column.distinct as f64 && low.abs() < 1e9 {
        return Classes::Range(low as i64, high as i64 + 1);
    }
    let number = |name: &String| name.parse::<f64>().unwrap_or(f64::NAN);
    names.sort_by(|a, b| number(a).total_cmp(&number(b)));
    Classes::Names(names)
}

/// Whether numbers are names of classes rather than amounts. Two are; more than twenty, or those
/// with digits behind the point, are not; three that count from 0 or 1 are. Of others that are
/// whole, amounts have a middle that is most frequent, and the other columns rise or fall with
/// them; classes in no order do neither.
fn are_classes(table: &Profile, place: usize) -> bool {
    let column = &table.columns[place];
    if column.words(table.rows) > 0 || !column.whole && column.distinct > 2 {
        return false;
    }
    let (low, high) = column.range;
    let counts_up = (0.0..=1.0).contains(&low) && high - low + 1.0 == column.distinct as f64;
    match column.distinct {
        ..=2 => true,
        3 if counts_up => true,
        4..=MAX_FEW => order(table, place) < if is_hill(column) { 0.6 } else { 0.9 },
        _ => false,
    }
}

/// Whether the counts of the values rise to the most frequent one and then fall, but for chance.
fn is_hill(column: &ColumnProfile) -> bool {
    let mut counts: Vec<(f64, f64)> = (column.values.iter())
        .map(|(value, count)| (value.parse().unwrap_or(f64::NAN), *count as f64))
        .collect();
    counts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let counts: Vec<f64> = counts.into_iter().map(|(_, count)| count).collect();
    let top = (0..counts.len()).max_by(|&a, &b| counts[a].total_cmp(&counts[b])).unwrap_or(0);
    // Counts differ by chance by about the root of their sum.
    let rises = |a: f64, b: f64| b + 2.0 * (a + b).sqrt() >= a;
    let up = counts[..=top].windows(2).all(|pair| rises(pair[0], pair[1]));
    let down = counts[top..].windows(2).all(|pair| rises(pair[1], pair[0]));
    let (least, most) = counts.iter().fold((f64::MAX, 0.0_f64), |(l, m), &c| (l.min(c), m.max(c)));
    up && down && most > 2.0 * least
}

/// Of what the values of the target explain of the other columns of numbers, the share that a
/// straight line explains: near 1 where the values have an order, near 0 where they are names.
fn order(table: &Profile, place: usize) -> f64 {
    let target = &table.columns[place].sample;
    let (mut by_line, mut by_value) = (0.0, 0.0);
    for (other, column) in table.columns.iter().enumerate() {
        if other != place && column.words(table.rows) == 0 && column.distinct > 1 {
            let (line, value) = explained(target, &column.sample);
            by_line += line.max(0.0);
            by_value += value.max(0.0);
        }
    }
    // Where they explain nothing, the counts of the values decide.
    if by_value > 0.05 { (by_line / by_value).min(1.0) } else { 0.75 }
}

/// The shares of the variance of `ys` that a line over `xs` explains, and that the means at each
/// value of `xs` explain; both less what chance alone explains.
fn explained(xs: &[f64], ys: &[f64]) -> (f64, f64) {
    let pairs: Vec<(f64, f64)> = xs.iter().copied().zip(ys.iter().copied()).collect();
    let pairs: Vec<&(f64, f64)> = pairs.iter().filter(|(x, y)| !(x + y).is_nan()).collect();
    let n = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(|pair| of(pair)).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    let mut groups: Vec<(f64, f64, f64)> = Vec::new();
    for (x, y) in pairs {
        let (dx, dy) = (x - mean_x, y - mean_y);
        (xx, xy, yy) = (xx + dx * dx, xy + dx * dy, yy + dy * dy);
        match groups.iter_mut().find(|(value, ..)| value == x) {
            Some((_, count, sum)) => (*count, *sum) = (*count + 1.0, *sum + dy),
            None => groups.push((*x, 1.0, dy)),
        }
    }
    let k = groups.len() as f64;
    if xx <= 0.0 || yy <= 0.0 || n <= k {
        return (0.0, 0.0);
    }
    let between: f64 = groups.iter().map(|(_, count, sum)| sum * sum / count).sum();
    let adjusted = |share: f64, values: f64| 1.0 - (1.0 - share) * (n - 1.0) / (n - values);
    (adjusted(xy * xy / (xx * yy), 2.0), adjusted(between / yy, k))
}
