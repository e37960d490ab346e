//! From text to tokens.

use logos::Logos;

use super::mend::mend;
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

/// The keywords as they are written; forms.rs says what each is for.
pub(super) const KEYWORDS: [(&str, Kind); 15] = [
    ("const", Kind::Const),
    ("block", Kind::Block),
    ("net", Kind::Net),
    ("train", Kind::Train),
    ("input", Kind::Input),
    ("output", Kind::Output),
    ("param", Kind::Param),
    ("layer", Kind::Layer),
    ("freeze", Kind::Freeze),
    ("limit", Kind::Limit),
    ("target", Kind::Target),
    ("metric", Kind::Metric),
    ("optimizer", Kind::Optimizer),
    ("in", Kind::In),
    ("return", Kind::Return),
];

impl Kind {
    pub fn is_keyword(self) -> bool {
        KEYWORDS.iter().any(|&(_, keyword)| keyword == self)
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
