//! What becomes of each column of a table: a number, a word, the target, or nothing.

use arenet::internals::runtime::data::NumberStyle;
use arenet::internals::runtime::data::profile::{ColumnProfile, Profile};
use arenet::internals::runtime::data::twin::is_linear;

use super::names::fits_string;
use super::target::Target;

/// What a table is to a net that is made for it.
pub struct Plan<'a> {
    /// The table.
    pub table: &'a Profile,
    /// What becomes of each column.
    pub fates: Vec<Fate>,
    /// The column that is predicted.
    pub target_column: usize,
    /// What is predicted.
    pub target: Target,
}

/// What becomes of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is what the net predicts.
    Target,
    /// An input of numbers.
    Number(Number),
    /// An input of words.
    Word(Word),
    /// Nothing, because.
    Left(String),
}

/// How numbers are prepared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Number {
    /// By their logarithm: most are small and some very large.
    pub is_skewed: bool,
    /// Cut to this range: a few are far from all others.
    pub clip: Option<(f64, f64)>,
    /// Beside a column that says which are missing.
    pub is_partial: bool,
    /// Words among them, which stand for missing ones.
    pub strays: Vec<String>,
}

/// How words are prepared.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Those that are told apart, in the order of their letters.
    pub words: Vec<String>,
    /// The numbers that each stands for, where these are learned; else it is one of them all.
    pub embedding: Option<usize>,
}

/// The most words of a column that are told apart, and the most that are one number each.
const MAX_WORDS: usize = 100;
const MAX_ONE_HOT: usize = 16;
/// Words and patterns of fewer rows than this say nothing.
const FEW_ROWS: u64 = 10;

impl<'a> Plan<'a> {
    /// Decides for all columns, the target's among them.
    pub fn new(table: &'a Profile, target_column: usize, target: Target) -> Plan<'a> {
        let mut fates: Vec<Fate> = Vec::new();
        for place in 0..table.columns.len() {
            let fate = match place == target_column {
                true => Fate::Target,
                false => {
                    twin(table, &fates, place, target_column).unwrap_or_else(|| fate(table, place))
                }
            };
            fates.push(fate);
        }
        Plan { table, fates, target_column, target }
    }

    /// Why columns are left out, of the first so many.
    pub fn reasons(&self, most: usize) -> String {
        let left = self.fates.iter().enumerate().filter_map(|(place, fate)| match fate {
            Fate::Left(why) => Some(format!("{} ({why})", title(self.table, place))),
            _ => None,
        });
        let mut reasons: Vec<String> = left.collect();
        if reasons.len() > most {
            reasons.splice(most.., [format!("{} more", reasons.len() - most)]);
        }
        reasons.join(", ")
    }

    /// The columns that are inputs, as the kind that `of` finds.
    pub fn inputs<'p, T>(
        &'p self,
        of: impl Fn(&'p Fate) -> Option<T> + 'p,
    ) -> impl Iterator<Item = (usize, T)> + 'p {
        let fates = self.fates.iter().enumerate();
        fates.filter_map(move |(place, fate)| of(fate).map(|kind| (place, kind)))
    }
}

