//! The lines of a text, each of bounded length, with their numbers.

use std::io::{self, BufRead, BufReader, Read};

use super::error::DataError;

/// The most bytes in one row: a million columns of ten characters, and then some.
const MAX_ROW_BYTES: usize = 16 << 20;

/// The lines of a stream.
pub(super) struct Lines<'r> {
    input: BufReader<Box<dyn Read + 'r>>,
    path: String,
    /// How many have been read.
    pub read: u64,
}

impl<'r> Lines<'r> {
    /// The lines of what errors call `path`.
    pub fn new(reader: Box<dyn Read + 'r>, path: &str) -> Lines<'r> {
        let input = BufReader::with_capacity(1 << 18, reader);
        Lines { input, path: path.to_string(), read: 0 }
    }

    /// Reads a line, which then ends with LF alone, also where it ended with CRLF or with the
    /// stream; false at the end of that.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, DataError> {
        self.next_of_row(line, 0, 0)
    }

    /// The same for a line of a row that begins at line `first` and has so many bytes before.
    pub fn next_of_row(
        &mut self,
        line: &mut Vec<u8>,
        held: usize,
        first: u64,
    ) -> Result<bool, DataError> {
        let room = MAX_ROW_BYTES - held;
        line.clear();
        let read = self.input.by_ref().take(room as u64 + 1).read_until(b'\n', line);
        let read = read.map_err(|error| self.failed(&error))?;
        if read == 0 {
            return Ok(false);
        }
        self.read += 1;
        if read > room {
            let error = self.error("a row of more than 16 MiB");
            return Err(error
                .at_line(if held == 0 { self.read } else { first })
                .with_help("a quote may be open, or this is no table of text"));
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        line.push(b'\n');
        if self.read == 1 && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
        }
        Ok(true)
    }

    /// Skips lines of white space, as far as they have arrived.
    pub fn skip_blank(&mut self, is_space: impl Fn(u8) -> bool) -> Result<(), DataError> {
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(&error)),
            };
            let text = buffer.iter().position(|byte| !is_space(*byte));
            let blank = &buffer[..text.unwrap_or(buffer.len())];
            let Some(end) = blank.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
            self.read += blank[..=end].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.input.consume(end + 1);
        }
    }

    /// The line that comes next, if it has arrived.
    pub fn arrived(&self) -> Option<&[u8]> {
        let buffer = self.input.buffer();
        let end = buffer.iter().position(|byte| *byte == b'\n')?;
        Some(&buffer[..end])
    }

    /// Whether a line with more than white space has arrived that comes next.
    pub fn has_text(&self, is_space: impl Fn(u8) -> bool) -> bool {
        let buffer = self.input.buffer();
        let text = buffer.iter().position(|byte| !is_space(*byte));
        text.is_some_and(|text| buffer[text..].contains(&b'\n'))
    }

    /// An error about the text.
    pub fn error(&self, message: impl Into<String>) -> DataError {
        DataError::new(&self.path, message)
    }

    fn failed(&self, error: &io::Error) -> DataError {
        let error = DataError::io(&self.path, error);
        if self.read == 0 { error } else { error.at_line(self.read + 1) }
    }
}
