//! What is wrong inside a single token is reported here, once, and the token that was probably
//! meant is passed on, so the parser does not stumble over it again.

use arenet_program::text::{is_forbidden, is_hidden, named};

use super::token::{Kind, Token, UNITS};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::fix::{Edit, Fix};

/// Appends the token, or, where it is a mistake, reports that and appends what was probably meant.
pub(super) fn mend(
    token: Token,
    source: &str,
    tokens: &mut Vec<Token>,
    errors: &mut Vec<Diagnostic>,
) {
    let Token { kind, span } = token;
    let text = &source[span.range()];
    let foreign = |message: &str, help: &str| {
        Diagnostic::error(Code::ForeignSyntax, span, message).help(help)
    };
    let (error, meant) = match kind {
        Kind::Comment => {
            let error = hidden_character("a comment", text.trim_end(), span);
            let fixed = error.map(|error| {
                let fix = Fix::remove("what does not print", error.span);
                error.fix(fix)
            });
            (fixed, None)
        }
        Kind::String => {
            let error = hidden_character("a string", text, span);
            (error.or_else(|| bad_escape(text, span)), Some(Kind::String))
        }
        Kind::Unknown | Kind::ForeignWord => {
            let word = text.chars().any(|c| c == '_' || c.is_alphanumeric());
            (
                Some(unknown_character(source, span)),
                Some(if word { Kind::Ident } else { Kind::Unknown }),
            )
        }
        Kind::BadNumber if follows_name(tokens, span) => {
            let mut at = span.start;
            for part in text.split_inclusive('.') {
                let name = part.trim_end_matches('.');
                let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
                let kind = if is_number { Kind::Int } else { Kind::Ident };
                let end = at + name.len() as u32;
                tokens.push(Token { kind, span: Span::new(at, end) });
                if part != name {
                    tokens.push(Token { kind: Kind::Dot, span: Span::new(end, end + 1) });
                }
                at = end + 1;
            }
            return;
        }
        Kind::BadNumber => match split_unit(text) {
            Some(digits) => {
                let middle = span.start + digits as u32;
                tokens.push(Token { kind: Kind::Int, span: Span::new(span.start, middle) });
                tokens.push(Token { kind: Kind::Ident, span: Span::new(middle, span.end) });
                return;
            }
            None => (Some(bad_number(text, span)), Some(Kind::Int)),
        },
        Kind::UnterminatedString => {
            let span = Span::new(span.start, span.start + text.trim_end().len() as u32);
            let error = Diagnostic::error(Code::UnterminatedString, span, "this string has no end")
                .help("a string ends with `\"` on the line it begins on");
            // What else stands on the line may be a part of it or not.
            let is_alone = !text.contains([',', ']', ')', '}', '\\']);
            let end = is_alone.then(|| Fix::insert(span.end, "\"").likely());
            (Some(error.fix(end)), Some(Kind::String))
        }
        Kind::SingleQuoted => {
            let error = foreign("strings are written in double quotes", "write \"...\"");
            (Some(error.fix(double_quoted(text, span))), Some(Kind::String))
        }
        Kind::Semicolon => {
            let error = foreign("statements need no terminators", "remove the `;`");
            let rest = &source[span.range().end..];
            let joins = rest.starts_with(|c: char| !c.is_whitespace() && c != '}');
            let edit = Edit::replace(span, if joins { " " } else { "" });
            (Some(error.fix(Fix::new("remove the `;`", [edit]))), None)
        }
        Kind::DoubleEquals => {
            let message = format!("a name is bound with `=`, not `{text}`");
            let error = foreign(&message, "write `name = value`");
            (Some(error.fix(Fix::write(span, "="))), Some(Kind::Equals))
        }
        Kind::Arrow => {
            let message = format!("values flow through `|>`, not `{text}`");
            let error = foreign(&message, "write `x |> dense(3)`");
            (Some(error.fix(Fix::write(span, "|>"))), Some(Kind::Pipe))
        }
        Kind::StarStar => {
            let help = "multiply the value with itself: `x * x`";
            (Some(foreign("there is no power operator", help)), Some(Kind::Star))
        }
        Kind::InclusiveRange => {
            let message = "a range is written with `..` and leaves its end out";
            let error = foreign(message, "`0..10` means 0 to 9");
            (Some(error.fix(exclusive(source, text, span))), Some(Kind::DotDot))
        }
        Kind::HashComment | Kind::BlockComment => {
            let error = foreign("comments begin with `//`", "write `// ...`");
            (Some(error.fix(line_comment(source, text, span))), None)
        }
        kind => (None, Some(kind)),
    };
    errors.extend(error);
    tokens.extend(meant.map(|kind| Token { kind, span }));
}

/// Whether a number is a part of a name, as in `h.0.w`.
fn follows_name(tokens: &[Token], span: Span) -> bool {
    match tokens {
        [.., name, dot] => {
            let is_name = (name.kind, dot.kind) == (Kind::Ident, Kind::Dot);
            is_name && name.span.end == dot.span.start && dot.span.end == span.start
        }
        _ => false,
    }
}

