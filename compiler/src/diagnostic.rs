//! Diagnostics: one for each mistake of a file, with a span, a plain sentence and a way out.
//! [`render`] writes them for people, [`to_json`] for programs.

use crate::code::Code;
use crate::fix::Fix;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use arenet_program::text::{escaped, escaped_json, escaped_lines, is_hidden, message, nearest};
use serde_json::json;

/// A range of bytes in the source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A lint: the file compiles.
    Warning,
    /// The file does not compile.
    Error,
}

/// One message about a source file.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// The kind of mistake.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// The place it is about.
    pub span: Span,
    /// One plain sentence.
    pub message: String,
    /// Other places that explain it.
    pub labels: Vec<(Span, String)>,
    /// The way out.
    pub help: Option<String>,
    /// Ways out that a machine can take, the best one first.
    pub fixes: Vec<Fix>,
}

impl Span {
    /// The bytes from `start` up to, but not including, `end`.
    pub fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The span of a range of offsets; offsets beyond `u32::MAX` become `u32::MAX`.
    pub fn of(range: Range<usize>) -> Span {
        let clamp = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Span::new(clamp(range.start), clamp(range.end))
    }

    /// The smallest span that holds both.
    pub fn join(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The span as a range of offsets, to index the source with.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl Diagnostic {
    /// A mistake that stops the compilation.
    pub fn error(code: Code, span: Span, text: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            span,
            message: message(&text.into()),
            labels: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// A lint.
    pub fn warning(code: Code, span: Span, text: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, text) }
    }

    /// Adds another place that explains the mistake.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push((span, message(&text.into())));
        self
    }

    /// Says the way out.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(message(&text.into()));
        self
    }

    /// Points at the first of two, where there may be one.
    pub fn second_of(self, first: Span) -> Diagnostic {
        self.label(first, "this is the first one").help("keep one of them")
    }

    /// Adds a way out that a machine can take.
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Diagnostic {
        self.fixes.extend(fix.into());
        self
    }

    /// Asks whether one of these names is meant by the one that stands in the place of the message,
    /// and can write that. Without one that is near, the message comes back as it was.
    pub fn did_you_mean<'n>(
        self,
        name: &str,
        candidates: impl IntoIterator<Item = &'n str>,
    ) -> Result<Diagnostic, Diagnostic> {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        match did_you_mean(name, candidates.iter().copied()) {
            Some(meant) => {
                let is_certain = is_slip(name, meant, &candidates);
                let error = self.respell(name, meant, is_certain);
                Ok(error.help(format!("did you mean `{meant}`?")))
            }
            None => Err(self),
        }
    }

    /// Can write another name for the one that stands in the place of the message. A message about
    /// more than the name, or of a name outside of the text, stays as it is.
    pub fn respell(self, name: &str, meant: &str, is_certain: bool) -> Diagnostic {
        if self.span.range().len() != name.len() {
            return self;
        }
        let fix = Fix { is_certain, ..Fix::write(self.span, meant) };
        self.fix(fix)
    }
}

/// Writes the diagnostics as rustc does: the message, the place, the source lines, the help.
///
/// Text of the file is shown without what does not print, so that it cannot speak to the terminal.
pub fn render(diags: &[Diagnostic], file_name: &str, source: &str, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let file_name = escaped(file_name);
    let mut text = String::new();
    for diag in diags {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&render_one(diag, &file_name, source, &renderer));
        text.push('\n');
    }
    text
}

/// How far around the place of a diagnostic the source is shown, in bytes: enough for any file that
/// a person wrote, and a bound for the time that it takes.
const REACH: usize = 8 << 10;
/// How far apart two places of one line may be, in bytes: the renderer shows all that is between.
const LINE_REACH: usize = 200;

