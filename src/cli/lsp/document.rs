//! A text that is open in an editor, with all that is known of it. What is known is worked out when
//! it is asked for, once for each version of the text.

use std::cell::OnceCell;
use std::collections::HashMap;

use arenet::internals::compiler::diagnostic::{Diagnostic, Span};
use arenet::internals::compiler::lower::{Known, Lowered, inspect};
use arenet::internals::compiler::names::{self, Name, names};
use arenet::internals::compiler::syntax::ast::File;
use arenet::internals::compiler::syntax::parse;
use arenet::internals::compiler::{Compiled, Options, Source, compile};
use lsp_types::{Location, Position, Range, TextEdit, Uri};

/// The unit of columns, which the editor chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16, as every editor knows.
    Utf16,
}

impl Encoding {
    fn width(self, c: char) -> usize {
        match self {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
        }
    }
}

/// An open text.
pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: String,
    encoding: Encoding,
    /// Where each line begins.
    lines: Vec<usize>,
    analysis: OnceCell<Analysis>,
    compiled: OnceCell<Option<Result<Compiled, Vec<Diagnostic>>>>,
}

/// What the compiler makes of a text, right or not.
pub struct Analysis {
    pub file: File,
    pub names: Vec<Name>,
    /// What names stand for, by the places of their definitions.
    pub known: HashMap<Span, Known>,
    pub lowered: Lowered,
}

impl Document {
    pub fn new(uri: Uri, version: i32, text: String, encoding: Encoding) -> Document {
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        let (analysis, compiled) = (OnceCell::new(), OnceCell::new());
        Document { uri, version, text, encoding, lines, analysis, compiled }
    }

    /// The same document with a part of its text replaced, or with another text.
    pub fn changed(&self, version: i32, range: Option<Range>, new: &str) -> Document {
        let text = match range {
            None => new.to_string(),
            Some(Range { start, end }) => {
                let (start, end) = (self.offset(start), self.offset(end));
                let (start, end) = (start.min(end), end.max(start));
                [&self.text[..start], new, &self.text[end..]].concat()
            }
        };
        Document::new(self.uri.clone(), version, text, self.encoding)
    }

    /// What is known of the text.
    pub fn analysis(&self) -> &Analysis {
        self.analysis.get_or_init(|| {
            let (file, errors) = parse(&self.text);
            let lowered = inspect((file.clone(), errors), &[]);
            let mut known = HashMap::new();
            for &(span, of) in &lowered.known {
                known.entry(span).or_insert(of);
            }
            Analysis { names: names(&file), file, known, lowered }
        })
    }

    /// The mistakes of the text, or warnings; with what the machine cannot hold.
    pub fn told(&self) -> Vec<Diagnostic> {
        let limits = self.build().and_then(|built| built.as_ref().err());
        [&self.analysis().lowered.told[..], limits.map_or(&[], |limits| &limits[..])].concat()
    }

    /// The compiled text, if it has no mistakes.
    pub fn compiled(&self) -> Option<&Compiled> {
        self.build()?.as_ref().ok()
    }

    /// The compiled text, or what of it the machine cannot hold; nothing where it has mistakes.
    fn build(&self) -> Option<&Result<Compiled, Vec<Diagnostic>>> {
        let built = self.compiled.get_or_init(|| {
            let model = self.analysis().lowered.model.as_ref()?;
            Some(compile(Source::Lowered(&self.text, model), &Options::default()))
        });
        built.as_ref()
    }

    /// The name at a position, and where it stands there.
    pub fn name_at(&self, position: Position) -> Option<(&Name, Span)> {
        names::at(&self.analysis().names, self.offset(position) as u32)
    }

    /// What a name is, in a few words.
    pub fn detail(&self, name: &Name) -> String {
        let word = name.kind.word();
        match self.analysis().known.get(&name.span) {
            Some(Known::Value(ty)) => format!("{word} {ty}"),
            Some(Known::Number(number)) => format!("{word} {number}"),
            None => word.to_string(),
        }
    }

    /// The word at a position, and where it stands.
    pub fn word_at(&self, position: Position) -> Option<(&str, Span)> {
        let at = self.offset(position);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = self.text[..at].trim_end_matches(is_part).len();
        let rest = &self.text[start..];
        let end = start + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        (start < end).then(|| (&self.text[start..end], Span::of(start..end)))
    }

    /// The offset of a position; one behind the end of a line means its end.
    pub fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.lines.get(line) else { return self.text.len() };
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let mut units = 0;
        for (at, c) in self.text[start..end].char_indices() {
            if units >= position.character as usize {
                return start + at;
            }
            units += self.encoding.width(c);
        }
        end
    }

    /// The position of an offset.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.lines.partition_point(|&start| start <= offset) - 1;
        let before = &self.text[self.lines[line]..offset];
        let units: usize = before.chars().map(|c| self.encoding.width(c)).sum();
        Position::new(line as u32, units as u32)
    }

    pub fn range(&self, span: Span) -> Range {
        let range = span.range();
        Range::new(self.position(range.start), self.position(range.end))
    }

    pub fn location(&self, span: Span) -> Location {
        Location::new(self.uri.clone(), self.range(span))
    }

    /// The edit that puts a text in a place.
    pub fn edit(&self, span: Span, text: impl Into<String>) -> TextEdit {
        TextEdit::new(self.range(span), text.into())
    }
}
