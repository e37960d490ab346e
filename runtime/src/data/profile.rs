//! What the columns of a table hold that no model describes yet, found in one pass and in bounded
//! memory: numbers, words, dates, holes, and which columns are the same in other words.
//!
//! Of a column, values are told apart up to a number of them, whose memory is shared by all
//! columns, and a sample of whole rows is kept, from which a caller sees how values are spread.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::io::Read;
use std::path::PathBuf;
use std::slice;

use super::choice::{Words, methods};
use super::error::{DataError, did_you_mean, quoted, shown};
use super::field::is_missing;
use super::format::open;
use super::header::{empty, names, no_rows};
use super::numbers::NumberStyle;
use super::parts::{name_of, open_files};
use super::table::{Field, Row, Table, Terms};

/// The rows of the sample.
pub const SAMPLE_ROWS: usize = 4096;
/// The values of a column that are told apart, and of all columns together.
const MAX_CODES: usize = 20_000;
const MAX_ALL_CODES: usize = 2_000_000;
/// The values of a column that are kept as they are written, if they are not longer than this.
const MAX_VALUES: usize = 1000;
const MAX_VALUE_BYTES: usize = 100;
/// The words that are kept of a column, which may be one of numbers.
const MAX_STRAYS: usize = 8;

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// The rows, without the header.
    pub rows: u64,
    /// The names of the columns, where the first row has them.
    pub header: Option<Vec<String>>,
    /// The columns in order.
    pub columns: Vec<ColumnProfile>,
}

/// What a column of a table holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnProfile {
    /// Whether it holds lists, which are not looked at.
    pub nested: bool,
    /// The fields that stand for a missing value.
    pub missing: u64,
    /// The fields that are numbers.
    pub numbers: u64,
    /// The fields that are days, or times of a day.
    pub dates: u64,
    /// The fields that would be numbers without a sign such as `$`, `%` or `,`.
    pub dressed: u64,
    /// The fields that are no UTF-8.
    pub foreign: u64,
    /// The characters of all words.
    pub characters: u64,
    /// Whether all numbers are whole.
    pub whole: bool,
    /// The smallest number and the largest.
    pub range: (f64, f64),
    /// The mean of the numbers.
    pub mean: f64,
    /// The values with their counts as they appear, each as it was first written: the first
    /// thousand.
    pub values: Vec<(String, u64)>,
    /// How many different values there are; of more than 20,000, or a share of them in a wide
    /// table, so many.
    pub distinct: usize,
    /// The first words, as far as they are few.
    pub strays: Vec<String>,
    /// Whether there are more than can be told apart.
    pub overflows: bool,
    /// Whether a value that could be told apart came twice.
    pub repeats: bool,
    /// Equal where two columns without too many values are the same in other words: where rows have
    /// the same value in one of them, they have in the other. Missing values count as one.
    pub pattern: u64,
    /// Of each row of the sample the number, or NaN where it has none.
    pub sample: Vec<f64>,
}

impl Profile {
    /// The place of a column: by its name in the header, by its place from 0, or the `last`.
    /// Errors call the table `file`.
    ///
    /// # Errors
    /// No such column, or several of this name.
    pub fn find(&self, column: &str, file: &str) -> Result<usize, DataError> {
        let names = self.header.as_deref().unwrap_or_default();
        let mut places = (0..).zip(names).filter(|(_, name)| *name == column.trim());
        match (places.next(), places.next()) {
            (Some((place, _)), None) => return Ok(place),
            (Some((a, _)), Some((b, _))) => {
                let message = format!("there are several columns {}", quoted(column));
                let help = format!("choose one by its place from 0, such as {a} or {b}");
                return Err(DataError::new(file, message).with_help(help));
            }
            (None, _) => {}
        }
        let count = self.columns.len();
        match column.trim().parse::<usize>() {
            _ if column.trim() == "last" => Ok(count - 1),
            Ok(place) if place < count => Ok(place),
            _ => {
                let message = format!("there is no column {}", quoted(column));
                let candidates = names.iter().map(String::as_str).chain(["last"]);
                let meant = did_you_mean(column, candidates).map(|meant| meant + " ");
                let help = meant.unwrap_or_default() + &self.listed();
                Err(DataError::new(file, message).with_help(help))
            }
        }
    }