fn render_one(diag: &Diagnostic, file_name: &str, source: &str, renderer: &Renderer) -> String {
    let main = clamp_to(source, diag.span);
    let near = floor_char(source, main.start.saturating_sub(REACH))
        ..floor_char(source, main.start.saturating_add(REACH));
    let apart = |other: &Range<usize>| {
        let both = main.start.min(other.start)..main.end.max(other.end);
        both.len() > LINE_REACH && !source[both].contains('\n')
    };
    let mut places = vec![(main.start..main.end.min(near.end), None)];
    let mut notes = Vec::new();
    for (span, text) in &diag.labels {
        let (range, text) = (clamp_to(source, *span), escaped_lines(text));
        if near.start <= range.start && range.end <= near.end && !apart(&range) {
            places.push((range, Some(text)));
        } else {
            let (line, column) = line_column(source, range.start);
            notes.push(format!("{file_name}:{line}:{column}: {text}"));
        }
    }

    // Only the lines in question go to the renderer, which copies all that it is given.
    let first = places.iter().map(|(range, _)| range.start).min().unwrap_or(near.start);
    let last = places.iter().map(|(range, _)| range.end).max().unwrap_or(near.end);
    let start = source[near.start..first].rfind('\n').map_or(near.start, |at| near.start + at + 1);
    let rest = &source[last..near.end];
    let end = last + rest.split('\n').next().map_or(0, |rest| rest.trim_end_matches('\r').len());
    let shown = visible(&source[start..end]);
    let shown_at = |offset: usize| visible(&source[start..offset]).len();

    let mut snippet = Snippet::source(&shown).line_start(line_column(source, start).0);
    for (index, (range, text)) in places.iter().enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let range = shown_at(range.start)..shown_at(range.end);
        snippet = snippet.annotation(kind.span(range).label(text.as_deref()));
    }
    let (line, column) = line_column(source, main.start);
    let mut origin = None;
    if start == 0 || source[..start].ends_with('\n') {
        snippet = snippet.path(file_name);
    } else {
        // The renderer cannot count the columns of a line that it does not see the beginning of.
        origin = Some(Origin::path(file_name).line(line).char_column(column));
    }
    let level = match diag.severity {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let title = escaped_lines(&diag.message);
    let mut group = level
        .primary_title(&title)
        .id(diag.code.name())
        .elements(origin)
        .element(snippet)
        .elements(notes.iter().map(|note| Level::NOTE.message(note)));
    let help = diag.help.as_deref().map(escaped_lines);
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// Writes one diagnostic as one line of JSON.
pub fn to_json(diag: &Diagnostic, file_name: &str, source: &str) -> String {
    // Where something stands, and a text about it.
    let place = |span: Span, text: &str| {
        let range = clamp_to(source, span);
        let (line, column) = line_column(source, range.start);
        let (end_line, end_column) = line_column(source, range.end);
        json!({
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "span": [span.start, span.end],
            "text": text,
        })
    };
    let labels = diag.labels.iter().map(|(span, text)| place(*span, text));
    let fixes = diag.fixes.iter().map(|fix| {
        let edits = fix.edits(source);
        let edits = edits.iter().map(|edit| place(edit.span, &edit.text)).collect::<Vec<_>>();
        json!({ "title": fix.title, "certain": fix.is_certain, "edits": edits })
    });
    let mut json = json!({
        "code": diag.code.name(),
        "severity": diag.severity.name(),
        "message": diag.message,
        "file": file_name,
        "labels": labels.collect::<Vec<_>>(),
        "help": diag.help,
        "fixes": fixes.collect::<Vec<_>>(),
    });
    for key in ["line", "column", "end_line", "end_column", "span"] {
        json[key] = place(diag.span, "")[key].take();
    }
    escaped_json(&json.to_string())
}

/// The line and the column of an offset, both from 1, the column in characters. An offset past the
/// end means the end; one inside a character means its beginning.
pub fn line_column(source: &str, offset: usize) -> (usize, usize) {
    let before = &source[..floor_char(source, offset)];
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

/// Finds the lines and columns of many offsets in one text.
pub struct Lines<'s> {
    source: &'s str,
    /// Where each line begins.
    starts: Vec<usize>,
    /// The characters that begin before each block of bytes.
    chars: Vec<usize>,
}

impl<'s> Lines<'s> {
    /// The bytes whose characters are counted anew for each offset.
    const BLOCK: usize = 256;

    /// Walks over the text once.
    pub fn new(source: &'s str) -> Lines<'s> {
        let newlines = source.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        let blocks = source.as_bytes().chunks(Self::BLOCK).map(count_chars);
        let sum = |sum: &mut usize, count: usize| {
            *sum += count;
            Some(*sum)
        };
        let chars = std::iter::once(0).chain(blocks.scan(0, sum)).collect();
        Lines { source, starts, chars }
    }

    /// The line and the column of an offset, as [`line_column`] gives them.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset = floor_char(self.source, offset);
        let line = self.starts.partition_point(|&start| start <= offset);
        (line, self.chars_before(offset) - self.chars_before(self.starts[line - 1]) + 1)
    }

    fn chars_before(&self, offset: usize) -> usize {
        let block = offset / Self::BLOCK;
        let rest = &self.source.as_bytes()[block * Self::BLOCK..offset];
        self.chars[block] + count_chars(rest)
    }
}

/// The characters that begin among some bytes of UTF-8.
fn count_chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// The candidate that `name` is most likely a misspelling of, if one is near. A swap of neighbours
/// is one slip.
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    nearest(name, candidates, strsim::osa_distance)
}

/// Whether a name is another one but for a slip of the hand: no other candidate is as near, about
/// one letter in four is wrong at most, and none of them is a digit, which tells names apart.
fn is_slip(name: &str, meant: &str, candidates: &[&str]) -> bool {
    let (lower, digits) = (name.to_lowercase(), |text: &str| -> String {
        text.chars().filter(char::is_ascii_digit).collect()
    });
    let distance = |other: &str| strsim::osa_distance(&lower, &other.to_lowercase());
    let own = distance(meant);
    let others = candidates.iter().filter(|other| **other != meant && **other != name);
    4 * own <= name.len().max(meant.len())
        && digits(name) == digits(meant)
        && others.into_iter().all(|other| distance(other) > own)
}

/// The source with a mark for every character that does not print, so that columns stay as they
/// are; for those of ASCII the renderer has marks of its own.
fn visible(source: &str) -> String {
    let mark =
        |c: char| if !c.is_ascii() && is_hidden(c) { char::REPLACEMENT_CHARACTER } else { c };
    source.chars().map(mark).collect()
}

/// The span as a range that the source can be indexed with.
fn clamp_to(source: &str, span: Span) -> Range<usize> {
    let start = floor_char(source, span.start as usize);
    let end = floor_char(source, span.end as usize);
    start..end.max(start)
}

fn floor_char(source: &str, offset: usize) -> usize {
    source.floor_char_boundary(offset)
}
