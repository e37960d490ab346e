//! What was found in a table, as a table for people: a line for each column, 80 columns wide.

use arenet::internals::runtime::data::profile::ColumnProfile;
use arenet::internals::runtime::program::text::escaped_start;

use super::choose::{Fate, Number, Plan, title};
use super::target::Target;
use super::write::short;
use crate::units::{columns, count, plural};

/// The most characters of a name, and of what is in a column.
const NAME: usize = 20;
const CONTENT: usize = 27;
/// The most characters of a reason.
const WHY: usize = 57;
/// The most columns that are listed.
const MOST: usize = 60;

/// A line for each column, the target first, and then for each that is left out.
pub fn report(plan: &Plan<'_>) -> String {
    let is_left = |place: &usize| matches!(plan.fates[*place], Fate::Left(_));
    let (left, used): (Vec<usize>, Vec<usize>) = (0..plan.fates.len()).partition(is_left);
    let others = used.into_iter().filter(|&place| place != plan.target_column);
    let used: Vec<usize> = [plan.target_column].into_iter().chain(others).collect();
    let head = ["column", "kind", "range or words", "missing", "becomes"];
    let mut text = table(&head, &used, |place| line(plan, place));
    if !left.is_empty() {
        text.push('\n');
        text.push_str(&table(&["left out", "why"], &left, |place| match &plan.fates[place] {
            Fate::Left(why) => vec![cut(&title(plan.table, place), NAME), cut(why, WHY)],
            _ => Vec::new(),
        }));
    }
    text
}

/// A line for each of these columns, as far as they are listed.
fn table(head: &[&str], places: &[usize], line: impl Fn(usize) -> Vec<String>) -> String {
    let mut lines = vec![head.iter().map(|title| title.to_string()).collect()];
    lines.extend(places.iter().take(MOST).map(|&place| line(place)));
    let numbers = [false, false, false, true, false];
    let mut text = columns(&lines, &numbers[..head.len()]);
    if let Some(more @ 1..) = places.len().checked_sub(MOST) {
        text.push_str(&format!("... and {}\n", plural(more as u64, "more column")));
    }
    text
}

fn line(plan: &Plan<'_>, place: usize) -> Vec<String> {
    let column = &plan.table.columns[place];
    let words = || content(column);
    let range = || format!("{} to {}", short(column.range.0), short(column.range.1));
    let cells = |kind: &str, content: String, becomes: String| {
        let missing = match &plan.fates[place] {
            Fate::Word(_) => column.missing,
            _ => column.missing + strays(plan, place),
        };
        let missing = if missing == 0 { String::new() } else { count(missing) };
        vec![
            cut(&title(plan.table, place), NAME),
            kind.to_string(),
            cut(&content, CONTENT),
            missing,
            becomes,
        ]
    };
    match (&plan.fates[place], &plan.target) {
        (Fate::Target, Target::Classes(classes)) => {
            let becomes = format!("target: {}", classes_of(classes.count()));
            cells("classes", words(), becomes)
        }
        (Fate::Target, Target::Number { .. }) => cells("number", range(), "target".to_string()),
        (Fate::Number(number), _) => cells("number", range(), prepared(number)),
        (Fate::Word(word), _) => cells(
            if is_boolean(&word.words) { "boolean" } else { "words" },
            words(),
            match word.embedding {
                None => "one_hot".to_string(),
                Some(width) => format!("embedding({width})"),
            },
        ),
        (Fate::Left(_), _) => Vec::new(),
    }
}

fn strays(plan: &Plan<'_>, place: usize) -> u64 {
    match (&plan.fates[place], &plan.target) {
        (Fate::Target, Target::Classes(_)) => 0,
        _ => plan.table.columns[place].words(plan.table.rows),
    }
}

fn classes_of(count: usize) -> String {
    plural(count as u64, "class").replace("classs", "classes")
}

fn is_boolean(words: &[String]) -> bool {
    const PAIRS: [[&str; 2]; 4] = [["false", "true"], ["no", "yes"], ["n", "y"], ["f", "t"]];
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    PAIRS.iter().any(|pair| lower == pair)
}

fn prepared(number: &Number) -> String {
    match number {
        Number { is_skewed: true, .. } => "log1p".to_string(),
        Number { clip: Some(_), .. } => "clip, standardize".to_string(),
        _ => "standardize".to_string(),
    }
}

/// How many values, if they are not few, and the most frequent ones.
fn content(column: &ColumnProfile) -> String {
    let mut values: Vec<&(String, u64)> = column.values.iter().collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let count = column.distinct;
    let mut text = if count > 3 { format!("{count}: ") } else { String::new() };
    for (index, (value, _)) in values.iter().enumerate() {
        let end = if index + 1 == count { "" } else { ", ..." };
        let comma = if index == 0 { "" } else { ", " };
        let value = escaped_start(value, CONTENT);
        if index > 0 && [&text, comma, &value, end].map(chars).iter().sum::<usize>() > CONTENT {
            return text + ", ...";
        }
        text.push_str(comma);
        text.push_str(&value);
    }
    text
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

/// At most so many characters of a text, which is escaped.
fn cut(text: &str, most: usize) -> String {
    let shown = escaped_start(text, most);
    match shown.chars().count() {
        long if long > most => shown.chars().take(most - 3).chain("...".chars()).collect(),
        _ => shown,
    }
}
