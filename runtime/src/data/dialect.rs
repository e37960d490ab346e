//! How a table of text separates and quotes its fields, by its first two lines.
//!
//! The separator is a semicolon, a tab, a vertical bar or a comma, if the first line has one
//! outside quotes, and otherwise runs of blanks, as files of numbers in columns have them. Quotes
//! are double, or single where fields stand in these.

use memchr::memchr;

use super::field::is_number;

/// How the fields of a line are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    separator: Separator,
    /// What fields with separators in them stand in.
    pub quote: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Byte(u8),
    /// One blank or more, which become a tab.
    Blanks,
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect { separator: Separator::Byte(b','), quote: b'"' }
    }
}

impl Dialect {
    /// The dialect of a table that begins with these lines; the second one is there if it has
    /// arrived already.
    pub fn of(first: &[u8], second: Option<&[u8]>) -> Dialect {
        let quote = quote_of([Some(first), second].into_iter().flatten());
        let count = |byte: u8| outside(first, quote).filter(|&at| first[at] == byte).count();
        let [semicolons, tabs, bars, commas] = [b';', b'\t', b'|', b','].map(count);
        let is_aligned = || has_runs(first, quote) && blanks(first, quote) > tabs + 1;
        let separator = match () {
            () if semicolons > 0 => Separator::Byte(b';'),
            () if tabs > 0 && commas == 0 && is_aligned() => Separator::Blanks,
            () if tabs > 0 => Separator::Byte(b'\t'),
            () if bars > 0 && bars >= commas => Separator::Byte(b'|'),
            () if commas > 0 => Separator::Byte(b','),
            () if is_in_columns(first, second, quote) => Separator::Blanks,
            () => Separator::Byte(b','),
        };
        Dialect { separator, quote }
    }

    /// The byte between fields in a line that has been tidied.
    pub fn separator(self) -> u8 {
        match self.separator {
            Separator::Byte(byte) => byte,
            Separator::Blanks => b'\t',
        }
    }

    /// The separator, as a message names it.
    pub fn name(self) -> &'static str {
        match self.separator {
            Separator::Byte(b';') => "a semicolon",
            Separator::Byte(b'\t') => "a tab",
            Separator::Byte(b'|') => "a vertical bar",
            Separator::Byte(_) => "a comma",
            Separator::Blanks => "blanks",
        }
    }

    /// Whether a byte is white space in a line, and no separator.
    pub fn is_space(self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\n' | b'\r')
            || byte == b'\t' && self.separator != Separator::Byte(b'\t')
    }

    /// Brings a line into the form that a parser of separated values takes: a tab for each run of
    /// blanks, if these separate, and no blanks around quotes. `in_quotes` says whether the line
    /// begins within a quoted field, and then whether the next one does. Whether the line has no
    /// quotes, and so its separators are all that has a meaning.
    pub fn tidy(self, line: &mut Vec<u8>, in_quotes: &mut bool) -> bool {
        let is_plain = !*in_quotes && memchr(self.quote, line).is_none();
        if is_plain && self.separator != Separator::Blanks {
            return true;
        }
        let is_blank = |byte: u8| byte != b'\n' && self.is_space(byte);
        let separates = |byte: u8| match self.separator {
            Separator::Byte(separator) => byte == separator,
            Separator::Blanks => is_blank(byte),
        };
        // The next place behind blanks; the line ends with LF.
        let next = |line: &[u8], at: usize| {
            line[at..].iter().position(|byte| !is_blank(*byte)).map_or(line.len(), |more| at + more)
        };
        let (mut from, mut to, mut begins, mut was_quoted) = (0, 0, true, false);
        while from < line.len() {
            let byte = line[from];
            let behind = if is_blank(byte) { next(line, from) } else { from };
            let follows = line.get(behind).copied().unwrap_or(b'\n');
            from += 1;
            if *in_quotes {
                let is_doubled = byte == self.quote && line.get(from) == Some(&self.quote);
                if is_doubled {
                    line[to] = byte;
                    (from, to) = (from + 1, to + 1);
                } else if byte == self.quote {
                    (*in_quotes, was_quoted) = (false, true);
                }
            } else if self.separator == Separator::Blanks && is_blank(byte) {
                from = behind;
                if to == 0 || follows == b'\n' {
                    continue;
                }
                (begins, was_quoted) = (true, false);
                line[to] = b'\t';
                to += 1;
                continue;
            } else if begins && is_blank(byte) && follows == self.quote
                || was_quoted && is_blank(byte) && (separates(follows) || follows == b'\n')
            {
                from = behind;
                continue;
            } else if begins && byte == self.quote {
                (*in_quotes, begins) = (true, false);
            } else if separates(byte) {
                (begins, was_quoted) = (true, false);
            } else {
                begins = begins && is_blank(byte);
            }
            line[to] = byte;
            to += 1;
        }
        line.truncate(to);
        is_plain
    }
}

/// A single quote, if a field stands in these and none in double ones.
fn quote_of<'l>(lines: impl Iterator<Item = &'l [u8]> + Clone) -> u8 {
    let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| b" ,;|\t\r\n".contains(byte));
    let stands_in_single = |line: &[u8]| {
        let opens = |at: usize| {
            line[at] == b'\'' && is_end(at.checked_sub(1).and_then(|before| line.get(before)))
        };
        let closes = |at: usize| line[at] == b'\'' && is_end(line.get(at + 1));
        let opened = (0..line.len()).find(|&at| opens(at));
        opened.is_some_and(|opened| (opened + 1..line.len()).any(closes))
    };
    let has_double = lines.clone().any(|line| line.contains(&b'"'));
    let mut lines = lines;
    if !has_double && lines.any(stands_in_single) { b'\'' } else { b'"' }
}

/// The places of a line that are not within quotes.
fn outside(line: &[u8], quote: u8) -> impl Iterator<Item = usize> {
    let mut in_quotes = false;
    (0..line.len()).filter(move |&at| {
        in_quotes ^= line[at] == quote;
        !in_quotes
    })
}

/// How many fields blanks would make of a line.
fn blanks(line: &[u8], quote: u8) -> usize {
    fields(line, quote).count()
}

/// The fields that blanks make of a line.
fn fields(line: &[u8], quote: u8) -> impl Iterator<Item = &[u8]> {
    let mut in_quotes = false;
    let is_between = move |byte: &u8| {
        in_quotes ^= *byte == quote;
        !in_quotes && byte.is_ascii_whitespace()
    };
    line.split(is_between).filter(|field| !field.is_empty())
}

/// Whether more than one blank stands between two fields.
fn has_runs(line: &[u8], quote: u8) -> bool {
    let line = line.trim_ascii();
    let pair = |at: usize| line[at] == b' ' && line.get(at + 1) == Some(&b' ');
    outside(line, quote).any(pair)
}

/// Whether blanks separate the fields of a line that has no other separator: there are runs of
/// them, or numbers between them, here or in as many fields of the next line.
fn is_in_columns(first: &[u8], second: Option<&[u8]>, quote: u8) -> bool {
    let count = blanks(first, quote);
    let is_numeric = |line: &[u8]| {
        fields(line, quote).any(|field| std::str::from_utf8(field).is_ok_and(is_number))
    };
    let second = second.filter(|second| blanks(second, quote) == count);
    count > 1 && (has_runs(first, quote) || is_numeric(first) || second.is_some_and(is_numeric))
}