impl Fate {
    /// The number that it is.
    pub fn number(&self) -> Option<&Number> {
        match self {
            Fate::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The word that it is.
    pub fn word(&self) -> Option<&Word> {
        match self {
            Fate::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// What messages call a column: its name, or its place.
pub fn title(table: &Profile, place: usize) -> String {
    match table.header.as_ref().map(|names| names[place].as_str()) {
        Some(name) if !name.is_empty() => name.to_string(),
        _ => format!("column {place}"),
    }
}

/// Left out because it says the same as the target, or as a column that is used already.
fn twin(table: &Profile, before: &[Fate], place: usize, target: usize) -> Option<Fate> {
    let used = |other: &usize| !matches!(before.get(*other), Some(Fate::Left(_)) | None);
    let others = [target].into_iter().chain((0..before.len()).filter(used));
    let mut twins = others.filter(|&other| is_twin(table, place, other));
    let what = match twins.next()? {
        other if other == target => "the target in other words".to_string(),
        other => format!("{} in other words", title(table, other)),
    };
    Some(Fate::Left(what))
}

/// Whether rows with the same value in one column have the same in the other, so that one is no
/// news beside the other. Numbers must be proportional for that, shifted or not: what is learned of
/// a number and of its square is not the same.
fn is_twin(table: &Profile, a: usize, b: usize) -> bool {
    let [a, b] = [a, b].map(|place| &table.columns[place]);
    let same_rows = a.pattern == b.pattern && !a.overflows && !b.overflows;
    let are_numbers = [a, b].iter().all(|column| column.numbers + column.missing == table.rows);
    match are_numbers && a.distinct > 2 {
        true => a.missing == b.missing && is_linear(&a.sample, &b.sample),
        // Where values do not come again, all columns have one pattern.
        false => same_rows && a.distinct > 1 && table.rows >= a.distinct as u64 + FEW_ROWS,
    }
}

/// What becomes of an input column.
fn fate(table: &Profile, place: usize) -> Fate {
    let (column, rows) = (&table.columns[place], table.rows);
    let name = table.header.as_ref().map(|names| names[place].as_str());
    let left = |why: &str| Fate::Left(why.to_string());
    let given = rows - column.missing;
    let words = column.words(rows);
    // Most of them: a few may be written in another way.
    let mostly = |count: u64| count * 10 > given * 9;
    match () {
        () if column.nested => left("lists; give each of their values a column"),
        () if column.foreign > 0 => left("not UTF-8; iconv -f LATIN1 -t UTF-8 converts"),
        () if given == 0 => left("nothing in it"),
        () if column.distinct == 1 && (column.missing == 0 || given < FEW_ROWS) => {
            left("always the same")
        }
        () if is_id(column, name, rows) => left("an id"),
        () if mostly(column.numbers) && are_few(column, words) => {
            Fate::Number(number(column, rows))
        }
        () if mostly(column.dates) => left("dates; write numbers, such as the year"),
        () if mostly(column.dressed + column.numbers) => {
            Fate::Left(match styles(table, column)[..] {
                [] => "numbers with units such as % or $; write them plain".into(),
                [style] => format!("if they are numbers, say --numbers {style}"),
                [style, other, ..] => {
                    format!("if they are numbers, say --numbers {style} or {other}")
                }
            })
        }
        () if is_free(column, given) => match column.characters > 25 * words {
            true => left("free text"),
            false => left("most rows differ"),
        },
        () => word(column, given).map_or_else(|| left("no word comes twice"), Fate::Word),
    }
}

/// How the numbers of a column may be written: as all those of the table are, if there is a way.
pub fn styles(table: &Profile, column: &ColumnProfile) -> Vec<&'static str> {
    let own = |column: &ColumnProfile| match column.strays.is_empty() {
        true => Vec::new(),
        false => NumberStyle::of(&column.strays),
    };
    let alike = table.columns.iter().filter(|other| !own(other).is_empty());
    let all: Vec<&String> = alike.flat_map(|other| &other.strays).collect();
    match own(column) {
        found if found.is_empty() => found,
        found => Some(NumberStyle::of(&all)).filter(|all| !all.is_empty()).unwrap_or(found),
    }
}

/// Whether words among numbers are so few that each can be listed.
fn are_few(column: &ColumnProfile, words: u64) -> bool {
    words == 0 || column.strays.len() < 8 && column.strays.iter().all(|word| fits_string(word))
}

/// Whether a column tells rows apart and no more: it counts them, or has another value in each and
/// a name that says so.
fn is_id(column: &ColumnProfile, name: Option<&str>, rows: u64) -> bool {
    let (low, high) = column.range;
    let all_differ = !column.repeats && column.missing == 0 && rows >= FEW_ROWS;
    let counts = column.numbers == rows && column.whole && high - low + 1.0 == rows as f64;
    let named = name.is_some_and(is_named_id) && (column.whole || column.numbers == 0);
    all_differ && counts && (0.0..=1.0).contains(&low)
        || named && (all_differ || column.distinct as u64 * 2 > rows)
}

/// Whether a name is usually that of an id.
fn is_named_id(name: &str) -> bool {
    const NAMES: [&str; 9] = ["", "#", "index", "no", "nr", "row", "rowid", "uuid", "unnamed: 0"];
    let lower = name.to_lowercase();
    let ends = ["id", "Id", "ID"].iter().any(|end| {
        let before = name.strip_suffix(end).map(|start| start.chars().next_back());
        before.is_some_and(|last| match last {
            Some(last) => !last.is_alphanumeric() || last.is_lowercase() && *end != "id",
            None => true,
        })
    });
    NAMES.contains(&lower.as_str()) || ends
}

/// How numbers are prepared, by the sample.
fn number(column: &ColumnProfile, rows: u64) -> Number {
    let (low, high) = column.range;
    let sample: Vec<f64> = column.sample.iter().copied().filter(|x| !x.is_nan()).collect();
    let plain = skew(&sample);
    let is_skewed = low >= 0.0 && high >= 20.0 && plain > 2.0 && {
        let logs: Vec<f64> = sample.iter().map(|x| x.ln_1p()).collect();
        skew(&logs).abs() < plain / 1.5
    };
    let clip = if is_skewed { None } else { clip(sample, column.range) };
    let holes = column.missing + column.words(rows);
    let is_partial = holes >= FEW_ROWS && holes * 50 >= rows;
    Number { is_skewed, clip, is_partial, strays: strays(column, rows) }
}

/// A range that leaves nearly all numbers as they are, where a few are many times as far from the
/// middle half as that is wide. Ends that are no digits of the table are rounded to two.
fn clip(mut sample: Vec<f64>, (low, high): (f64, f64)) -> Option<(f64, f64)> {
    const FAR: f64 = 10.0;
    const KEPT: f64 = 5.0;
    sample.sort_by(f64::total_cmp);
    let quarter = |n: usize| sample.get(n * sample.len() / 4).copied().unwrap_or(0.0);
    let (first, third) = (quarter(1), quarter(3));
    let width = third - first;
    let inside = low >= first - FAR * width && high <= third + FAR * width;
    if width <= 0.0 || inside {
        return None;
    }
    let round = |x: f64| format!("{x:.1e}").parse().unwrap_or(x);
    let kept = (round(first - KEPT * width), round(third + KEPT * width));
    Some((kept.0.max(low), kept.1.min(high)))
}

/// The words in a column of numbers.
fn strays(column: &ColumnProfile, rows: u64) -> Vec<String> {
    let mut strays = if column.words(rows) > 0 { column.strays.clone() } else { Vec::new() };
    strays.sort();
    strays
}

/// How far numbers lean to one side: the third moment in deviations.
fn skew(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let moment = |n: i32| values.iter().map(|x| (x - mean).powi(n)).sum::<f64>() / count;
    let deviation = moment(2).sqrt();
    if deviation > 0.0 { moment(3) / deviation.powi(3) } else { 0.0 }
}

/// Whether the words of a column are names or texts rather than kinds of something.
fn is_free(column: &ColumnProfile, given: u64) -> bool {
    column.overflows || column.distinct > 12 && column.distinct as u64 * 4 > given
}

/// How words are prepared. What comes once is nothing that could be learned.
fn word(column: &ColumnProfile, given: u64) -> Option<Word> {
    let least = if column.distinct <= 8 && given < 20 * FEW_ROWS { 1 } else { 2 };
    let mut counted: Vec<&(String, u64)> = column
        .values
        .iter()
        .filter(|(word, count)| *count >= least && !word.is_empty() && fits_string(word))
        .collect();
    // The most frequent ones; ties by their letters.
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.truncate(MAX_WORDS);
    let mut words: Vec<String> = counted.into_iter().map(|(word, _)| word.clone()).collect();
    words.sort();
    let embedding = match words.len() {
        0 => return None,
        1..=MAX_ONE_HOT => None,
        17..=32 => Some(8),
        _ => Some(16),
    };
    Some(Word { words, embedding })
}