    /// A sentence that lists the columns.
    pub fn listed(&self) -> String {
        const SHOWN: usize = 12;
        let count = self.columns.len();
        let Some(names) = &self.header else {
            return match count {
                1 => "the one column is 0".to_string(),
                _ => format!("there is no header; the columns are 0 to {}", count - 1),
            };
        };
        let name = |(place, name): (usize, &String)| match name.is_empty() {
            true => place.to_string(),
            false => shown(name),
        };
        let mut listed: Vec<String> = names.iter().enumerate().take(SHOWN).map(name).collect();
        if let Some(more @ 1..) = count.checked_sub(SHOWN) {
            listed.push(format!("{more} more"));
        }
        format!("the columns are {}", listed.join(", "))
    }
}

impl ColumnProfile {
    /// The fields that are words.
    pub fn words(&self, rows: u64) -> u64 {
        rows - self.missing - self.numbers
    }
}

/// What is said of a table that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct ProfileSpec {
    /// Whether its first row is a header; found out where it is not said.
    pub header: Option<bool>,
    /// How its numbers are written.
    pub numbers: NumberStyle,
    /// The most bytes that may be held of the file.
    pub max_bytes: u64,
    /// How errors write what the caller may choose.
    pub words: Words,
}

impl Default for ProfileSpec {
    fn default() -> ProfileSpec {
        let numbers = NumberStyle::default();
        ProfileSpec { header: None, numbers, max_bytes: u64::MAX, words: methods }
    }
}

impl ProfileSpec {
    fn terms(&self) -> Terms {
        Terms { words: self.words, max_bytes: self.max_bytes }
    }
}

/// Looks at the table in these files, whose rows follow one another.
///
/// # Errors
/// A file that cannot be read as a table of text, or that has no rows.
pub fn profile_files(paths: &[PathBuf], spec: &ProfileSpec) -> Result<Profile, DataError> {
    let mut spec = *spec;
    if let ([first, _, ..], None) = (paths, spec.header) {
        // Others repeat its header, if it has one.
        spec.header = Some(profile_files(slice::from_ref(first), &spec)?.header.is_some());
    }
    profile_table(open_files(paths, spec.terms())?, &name_of(paths), &spec)
}

/// [`profile_files`] of a table that errors call `name`.
///
/// # Errors
/// As there.
pub fn profile(reader: impl Read, name: &str, spec: &ProfileSpec) -> Result<Profile, DataError> {
    profile_table(open(reader, name, spec.terms())?, name, spec)
}

fn profile_table(
    mut table: Box<dyn Table + '_>,
    name: &str,
    spec: &ProfileSpec,
) -> Result<Profile, DataError> {
    let ProfileSpec { header, numbers, words, .. } = *spec;
    if table.shape().is_some() {
        let error = DataError::new(name, "is an array, which has no names and no words");
        return Err(error.with_help("save it as CSV, with the targets as a column"));
    }
    if !table.advance()? {
        return Err(empty(name));
    }
    let first: Vec<String> = table.row().fields().map(|field| field.text().into_owned()).collect();
    let names = names(&*table, name);
    let has_names = table.has_names();
    let mut seen = Seen::new(first.len(), numbers);
    for (place, column) in seen.columns.iter_mut().enumerate() {
        column.found.nested = table.is_nested(place);
    }
    if let (Ok(names), true) = (&names, has_names || header == Some(true)) {
        table.set_header(names);
    }
    seen.read(&mut *table)?;
    if has_names || header.unwrap_or_else(|| seen.is_header(&first)) {
        let names = names?;
        return match seen.rows {
            0 => Err(no_rows(name, words)),
            _ => Ok(seen.finish(Some(names))),
        };
    }
    // A row is a row wherever it is counted.
    let text = first.concat();
    let ends: Vec<usize> = first
        .iter()
        .scan(0, |end, field| {
            *end += field.len();
            Some(*end)
        })
        .collect();
    seen.push(Row::Text { text: text.as_bytes(), ends: &ends, gap: 0 });
    Ok(seen.finish(None))
}

