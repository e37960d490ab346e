//! Ways out that a machine can take: edits of the text, beside the help of a diagnostic.
//!
//! A fix is certain where the text leaves no doubt of what is meant; only such ones are applied
//! unseen, by [`apply_certain`]. Others are likely: editors offer them, and a person decides.

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Severity, Span, line_column};

/// A change of a text that puts right what a diagnostic is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does, such as "write `dense`".
    pub title: String,
    /// What it changes; no two of them overlap.
    pub edits: Vec<Edit>,
    /// Whether nobody need look at it.
    pub is_certain: bool,
}

/// A text in the place of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// What is replaced; where it is empty, the text is inserted there.
    pub span: Span,
    /// The new text.
    pub text: String,
}

impl Edit {
    /// Puts a text in the place of what stands there.
    pub fn replace(span: Span, text: impl Into<String>) -> Edit {
        Edit { span, text: text.into() }
    }

    /// Puts a text before what is at an offset.
    pub fn insert(at: u32, text: impl Into<String>) -> Edit {
        Edit::replace(Span::new(at, at), text)
    }

    /// Takes a part of the text away.
    pub fn remove(span: Span) -> Edit {
        Edit::replace(span, "")
    }

    /// The same edit, where it leaves nothing on its lines, with the ends of these lines.
    fn of_whole_lines(&self, source: &str) -> Edit {
        let range = self.span.range();
        let start = source[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = source[range.end..].find('\n').map(|newline| range.end + newline + 1);
        let is_blank = |from: usize, to: usize| source[from..to].trim().is_empty();
        match end {
            Some(end)
                if self.text.is_empty()
                    && !range.is_empty()
                    && is_blank(start, range.start)
                    && is_blank(range.end, end) =>
            {
                Edit::remove(Span::of(start..end))
            }
            _ => self.clone(),
        }
    }
}

impl Fix {
    /// A fix that is certain.
    pub fn new(title: impl Into<String>, edits: impl Into<Vec<Edit>>) -> Fix {
        Fix { title: title.into(), edits: edits.into(), is_certain: true }
    }

    /// Writes something else in a place.
    pub fn write(span: Span, text: impl Into<String>) -> Fix {
        let text = text.into();
        Fix::new(format!("write `{text}`"), [Edit::replace(span, text)])
    }

    /// Writes something more before an offset.
    pub fn insert(at: u32, text: impl Into<String>) -> Fix {
        let text = text.into();
        Fix::new(format!("insert `{}`", text.trim()), [Edit::insert(at, text)])
    }

    /// Takes something away.
    pub fn remove(what: &str, span: Span) -> Fix {
        Fix::new(format!("remove {what}"), [Edit::remove(span)])
    }

    /// The same fix, for somebody to look at.
    pub fn likely(mut self) -> Fix {
        self.is_certain = false;
        self
    }

    /// Its edits in the order of the text, with the ends of lines that would be left blank.
    pub fn edits(&self, source: &str) -> Vec<Edit> {
        let mut edits: Vec<Edit> =
            self.edits.iter().map(|edit| edit.of_whole_lines(source)).collect();
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        edits
    }

    /// The text after it.
    ///
    /// ```
    /// use arenet_compiler::diagnostic::Span;
    /// use arenet_compiler::fix::Fix;
    ///
    /// assert_eq!(Fix::write(Span::new(5, 9), "dense").apply("x |> dens"), "x |> dense");
    /// ```
    pub fn apply(&self, source: &str) -> String {
        edited(source, &self.edits(source))
    }
}

/// A text after edits, which are in its order and do not overlap.
fn edited(source: &str, edits: &[Edit]) -> String {
    let mut text = String::with_capacity(source.len());
    let mut end = 0;
    for edit in edits {
        text.push_str(&source[end..edit.span.range().start]);
        text.push_str(&edit.text);
        end = edit.span.range().end;
    }
    text + &source[end..]
}

/// What has been put right in a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fixed {
    /// The text after it.
    pub text: String,
    /// Each fix, in the order in which they were made.
    pub made: Vec<Made>,
}

/// A fix that has been applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The line, counted from 1, of the message when the fix was made.
    pub line: usize,
    /// Its column, counted from 1.
    pub column: usize,
    /// The code of the message.
    pub code: Code,
    /// What was done.
    pub title: String,
}

/// Applies the fixes that are certain until there are none, by what is told of each text. Those
/// that meet in one place are applied one after another. What would make an error of a warning is
/// left.
pub fn apply_certain(source: &str, told: impl Fn(&str) -> Vec<Diagnostic>) -> Fixed {
    /// What is found behind a fix is mostly found in the next round; a circle ends here.
    const MOST_ROUNDS: usize = 32;
    let has_errors =
        |told: &[Diagnostic]| told.iter().any(|found| found.severity == Severity::Error);
    let mut fixed = Fixed { text: source.to_string(), made: Vec::new() };
    let mut found = told(source);
    for _ in 0..MOST_ROUNDS {
        let next = one_round(&fixed, &found);
        if next.text == fixed.text {
            break;
        }
        let left = told(&next.text);
        if has_errors(&left) && !has_errors(&found) {
            break;
        }
        (fixed, found) = (next, left);
    }
    fixed
}

/// Applies the first fix of each message that is certain, unless it meets one before it.
fn one_round(before: &Fixed, told: &[Diagnostic]) -> Fixed {
    let (text, mut made) = (&before.text, before.made.clone());
    let mut edits: Vec<Edit> = Vec::new();
    for found in told {
        let Some(fix) = found.fixes.iter().find(|fix| fix.is_certain) else { continue };
        let new = fix.edits(text);
        if new.iter().any(|edit| edits.iter().any(|other| meets(edit, other))) {
            continue;
        }
        let (line, column) = line_column(text, found.span.start as usize);
        made.push(Made { line, column, code: found.code, title: fix.title.clone() });
        edits.extend(new);
    }
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    Fixed { text: edited(text, &edits), made }
}

/// Whether two edits overlap or touch, so that one might change what the other is for.
fn meets(a: &Edit, b: &Edit) -> bool {
    a.span.start <= b.span.end && b.span.start <= a.span.end
}
