//! Tables of text: splits a CSV stream into records, and knows the true line of each.
//!
//! The first lines say what separates fields (dialect.rs). Fields may be quoted; LF and CRLF, blank
//! lines and a byte order mark are read.
//!
//! `csv-core` splits a line into fields and removes the quotes. The lines are split here, so that
//! the line number is exact with CRLF and blank lines, the memory for a hostile line is bounded,
//! and a quote that is never closed is noticed.

use std::io::{self, BufRead, BufReader, Read};

use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};

use super::dialect::Dialect;
use super::error::{DataError, plural};

use super::table::{Format, Opened, Row, Table};

/// Text is what no other format takes and what has no zero bytes.
pub(super) const FORMAT: Format = Format { begins: |head| !head.contains(&0), open };

/// The most bytes in one record: a million columns of ten characters, and then some.
const MAX_RECORD_BYTES: usize = 16 << 20;

fn open<'r>(reader: Box<dyn Read + 'r>, name: &str) -> Opened<'r> {
    Ok(Box::new(Records::new(reader, name)))
}

/// The records of a stream, one at a time, in buffers that are reused.
struct Records<'r> {
    input: BufReader<Box<dyn Read + 'r>>,
    path: String,
    parser: csv_core::Reader,
    dialect: Dialect,
    /// Whether the line that comes next begins within quotes.
    in_quotes: bool,
    lines_read: u64,
    record_line: u64,
    line: Vec<u8>,
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
        Row::Text { text: &self.text, ends: &self.ends[..self.fields] }
    }

    fn line(&self) -> Option<u64> {
        Some(self.record_line)
    }
}

impl<'r> Records<'r> {
    fn new(reader: Box<dyn Read + 'r>, path: &str) -> Records<'r> {
        Records {
            input: BufReader::with_capacity(1 << 18, reader),
            path: path.to_string(),
            parser: csv_core::Reader::new(),
            dialect: Dialect::default(),
            in_quotes: false,
            lines_read: 0,
            record_line: 0,
            line: Vec::new(),
            text: Vec::new(),
            ends: Vec::new(),
            fields: 0,
            columns: None,
        }
    }

    /// Reads the next record; false at the end of the stream.
    fn next(&mut self) -> Result<bool, DataError> {
        loop {
            self.skip_blank_lines()?;
            let first = self.lines_read == 0;
            if !self.next_line(0)? {
                return Ok(false);
            }
            if first && self.line.starts_with(b"\xEF\xBB\xBF") {
                self.line.drain(..3);
            }
            if !self.is_blank() {
                break;
            }
        }
        if self.record_line == 0 {
            self.choose_dialect()?;
        }
        self.record_line = self.lines_read;
        self.split()?;
        Ok(true)
    }

    /// An error at the record's line.
    fn error(&self, message: impl Into<String>) -> DataError {
        DataError::new(&self.path, message).at_line(self.record_line)
    }

    /// Reads a line into `line`, ended by LF alone; false at the end of the stream. `held` bytes
    /// belong to the record already.
    fn next_line(&mut self, held: usize) -> Result<bool, DataError> {
        let room = MAX_RECORD_BYTES - held;
        self.line.clear();
        let read = self.input.by_ref().take(room as u64 + 1).read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| self.read_error(&error))?;
        if read == 0 {
            return Ok(false);
        }
        self.lines_read += 1;
        if read > room {
            let error = DataError::new(&self.path, "a row of more than 16 MiB");
            return Err(error
                .at_line(if held == 0 { self.lines_read } else { self.record_line })
                .with_help("a quote may be open, or this is no table of text"));
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
        }
        self.line.push(b'\n');
        Ok(true)
    }

    fn read_error(&self, error: &io::Error) -> DataError {
        let error = DataError::io(&self.path, error);
        if self.lines_read == 0 { error } else { error.at_line(self.lines_read + 1) }
    }

    /// Skips lines of white space, as far as they are in the buffer already.
    fn skip_blank_lines(&mut self) -> Result<(), DataError> {
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.read_error(&error)),
            };
            let text = buffer.iter().position(|byte| !self.dialect.is_space(*byte));
            let blank = &buffer[..text.unwrap_or(buffer.len())];
            let Some(end) = blank.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
            self.lines_read += blank[..=end].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.input.consume(end + 1);
        }
    }

    fn is_blank(&self) -> bool {
        self.line.iter().all(|byte| self.dialect.is_space(*byte))
    }

    /// Finds out what separates fields: by the line that has been read and the next one, as far as
    /// it has arrived with that.
    fn choose_dialect(&mut self) -> Result<(), DataError> {
        if self.line.contains(&b'\r') {
            let error = DataError::new(&self.path, "a carriage return inside the line");
            let error = error.at_line(self.lines_read);
            return Err(error.with_help("end the lines with LF or CRLF"));
        }
        let buffer = self.input.buffer();
        let end = buffer.iter().position(|byte| *byte == b'\n');
        self.dialect = Dialect::of(&self.line, end.map(|end| &buffer[..end]));
        // The lines are split already, so a carriage return is like any other byte to the parser.
        self.parser = ReaderBuilder::new()
            .delimiter(self.dialect.separator())
            .quote(self.dialect.quote)
            .terminator(Terminator::Any(b'\n'))
            .build();
        Ok(())
    }

    /// Splits `line`, and further lines where a quoted field holds a line end, into fields.
    fn split(&mut self) -> Result<(), DataError> {
        let (mut consumed, mut held, mut written) = (0, 0, 0);
        self.fields = 0;
        self.in_quotes = false;
        self.dialect.tidy(&mut self.line, &mut self.in_quotes);
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
                    if !self.next_line(held)? {
                        return Err(self.error("a quote is opened and never closed"));
                    }
                    self.dialect.tidy(&mut self.line, &mut self.in_quotes);
                }
            }
        }
    }
}
