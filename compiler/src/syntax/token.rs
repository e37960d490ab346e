//! From text to tokens. What is wrong inside a single token is reported here, once, and the token
//! that was probably meant is passed on, so the parser does not stumble over it again.

use logos::Logos;

use arenet_program::text::{is_forbidden, is_hidden, named};

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};

/// Beyond this many errors a file is told no more.
pub(super) const MAX_ERRORS: usize = 100;

/// The units of `limit memory`, in bytes.
pub(super) const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A token of the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// What a token is.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"[ \t\r\n\x0C]+")]
pub(super) enum Kind {
    #[token("const")]
    Const,
    #[token("block")]
    Block,
    #[token("net")]
    Net,
    #[token("train")]
    Train,
    #[token("input")]
    Input,
    #[token("output")]
    Output,
    #[token("param")]
    Param,
    #[token("layer")]
    Layer,
    #[token("freeze")]
    Freeze,
    #[token("limit")]
    Limit,
    #[token("target")]
    Target,
    #[token("metric")]
    Metric,
    #[token("optimizer")]
    Optimizer,
    #[token("in")]
    In,
    #[token("return")]
    Return,

    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Ident,
    #[regex(r"[0-9][0-9_]*", priority = 10)]
    Int,
    #[regex(r"[0-9][0-9_]*\.[0-9][0-9_]*([eE][+-]?[0-9][0-9_]*)?", priority = 10)]
    #[regex(r"[0-9][0-9_]*[eE][+-]?[0-9][0-9_]*", priority = 10)]
    Float,
    #[regex(r#""([^"\\\n]|\\[^\n])*""#)]
    String,

    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token("[")]
    LeftBracket,
    #[token("]")]
    RightBracket,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token("=")]
    Equals,
    #[token("|>")]
    Pipe,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("@")]
    At,
    #[token(".")]
    Dot,
    #[token("..")]
    DotDot,

    /// Never passed on.
    #[regex(r"//[^\n]*", allow_greedy = true)]
    Comment,

    /// Something that has been reported and has no likely meaning.
    Unknown,
    /// The end of the file; the last token, always.
    End,

    // The rest are mistakes, which `mend` turns into one of the above.
    #[regex(r"[A-Za-z0-9_]*[^\x00-\x7F]([A-Za-z0-9_]|[^\x00-\x7F])*")]
    ForeignWord,
    #[regex(r"[0-9][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*", priority = 5)]
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?[eE][+-]", priority = 5)]
    BadNumber,
    #[regex(r#""([^"\\\n]|\\[^\n])*\\?"#, allow_greedy = true)]
    UnterminatedString,
    #[regex(r"'[^'\n]*'")]
    SingleQuoted,
    #[token(";")]
    Semicolon,
    #[token(":=")]
    #[token("==")]
    DoubleEquals,
    #[token("->")]
    #[token("=>")]
    Arrow,
    #[token("**")]
    StarStar,
    #[token("...")]
    #[token("..=")]
    InclusiveRange,
    #[regex(r"#[^\n]*", allow_greedy = true)]
    HashComment,
    #[regex(r"/\*([^*]|\*+[^*/])*\**/?", allow_greedy = true)]
    BlockComment,
}

/// The keywords as they are written, and what each is for.
pub(super) const KEYWORDS: [(&str, Kind, &str); 15] = [
    ("const", Kind::Const, "`const H = 16` names a number"),
    ("block", Kind::Block, "`block name(x) { return x }` is a part for several uses"),
    ("net", Kind::Net, "`net name { ... }` is the network"),
    ("train", Kind::Train, "`train { ... }` says how it is trained"),
    ("input", Kind::Input, "`input x: [N, 4]` is what comes in"),
    ("output", Kind::Output, "`output y = x |> dense(2)` is what predictions show"),
    ("param", Kind::Param, "`param w: [4] = zeros()` is a parameter of your own"),
    ("layer", Kind::Layer, "`layer f(x) = x |> dense(4)` is a layer that calls share"),
    ("freeze", Kind::Freeze, "`freeze h` keeps the parameters of `h` as they are"),
    ("limit", Kind::Limit, "`limit memory = 1 MiB` bounds the memory"),
    ("target", Kind::Target, "`target t: [N, 2]` is what outputs are compared with"),
    ("metric", Kind::Metric, "`metric accuracy(y, t)` is a figure that is shown"),
    ("optimizer", Kind::Optimizer, "`optimizer = adam` says how parameters change"),
    ("in", Kind::In, "`target t: i32[N] in 0..3` says which classes there are"),
    ("return", Kind::Return, "`return x` ends a block"),
];