/// What was seen of a table so far.
struct Seen {
    rows: u64,
    columns: Vec<Column>,
    numbers: NumberStyle,
    /// The state of the random numbers that choose the sample.
    random: u64,
}

/// What was seen of a column so far.
struct Column {
    found: ColumnProfile,
    /// The place of each value that is told apart, by its hash.
    codes: HashMap<u64, u32, BuildHasherDefault<DefaultHasher>>,
    max_codes: usize,
    sum: f64,
}

/// What a field holds.
enum Value<'a> {
    Missing,
    Number(f64),
    Word(&'a str),
}

/// The code of a missing value, beside those of values.
const MISSING: u32 = u32::MAX;

impl Seen {
    fn new(columns: usize, numbers: NumberStyle) -> Seen {
        let max_codes = MAX_CODES.min(MAX_ALL_CODES / columns.max(1));
        let column = || Column {
            found: ColumnProfile {
                whole: true,
                range: (f64::INFINITY, f64::NEG_INFINITY),
                ..ColumnProfile::default()
            },
            codes: HashMap::default(),
            max_codes,
            sum: 0.0,
        };
        Seen { rows: 0, columns: (0..columns).map(|_| column()).collect(), numbers, random: 0 }
    }

    fn read(&mut self, table: &mut dyn Table) -> Result<(), DataError> {
        while table.advance()? {
            self.push(table.row());
        }
        Ok(())
    }

    fn push(&mut self, row: Row<'_>) {
        let slot = self.slot();
        for (column, field) in self.columns.iter_mut().zip(row.fields()) {
            let value = column.push(field, self.numbers);
            match slot {
                Some(slot) if slot == column.found.sample.len() => column.found.sample.push(value),
                Some(slot) => column.found.sample[slot] = value,
                None => {}
            }
        }
        self.rows += 1;
    }

    /// The place of the next row in the sample, if it has one: each row is in it with the same
    /// probability (algorithm R of Vitter, 1985).
    fn slot(&mut self) -> Option<usize> {
        if self.rows < SAMPLE_ROWS as u64 {
            return Some(self.rows as usize);
        }
        // splitmix64
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.random;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        let slot = (bits ^ bits >> 31) % (self.rows + 1);
        (slot < SAMPLE_ROWS as u64).then_some(slot as usize)
    }

    /// Whether these fields of the first row are names, by the rows after it: words above numbers,
    /// or words that do not come again in columns of words.
    fn is_header(&self, first: &[String]) -> bool {
        let (mut above, mut beside, mut again, mut words) = (0, 0, 0, 0);
        for (field, column) in first.iter().zip(&self.columns) {
            let found = &column.found;
            let field = &*self.numbers.plain_text(field);
            let is_word = matches!(value(field), Value::Word(_));
            words += usize::from(is_word);
            match found.numbers * 2 > found.words(self.rows) {
                true if is_word => above += 1,
                true => beside += usize::from(matches!(value(field), Value::Number(_))),
                false => again += usize::from(is_word && column.knows(field)),
            }
        }
        words > 0 && again == 0 && (beside == 0 || beside < above)
    }

    fn finish(self, header: Option<Vec<String>>) -> Profile {
        let columns = self.columns.into_iter().map(Column::finish).collect();
        Profile { rows: self.rows, header, columns }
    }
}