fn unknown_character(source: &str, span: Span) -> Diagnostic {
    let text = &source[span.range()];
    let (at, c) = text
        .char_indices()
        .find(|(_, c)| !c.is_ascii())
        .unwrap_or_else(|| (0, text.chars().next().unwrap_or('\0')));
    let start = span.start as usize + at;
    // A combining mark would join the quote before it.
    let prints = c.is_ascii_graphic() || !is_hidden(c) && c.escape_debug().nth(1).is_none();
    let message = match c {
        '\0' => "the file holds a NUL character".to_string(),
        c if prints => format!("unknown character `{c}`"),
        c => format!("unknown character {}", named(c)),
    };
    let span = Span::of(start..start + c.len_utf8());
    let error = Diagnostic::error(Code::UnknownCharacter, span, message);
    match c {
        '\0' => error.help("is it a text file, encoded in UTF-8?"),
        '?' => error.help("an open size is the batch, `N`; there are no conditions"),
        '|' => {
            error.help("a pipe is written `|>`").fix((text == "|").then(|| Fix::write(span, "|>")))
        }
        '“' | '”' | '„' | '‘' | '’' => error
            .help("strings are written in straight quotes, \"...\"")
            .fix(straight_quotes(source, span)),
        '−' | '–' | '—' => error.help("a minus sign is `-`").fix(Fix::write(span, "-")),
        '×' | '·' => error.help("multiplication is `*`").fix(Fix::write(span, "*")),
        c if c.is_alphabetic() => {
            error.help("names are made of the letters A to Z, digits and `_`")
        }
        c if c.is_whitespace() => error.fix(Fix::new("write a space", [Edit::replace(span, " ")])),
        c if !c.is_ascii() && is_hidden(c) => error.fix(Fix::remove("what does not print", span)),
        _ => error,
    }
}

/// Straight quotes for two curly ones, of which the first stands here.
fn straight_quotes(source: &str, span: Span) -> Option<Fix> {
    let rest = source[span.range().end..].lines().next()?;
    let (at, close) = rest.char_indices().find(|(_, c)| "“”„‘’\"'".contains(*c))?;
    let start = span.range().end + at;
    let end = Span::of(start..start + close.len_utf8());
    let is_plain = !rest[..at].contains(['\\', '/']) && !matches!(close, '"' | '\'');
    let edits = [span, end].map(|quote| Edit::replace(quote, "\""));
    is_plain.then(|| Fix::new("write straight quotes", edits))
}

/// A string in double quotes for one in single quotes, where no character need be escaped.
fn double_quoted(text: &str, span: Span) -> Option<Fix> {
    let inner = text.get(1..text.len() - 1)?;
    let is_plain = !inner.contains(['"', '\\']) && !inner.chars().any(is_forbidden);
    is_plain.then(|| Fix::write(span, format!("\"{inner}\"")))
}

/// A range without its end for one that has it. Languages differ in what `...` means.
fn exclusive(source: &str, text: &str, span: Span) -> Option<Fix> {
    let rest = &source[span.range().end..];
    let digits = rest.trim_start_matches(' ');
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    let last: u64 = digits.parse().ok()?;
    let end = span.range().end + rest.find(digits)? + digits.len();
    let fix = Fix::write(Span::of(span.range().start..end), format!("..{}", last.checked_add(1)?));
    Some(if text == "..=" { fix } else { fix.likely() })
}

/// A comment to the end of its line, or of each of its lines, for one of another language.
fn line_comment(source: &str, text: &str, span: Span) -> Option<Fix> {
    let inner = match text.strip_prefix("/*") {
        Some(block) => block.strip_suffix("*/").unwrap_or(block),
        None => text.trim_start_matches('#'),
    };
    let hidden = |c: char| is_forbidden(c) && !matches!(c, '\t' | '\n' | '\r');
    let lines = inner.lines().map(|line| format!("//{}", line.trim_end()));
    let mut new = lines.collect::<Vec<_>>().join("\n");
    if new.is_empty() {
        new.push_str("//");
    }
    let rest = source[span.range().end..].lines().next().unwrap_or_default();
    if !rest.trim().is_empty() {
        new.push('\n');
    }
    let fix = Fix::new("write it behind `//`", [Edit::replace(span, new)]);
    (!inner.contains(hidden)).then_some(fix)
}

/// The first character inside a string or comment that a terminal would obey.
fn hidden_character(what: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let bad = |&(_, c): &(usize, char)| is_forbidden(c) && !(c == '\t' && what == "a comment");
    let (at, c) = text.char_indices().find(bad)?;
    let start = span.start as usize + at;
    let span = Span::of(start..start + c.len_utf8());
    let error =
        Diagnostic::error(Code::HiddenCharacter, span, format!("{what} holds {}", named(c)));
    Some(error.help("remove it: it does not print, and can change how the rest does"))
}

fn bad_number(text: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        Code::MalformedNumber,
        span,
        format!("`{}` is not a number", super::shorten(text)),
    );
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters > 1 && !text.contains('.') {
        error.help("numbers look like `3`, `0.5` or `1e-3`, and a name cannot begin with a digit")
    } else {
        error.help("numbers look like `3`, `0.5` or `1e-3`")
    }
}

/// `64KiB` is as clear as `64 KiB`: the length of its digits.
fn split_unit(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let unit = &text[digits..];
    UNITS.iter().any(|&(name, _)| name == unit).then_some(digits)
}

/// The first escape of a string that means nothing.
fn bad_escape(text: &str, span: Span) -> Option<Diagnostic> {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            continue;
        }
        let (_, escape) = chars.next()?;
        if !matches!(escape, '"' | '\\') {
            let start = span.start as usize + at;
            let span = Span::of(start..start + 1 + escape.len_utf8());
            let message = format!("unknown escape `\\{escape}`");
            let error = Diagnostic::error(Code::UnknownEscape, span, message);
            let fix = Fix::write(span, format!("\\\\{escape}")).likely();
            return Some(error.help("a string knows `\\\"` and `\\\\`").fix(fix));
        }
    }
    None
}