impl Kind {
    pub fn is_keyword(self) -> bool {
        KEYWORDS.iter().any(|&(_, keyword, _)| keyword == self)
    }
}

/// Splits the source into tokens; the last one is [`Kind::End`].
pub(super) fn tokenize(source: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    // Editors on some systems begin a file with a byte order mark.
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let base = source.len() - text.len();
    let mut tokens: Vec<Token> = Vec::new();
    let mut errors = Vec::new();
    for (kind, range) in Kind::lexer(text).spanned() {
        let span = Span::of(base + range.start..base + range.end);
        let token = Token { kind: kind.unwrap_or(Kind::Unknown), span };
        match tokens.last_mut() {
            // A run of nonsense is one mistake.
            Some(last) if (last.kind, token.kind) == (Kind::Unknown, Kind::Unknown) => {
                last.span.end = span.end
            }
            _ => mend(token, source, &mut tokens, &mut errors),
        }
        if errors.len() > MAX_ERRORS {
            break;
        }
    }
    tokens.push(Token { kind: Kind::End, span: Span::of(source.len()..source.len()) });
    (tokens, errors)
}

/// Appends the token, or, where it is a mistake, reports that and appends what was probably meant.
fn mend(token: Token, source: &str, tokens: &mut Vec<Token>, errors: &mut Vec<Diagnostic>) {
    let Token { kind, span } = token;
    let text = &source[span.range()];
    let foreign = |message: &str, help: &str| {
        Diagnostic::error(Code::ForeignSyntax, span, message).help(help)
    };
    let (error, meant) = match kind {
        Kind::Comment => (hidden_character("a comment", text.trim_end(), span), None),
        Kind::String => {
            let error = hidden_character("a string", text, span);
            (error.or_else(|| bad_escape(text, span)), Some(Kind::String))
        }
        Kind::Unknown | Kind::ForeignWord => {
            let word = text.chars().any(|c| c == '_' || c.is_alphanumeric());
            (
                Some(unknown_character(text, span)),
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
            (Some(error), Some(Kind::String))
        }
        Kind::SingleQuoted => (
            Some(foreign("strings are written in double quotes", "write \"...\"")),
            Some(Kind::String),
        ),
        Kind::Semicolon => {
            (Some(foreign("statements need no terminators", "remove the `;`")), None)
        }
        Kind::DoubleEquals => {
            let message = format!("a name is bound with `=`, not `{text}`");
            (Some(foreign(&message, "write `name = value`")), Some(Kind::Equals))
        }
        Kind::Arrow => {
            let message = format!("values flow through `|>`, not `{text}`");
            (Some(foreign(&message, "write `x |> dense(3)`")), Some(Kind::Pipe))
        }
        Kind::StarStar => {
            let help = "multiply the value with itself: `x * x`";
            (Some(foreign("there is no power operator", help)), Some(Kind::Star))
        }
        Kind::InclusiveRange => {
            let message = "a range is written with `..` and leaves its end out";
            (Some(foreign(message, "`0..10` means 0 to 9")), Some(Kind::DotDot))
        }
        Kind::HashComment | Kind::BlockComment => {
            (Some(foreign("comments begin with `//`", "write `// ...`")), None)
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

fn unknown_character(text: &str, span: Span) -> Diagnostic {
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
    let error =
        Diagnostic::error(Code::UnknownCharacter, Span::of(start..start + c.len_utf8()), message);
    match c {
        '\0' => error.help("is it a text file, encoded in UTF-8?"),
        '|' => error.help("a pipe is written `|>`"),
        '“' | '”' | '„' | '‘' | '’' => {
            error.help("strings are written in straight quotes, \"...\"")
        }
        '−' | '–' | '—' => error.help("a minus sign is `-`"),
        '×' | '·' => error.help("multiplication is `*`"),
        c if c.is_alphabetic() => {
            error.help("names are made of the letters A to Z, digits and `_`")
        }
        _ => error,
    }
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
            return Some(error.help("a string knows `\\\"` and `\\\\`"));
        }
    }
    None
}

/// The value of a string token, without its quotes.
pub(super) fn unescape(text: &str) -> String {
    let inner = text.get(1..).unwrap_or_default();
    let inner = inner.strip_suffix(['"', '\'']).unwrap_or(inner);
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        value.push(match c {
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        });
    }
    value
}
