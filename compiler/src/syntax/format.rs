//! Writes a file in the usual form: one statement on a line, four spaces for each body, comments
//! and single blank lines where they were. Lines that were broken within a statement stay broken.
//!
//! It goes over the tokens, and what stands between them; so nothing of the text can be lost.

use super::parser::parse;
use super::token::{Kind, Token, tokenize};
use crate::diagnostic::Diagnostic;

const INDENT: usize = 4;

/// The text of a file in the usual form.
///
/// ```
/// use arenet_compiler::syntax::format;
///
/// let text = format("net n{input x:[N,2] output y=dense( x,1 )} // small").unwrap();
/// assert_eq!(text, "net n {\n    input x: [N, 2]\n    output y = dense(x, 1)\n} // small\n");
/// ```
///
/// # Errors
/// The mistakes of a text that cannot be read.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let (_, errors) = parse(source);
    if !errors.is_empty() {
        return Err(errors);
    }
    let (tokens, _) = tokenize(source);
    let mut page = Page::default();
    let mut end = 0;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| tokens[before].kind);
        page.gap(&source[end..token.span.start as usize], before, token.kind);
        page.token(source, &tokens, at);
        end = token.span.end as usize;
    }
    Ok(page.text)
}

/// The text as far as it is written.
#[derive(Default)]
struct Page {
    text: String,
    /// How many bodies are open.
    bodies: usize,
    /// How far the line is indented.
    indent: usize,
    /// How far that line is in which each bracket was opened.
    brackets: Vec<usize>,
}

impl Page {
    /// Writes a token, with what separates it from the one before.
    fn token(&mut self, source: &str, tokens: &[Token], at: usize) {
        let kind = tokens[at].kind;
        if kind == Kind::End {
            return self.end_line();
        }
        let opened = match kind {
            Kind::RightParen | Kind::RightBracket => self.brackets.pop(),
            _ => None,
        };
        self.bodies -= usize::from(kind == Kind::RightBrace && self.bodies > 0);
        let follows_brace = at > 0 && tokens[at - 1].kind == Kind::LeftBrace;
        let begins = self.brackets.is_empty()
            && (kind == Kind::RightBrace || follows_brace || starts(tokens, at));
        if begins {
            self.end_line();
        }
        if self.is_at_start() {
            self.start_line(match opened {
                _ if begins || at == 0 => self.bodies,
                Some(indent) => indent,
                None => self.within(),
            });
        } else if is_spaced(source, tokens, at) {
            self.text.push(' ');
        }
        self.text.push_str(&source[tokens[at].span.range()]);
        match kind {
            Kind::LeftParen | Kind::LeftBracket => self.brackets.push(self.indent),
            Kind::LeftBrace => self.bodies += 1,
            _ => {}
        }
    }

    /// Writes the comments, and the ends of lines, of what stands between two tokens. One blank
    /// line remains of several, and one stands between two items with bodies.
    fn gap(&mut self, gap: &str, before: Option<Kind>, after: Kind) {
        let ends = matches!(after, Kind::RightBrace | Kind::End);
        let is_between = before == Some(Kind::RightBrace) && self.bodies == 0 && !ends;
        let (mut blank, mut lines) = (is_between, gap.split('\n').peekable());
        let mut is_first = true;
        while let Some(line) = lines.next() {
            let comment = line.trim_start_matches('\u{feff}').trim();
            let is_last = lines.peek().is_none();
            match comment.is_empty() {
                true => blank |= !is_first && !is_last,
                false if is_first && before.is_some() => {
                    self.text.push(' ');
                    self.text.push_str(comment);
                }
                false => {
                    self.separate(blank);
                    let is_open = !self.brackets.is_empty();
                    self.start_line(if is_open { self.within() } else { self.bodies });
                    self.text.push_str(comment);
                    blank = false;
                }
            }
            if !is_last {
                self.end_line();
            }
            is_first = false;
        }
        if blank && !ends {
            self.separate(true);
        }
    }

    /// Ends a line, and leaves a blank one, but not where a body or the text begins.
    fn separate(&mut self, blank: bool) {
        self.end_line();
        if blank
            && !self.text.is_empty()
            && !self.text.ends_with("{\n")
            && !self.text.ends_with("\n\n")
        {
            self.text.push('\n');
        }
    }

    /// How far a line is indented that goes on with a statement.
    fn within(&self) -> usize {
        self.brackets.last().map_or(self.bodies, |indent| *indent) + 1
    }

    fn is_at_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    fn start_line(&mut self, indent: usize) {
        self.indent = indent;
        self.text.push_str(&" ".repeat(indent * INDENT));
    }

    fn end_line(&mut self) {
        if !self.is_at_start() {
            self.text.push('\n');
        }
    }
}

/// Whether a statement or an item begins with a token: with a keyword, or with `name =`.
fn starts(tokens: &[Token], at: usize) -> bool {
    let kind = tokens[at].kind;
    let begins = |kind: Kind| kind.is_keyword() && kind != Kind::In;
    let next = tokens.get(at + 1).map(|token| token.kind);
    let before = at.checked_sub(1).map(|before| tokens[before].kind);
    begins(kind) || kind == Kind::Ident && next == Some(Kind::Equals) && !before.is_some_and(begins)
}

/// Whether a space stands before a token in a line.
fn is_spaced(source: &str, tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| tokens[before]) else { return false };
    let is_operand = |kind: Kind| {
        use Kind::{Float, Ident, Int, RightBracket, RightParen, String};
        matches!(kind, Ident | Int | Float | String | RightParen | RightBracket)
    };
    let is_sign = before.kind == Kind::Minus
        && !at.checked_sub(2).is_some_and(|place| is_operand(tokens[place].kind));
    match (before.kind, tokens[at].kind) {
        (_, Kind::Comma | Kind::Colon | Kind::RightParen | Kind::RightBracket) => false,
        (_, Kind::Dot | Kind::DotDot) | (Kind::Dot | Kind::DotDot, _) => false,
        (Kind::LeftParen | Kind::LeftBracket, _) => false,
        (Kind::Ident | Kind::Optimizer, Kind::LeftParen) => false,
        // `i32[N]`, but `from ["mass"]`.
        (Kind::Ident, Kind::LeftBracket) => &source[before.span.range()] == "from",
        _ => !is_sign,
    }
}
