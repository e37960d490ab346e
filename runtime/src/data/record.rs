//! Splits a CSV stream into records, and knows the true line of each.
//!
//! `csv-core` splits a line into fields and undoes the quotes. The lines are cut here, because only
//! then is the line number exact with CRLF and blank lines, the memory of a hostile line bounded,
//! and a quote that is never closed noticed.

use std::io::{self, BufRead, BufReader, Read};
use std::str;

use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};

use super::error::DataError;

/// The most bytes in one record: a million columns of ten characters, and then some.
const MAX_RECORD_BYTES: usize = 16 << 20;

/// The records of a stream, one at a time, in buffers that are used again.
pub(super) struct Records<R> {
    input: BufReader<R>,
    path: String,
    parser: csv_core::Reader,
    separator: u8,
    lines_read: u64,
    record_line: u64,
    line: Vec<u8>,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl<R: Read> Records<R> {
    pub fn new(reader: R, path: &str) -> Records<R> {
        Records {
            input: BufReader::with_capacity(1 << 18, reader),
            path: path.to_string(),
            parser: csv_core::Reader::new(),
            separator: b',',
            lines_read: 0,
            record_line: 0,
            line: Vec::new(),
            text: Vec::new(),
            ends: Vec::new(),
            fields: 0,
        }
    }

    /// Reads the next record; false at the end of the stream.
    pub fn advance(&mut self) -> Result<bool, DataError> {
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
            self.choose_separator()?;
        }
        self.record_line = self.lines_read;
        self.split()?;
        Ok(true)
    }

    /// The number of fields in the record.
    pub fn len(&self) -> usize {
        self.fields
    }

    /// The bytes of field `index`, without its quotes.
    pub fn field(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    /// The fields of the record as text.
    pub fn to_strings(&self) -> Result<Vec<String>, DataError> {
        let mut names = Vec::with_capacity(self.fields);
        for index in 0..self.fields {
            match str::from_utf8(self.field(index)) {
                Ok(name) => names.push(name.trim().to_string()),
                Err(_) => {
                    let mut error = self.error("the header is not valid UTF-8");
                    error.column = Some(index as u32 + 1);
                    return Err(error);
                }
            }
        }
        Ok(names)
    }

    /// The separator, as a message names it.
    pub fn separator_name(&self) -> &'static str {
        match self.separator {
            b';' => "a semicolon",
            b'\t' => "a tab",
            _ => "a comma",
        }
    }

    /// The line on which the record starts.
    pub fn line(&self) -> u64 {
        self.record_line
    }

    /// An error at the record's line.
    pub fn error(&self, message: impl Into<String>) -> DataError {
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

    /// Passes over lines of white space, as far as they are in the buffer already.
    fn skip_blank_lines(&mut self) -> Result<(), DataError> {
        let tab_is_space = self.separator != b'\t';
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.read_error(&error)),
            };
            let text = buffer.iter().position(|byte| !is_space(*byte, tab_is_space));
            let blank = &buffer[..text.unwrap_or(buffer.len())];
            let Some(end) = blank.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
            self.lines_read += blank[..=end].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.input.consume(end + 1);
        }
    }

    fn is_blank(&self) -> bool {
        let tab_is_space = self.separator != b'\t';
        self.line.iter().all(|byte| is_space(*byte, tab_is_space))
    }

    /// A semicolon or a tab separates if the first line has one outside quotes, else a comma.
    fn choose_separator(&mut self) -> Result<(), DataError> {
        if self.line.contains(&b'\r') {
            let error = DataError::new(&self.path, "a carriage return inside the line");
            let error = error.at_line(self.lines_read);
            return Err(error.with_help("end the lines with LF or CRLF"));
        }
        let mut in_quotes = false;
        for byte in &self.line {
            match byte {
                b'"' => in_quotes = !in_quotes,
                b';' | b'\t' if !in_quotes => {
                    self.separator = *byte;
                    break;
                }
                _ => {}
            }
        }
        // The lines are cut already, so a carriage return is as any other byte to the parser.
        self.parser = ReaderBuilder::new()
            .delimiter(self.separator)
            .terminator(Terminator::Any(b'\n'))
            .build();
        Ok(())
    }

    /// Splits `line`, and further lines where a quoted field holds a line end, into fields.
    fn split(&mut self) -> Result<(), DataError> {
        let (mut consumed, mut held, mut written) = (0, 0, 0);
        self.fields = 0;
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
                }
            }
        }
    }
}

/// White space, line ends included. A tab may be a separator, so it counts only before that is
/// known, or where the separator is another.
fn is_space(byte: u8, tab_is_space: bool) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r') || byte == b'\t' && tab_is_space
}