impl Column {
    /// Counts a field, and returns what stands for it in the sample.
    fn push(&mut self, field: Field<'_>, numbers: NumberStyle) -> f64 {
        let text = match field {
            Field::Text(bytes) => String::from_utf8_lossy(bytes),
            Field::Number(number) => number.to_string().into(),
        };
        if matches!((&text, field), (Cow::Owned(_), Field::Text(_))) {
            self.found.foreign += 1;
        }
        let text = numbers.plain_text(&text);
        match value(&text) {
            Value::Missing => {
                self.found.missing += 1;
                self.extend_pattern(MISSING);
                f64::NAN
            }
            Value::Number(number) => {
                self.found.numbers += 1;
                self.found.whole &= number.fract() == 0.0;
                let (low, high) = self.found.range;
                self.found.range = (low.min(number), high.max(number));
                self.sum += number;
                self.code(&(number + 0.0).to_bits(), text.trim());
                number
            }
            Value::Word(word) => {
                if word.starts_with(|c: char| c.is_ascii_digit() || is_dress(c) || c == '-') {
                    self.found.dates += u64::from(is_date(word));
                    self.found.dressed += u64::from(is_dressed(word));
                }
                self.found.characters += word.chars().count() as u64;
                let strays = &mut self.found.strays;
                if strays.len() < MAX_STRAYS && !strays.iter().any(|known| known == word) {
                    strays.push(word.to_string());
                }
                self.code(word, word);
                f64::NAN
            }
        }
    }

    /// Counts a value, by its place among the values as they appear, unless there are too many.
    fn code<T: Hash + ?Sized>(&mut self, value: &T, text: &str) {
        // Beyond that, no later value changes what is known.
        if self.found.overflows {
            return;
        }
        let (key, next) = (hash(value), self.codes.len());
        let code = match self.codes.get(&key) {
            Some(&code) => {
                self.found.repeats = true;
                code
            }
            None if next == self.max_codes => {
                self.found.overflows = true;
                return;
            }
            None => {
                self.codes.insert(key, next as u32);
                if next < MAX_VALUES {
                    let kept = text.len() <= MAX_VALUE_BYTES;
                    self.found.values.push((if kept { text } else { "" }.to_string(), 0));
                }
                next as u32
            }
        };
        if let Some((_, count)) = self.found.values.get_mut(code as usize) {
            *count += 1;
        }
        self.extend_pattern(code);
    }

    /// Two columns have the same pattern if their codes are the same in each row.
    fn extend_pattern(&mut self, code: u32) {
        // One round of FNV, a word at a time.
        let mixed = self.found.pattern ^ (u64::from(code) + 1);
        self.found.pattern = mixed.wrapping_mul(0x0000_0100_0000_01B3).rotate_left(23);
    }

    fn knows(&self, word: &str) -> bool {
        self.codes.contains_key(&hash(word.trim()))
    }

    fn finish(self) -> ColumnProfile {
        let mean = if self.found.numbers == 0 { 0.0 } else { self.sum / self.found.numbers as f64 };
        ColumnProfile { mean, distinct: self.codes.len(), ..self.found }
    }
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

/// What a field holds, as a port of numbers would read it.
fn value(text: &str) -> Value<'_> {
    let text = text.trim();
    let first = text.bytes().next();
    // Most numbers begin with a digit, and most words with a letter; `inf` is a word.
    let digit = first.is_some_and(|byte| byte.is_ascii_digit());
    if !digit && is_missing(text) {
        return Value::Missing;
    }
    let begins = digit || matches!(first, Some(b'+' | b'-' | b'.'));
    match begins.then(|| text.parse::<f64>()) {
        Some(Ok(number)) if (number as f32).is_finite() => Value::Number(number),
        _ => Value::Word(text),
    }
}

/// Whether a word is a day or a time of a day, in one of the usual forms: digits with `-`, `/` or
/// `.` between them twice, or with `:`.
fn is_date(word: &str) -> bool {
    let part = word.split([' ', 'T']).next().unwrap_or(word);
    let numbers = |separator: char| {
        let parts: Vec<&str> = part.split(separator).collect();
        let short = |part: &&str| {
            (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if parts.iter().all(short) { parts.len() } else { 0 }
    };
    ['-', '/', '.'].into_iter().any(|separator| numbers(separator) == 3)
        || (2..=3).contains(&numbers(':'))
}

/// Whether a word is a number with a sign of a currency or a percentage, or with commas.
fn is_dressed(word: &str) -> bool {
    let bare: String = word.chars().filter(|&c| !is_dress(c)).collect();
    bare.len() < word.len() && bare.trim().parse::<f64>().is_ok()
}

fn is_dress(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '%' | ',' | '\'' | '\u{a0}')
}
