//! A text as an editor looks at it: the class of each token, and what stands around a place. It
//! goes over tokens alone, so it answers for a text that is being typed.

use super::token::{KEYWORDS, Kind, Token, tokenize};
use crate::diagnostic::Span;
use logos::Logos;

/// What a token is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A word that begins a statement, or `in`.
    Keyword,
    /// A name, of whatever.
    Name,
    /// A number.
    Number,
    /// Text in quotes.
    String,
    /// A sign between values.
    Operator,
    /// A comment.
    Comment,
}

/// The tokens that have a class, in the order of the text.
///
/// ```
/// use arenet_compiler::syntax::{Class, classes};
///
/// let found: Vec<Class> = classes("freeze h // x").into_iter().map(|(_, class)| class).collect();
/// assert_eq!(found, [Class::Keyword, Class::Name, Class::Comment]);
/// ```
pub fn classes(source: &str) -> Vec<(Span, Class)> {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let base = source.len() - text.len();
    let class = |kind: Kind| match kind {
        kind if kind.is_keyword() => Some(Class::Keyword),
        Kind::Ident => Some(Class::Name),
        Kind::Int | Kind::Float | Kind::BadNumber => Some(Class::Number),
        Kind::String | Kind::UnterminatedString | Kind::SingleQuoted => Some(Class::String),
        Kind::Comment | Kind::HashComment | Kind::BlockComment => Some(Class::Comment),
        Kind::Equals | Kind::Pipe | Kind::Plus | Kind::Minus | Kind::Star | Kind::Slash => {
            Some(Class::Operator)
        }
        Kind::At | Kind::Dot | Kind::DotDot => Some(Class::Operator),
        _ => None,
    };
    let tokens = Kind::lexer(text).spanned();
    let found = tokens.filter_map(|(kind, range)| {
        Some((Span::of(base + range.start..base + range.end), class(kind.ok()?)?))
    });
    found.collect()
}

/// The keywords.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(word, _)| *word)
}

/// What stands around a place of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Around {
    /// The keyword of the section that the place is in: `net`, `train` or `block`.
    pub section: Option<&'static str>,
    /// The calls that are open there, the innermost last.
    pub calls: Vec<OpenCall>,
    /// The name of the statement that is open, if it is `NAME = …`, or its keyword.
    pub statement: Option<String>,
    /// Whether a statement may begin there.
    pub begins_statement: bool,
    /// The name in front of the colon that the place is behind.
    pub argument: Option<String>,
    /// Whether the place is behind `|>`.
    pub is_piped: bool,
    /// Whether the place is in a string or a comment, where nothing of the language stands.
    pub is_text: bool,
}

/// A call that is not closed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenCall {
    /// The function.
    pub function: String,
    /// Whether a pipe gives its first argument.
    pub is_piped: bool,
    /// How many commas stand before the place.
    pub commas: usize,
}

/// What stands around an offset; the word that ends there is not looked at.
///
/// ```
/// let around = arenet_compiler::syntax::around("net n { h = x |> dense(3, bi", 28);
/// assert_eq!((around.section, around.statement.as_deref()), (Some("net"), Some("h")));
/// let call = &around.calls[0];
/// assert_eq!((call.function.as_str(), call.is_piped, call.commas), ("dense", true, 1));
/// ```
pub fn around(source: &str, offset: usize) -> Around {
    let offset = source.floor_char_boundary(offset);
    let is_in = |&(span, class): &(Span, Class)| {
        let range = span.range();
        // A string ends before the place behind it; a comment goes on to the end of its line.
        match class {
            Class::Comment => range.start < offset && offset <= range.end,
            Class::String => range.start < offset && offset < range.end,
            _ => false,
        }
    };
    let is_text = classes(source).iter().any(is_in);
    let before = source[..offset].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let (tokens, _) = tokenize(before);
    let tokens = &tokens[..tokens.len() - 1];
    let mut around = Around {
        section: None,
        calls: Vec::new(),
        statement: None,
        begins_statement: tokens.is_empty(),
        argument: None,
        is_piped: false,
        is_text,
    };
    let mut open: Vec<Option<OpenCall>> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        walk(&mut around, &mut open, source, (tokens, at), *token);
    }
    around.calls = open.into_iter().flatten().collect();
    if let [.., name, colon] = tokens
        && (name.kind == Kind::Ident || name.kind.is_keyword())
        && colon.kind == Kind::Colon
    {
        around.argument = Some(source[name.span.range()].to_string());
    }
    around.is_piped = tokens.last().is_some_and(|token| token.kind == Kind::Pipe);
    let ends_line = match tokens.last() {
        Some(last) => before[last.span.range().end..].contains('\n'),
        None => true,
    };
    let goes_on = |kind: Kind| {
        use Kind::{At, Colon, Comma, Dot, Equals, Minus, Pipe, Plus, Slash, Star};
        matches!(kind, Pipe | Plus | Minus | Star | Slash | At | Comma | Colon | Equals | Dot)
    };
    let last = tokens.last().map(|token| token.kind);
    around.begins_statement = around.calls.is_empty()
        && match last {
            None | Some(Kind::LeftBrace | Kind::RightBrace) => true,
            Some(kind) => ends_line && !goes_on(kind),
        };
    around
}

/// Takes a token into account.
fn walk(
    around: &mut Around,
    open: &mut Vec<Option<OpenCall>>,
    source: &str,
    (tokens, at): (&[Token], usize),
    token: Token,
) {
    let before = |n: usize| at.checked_sub(n).map(|at| tokens[at]);
    let text = |token: Token| source[token.span.range()].to_string();
    match token.kind {
        Kind::Net => (around.section, around.statement) = (Some("net"), None),
        Kind::Train => (around.section, around.statement) = (Some("train"), None),
        Kind::Block => (around.section, around.statement) = (Some("block"), None),
        Kind::RightBrace => (around.section, around.statement) = (None, None),
        kind if kind.is_keyword() && kind != Kind::In && open.is_empty() => {
            around.statement = Some(text(token));
        }
        Kind::Equals if open.is_empty() => {
            if let Some(name) = before(1).filter(|name| name.kind == Kind::Ident) {
                around.statement = Some(text(name));
            }
        }
        Kind::LeftParen => {
            let name = before(1).filter(|name| name.kind == Kind::Ident);
            open.push(name.map(|name| OpenCall {
                function: text(name),
                is_piped: before(2).is_some_and(|pipe| pipe.kind == Kind::Pipe),
                commas: 0,
            }));
        }
        Kind::LeftBracket => open.push(None),
        Kind::RightParen | Kind::RightBracket => _ = open.pop(),
        Kind::LeftBrace => open.clear(),
        Kind::Comma => {
            if let Some(Some(call)) = open.last_mut() {
                call.commas += 1;
            }
        }
        _ => {}
    }
}
