//! Tables of text: splits a CSV stream into records, and knows the true line of each.
//!
//! The first lines say what separates fields (dialect.rs). Fields may be quoted; LF and CRLF, blank
//! lines and a byte order mark are read.
//!
//! `csv-core` splits a line into fields and removes the quotes. The lines are split here, so that
//! the line number is exact with CRLF and blank lines, the memory for a hostile line is bounded,
//! and a quote that is never closed is noticed.

use std::io::Read;
use std::mem;

use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};
use memchr::memchr_iter;

use super::dialect::Dialect;
use super::error::{DataError, plural};
use super::lines::Lines;
use super::table::{Format, Opened, Row, Source, Table};

/// Text is what no other format takes and what has no zero bytes.
pub(super) const FORMAT: Format = Format { begins: |head| !head.contains(&0), open };

fn open<'r>(source: Source<'r>, name: &str) -> Opened<'r> {
    Ok(Box::new(Records::new(source.reader, name)))
}

/// The records of a stream, one at a time, in buffers that are reused.
struct Records<'r> {
    lines: Lines<'r>,
    parser: csv_core::Reader,
    dialect: Dialect,
    /// Whether the line that comes next begins within quotes.
    in_quotes: bool,
    record_line: u64,
    line: Vec<u8>,
    /// The line that comes next, while it is read.
    coming: Vec<u8>,
    /// Whether the fields are those of `line`, with a separator between two; else those of `text`.
    is_plain: bool,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// The number of fields of the first record, and so of all others.
    columns: Option<usize>,
}

impl Table for Records<'_> {
    fn advance(&mut self) -> Result<bool, DataError> {
        if !self.next()? {
            return Ok(false);
        }
        let columns = *self.columns.get_or_insert(self.fields);
        if self.fields == columns {
            return Ok(true);
        }
        let found = self.fields;
        let error = self.error(format!("expected {}, found {found}", plural(columns, "column")));
        let separator = self.dialect.name();
        Err(error
            .with_help(format!("every row has the columns of the first, separated by {separator}")))
    }

    fn row(&self) -> Row<'_> {
        let ends = &self.ends[..self.fields];
        match self.is_plain {
            true => Row::Text { text: &self.line, ends, gap: 1 },
            false => Row::Text { text: &self.text, ends, gap: 0 },
        }
    }

    fn line(&self) -> Option<u64> {
        Some(self.record_line)
    }

    fn has_next(&self) -> bool {
        self.lines.has_text(|byte| self.dialect.is_space(byte))
    }
}

impl<'r> Records<'r> {
    fn new(reader: Box<dyn Read + 'r>, path: &str) -> Records<'r> {
        Records {
            lines: Lines::new(reader, path),
            parser: csv_core::Reader::new(),
            dialect: Dialect::default(),
            in_quotes: false,
            record_line: 0,
            line: Vec::new(),
            coming: Vec::new(),
            is_plain: false,
            text: Vec::new(),
            ends: Vec::new(),
            fields: 0,
            columns: None,
        }
    }

    /// Reads the next record; false at the end of the stream.
    fn next(&mut self) -> Result<bool, DataError> {
        loop {
            self.lines.skip_blank(|byte| self.dialect.is_space(byte))?;
            // The row that the table is at stays as it is while there is no other.
            if !self.lines.next(&mut self.coming)? {
                return Ok(false);
            }
            if !self.coming.iter().all(|byte| self.dialect.is_space(*byte)) {
                break;
            }
        }
        mem::swap(&mut self.line, &mut self.coming);
        if self.record_line == 0 {
            self.choose_dialect()?;
        }
        self.record_line = self.lines.read;
        self.split()?;
        Ok(true)
    }

    /// An error at the record's line.
    fn error(&self, message: impl Into<String>) -> DataError {
        self.lines.error(message).at_line(self.record_line)
    }

    /// Finds out what separates fields: by the line that has been read and the next one, as far as
    /// it has arrived with that.
    fn choose_dialect(&mut self) -> Result<(), DataError> {
        if self.line.contains(&b'\r') {
            let error = self.lines.error("a carriage return inside the line");
            let error = error.at_line(self.lines.read);
            return Err(error.with_help("end the lines with LF or CRLF"));
        }
        self.dialect = Dialect::of(&self.line, self.lines.arrived());
        // The lines are split already, so a carriage return is like any other byte to the parser.
        self.parser = ReaderBuilder::new()
            .delimiter(self.dialect.separator())
            .quote(self.dialect.quote)
            .terminator(Terminator::Any(b'\n'))
            .build();
        Ok(())
    }

    /// Splits `line` where it has no quotes, as most have none: nothing is copied.
    fn split_plain(&mut self) {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        self.ends.clear();
        self.ends.extend(memchr_iter(self.dialect.separator(), line));
        self.ends.push(line.len());
        self.fields = self.ends.len();
    }

    /// Splits `line`, and further lines where a quoted field holds a line end, into fields.
    fn split(&mut self) -> Result<(), DataError> {
        let (mut consumed, mut held, mut written) = (0, 0, 0);
        self.fields = 0;
        self.in_quotes = false;
        self.is_plain = self.dialect.tidy(&mut self.line, &mut self.in_quotes);
        if self.is_plain {
            self.split_plain();
            return Ok(());
        }
        loop {
            // The text is never longer than the input, and grows to the longest record only once.
            let needed = held + self.line.len();
            if self.text.len() < needed {
                self.text.resize(needed, 0);
            }
            let (result, read, wrote, ended) = self.parser.read_record(
                &self.line[consumed..],
                &mut self.text[written..],
                &mut self.ends[self.fields..],
            );
            consumed += read;
            written += wrote;
            self.fields += ended;
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => return Ok(()),
                ReadRecordResult::OutputEndsFull => {
                    self.ends.resize((self.ends.len() * 2).max(64), 0);
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2 + 64, 0),
                ReadRecordResult::InputEmpty => {
                    held += consumed;
                    consumed = 0;
                    if !self.lines.next_of_row(&mut self.line, held, self.record_line)? {
                        let error = self.error("a quote is opened and never closed");
                        return Err(
                            error.with_help("close it; a quote in a field is written twice")
                        );
                    }
                    self.dialect.tidy(&mut self.line, &mut self.in_quotes);
                }
            }
        }
    }
}
