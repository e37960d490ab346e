//! A recursive-descent parser with error recovery.
//!
//! A mistake is reported where it is found; the functions up to the statement then return
//! [`Reported`], and parsing resumes at the next statement: a keyword, `NAME =` or `}`. So the rest
//! of a broken statement gives no errors of its own, and the statements after it are still read.

mod expr;
mod item;
mod port;
mod stmt;
mod unknown;

use super::ast::{File, Ident};
use super::shorten;
use super::token::{Kind, MAX_ERRORS, Token, tokenize};
use crate::aliases::MODULES;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::fix::Fix;
use crate::forms;

/// The most bytes a source file may have.
pub const MAX_SOURCE: usize = 1 << 20;

/// The most brackets that may be open at once.
pub const MAX_NESTING: usize = 128;

/// The most levels an expression's or a dimension's tree may have. A chain of operators is as high
/// as it is long, so whatever walks the tree recursively, `drop` included, is bounded by this.
pub const MAX_HEIGHT: usize = 512;

/// Reads a file: as much of it as makes sense, and every mistake in it, in the order of the text.
pub fn parse(source: &str) -> (File, Vec<Diagnostic>) {
    if let Some(error) = refuse(source) {
        return (File::default(), vec![error]);
    }
    let (tokens, errors) = tokenize(source);
    let mut parser = Parser {
        source,
        tokens,
        at: 0,
        errors,
        statement: 0,
        open: Vec::new(),
        forgiven_braces: 0,
    };
    let file = parser.file();
    let mut errors = parser.errors;
    errors.sort_by_key(|error| error.span.start);
    if errors.len() > MAX_ERRORS {
        errors.truncate(MAX_ERRORS);
        let last = errors[MAX_ERRORS - 1].span;
        let message = format!("more than {MAX_ERRORS} errors, the rest are not shown");
        errors.push(Diagnostic::error(Code::TooManyErrors, last, message));
    }
    (file, errors)
}

/// What is wrong with a file that is not worth reading.
fn refuse(source: &str) -> Option<Diagnostic> {
    if source.len() > MAX_SOURCE {
        let message =
            format!("the file has {} bytes, more than the limit of {MAX_SOURCE}", source.len());
        let help = "a .net file describes a network; its data and weights are kept beside it";
        return Some(Diagnostic::error(Code::SourceTooLarge, Span::new(0, 0), message).help(help));
    }
    if source.starts_with("FANN_") {
        let end = source.find(['\n', '\r']).unwrap_or(source.len()).min(80);
        let span = Span::of(0..source.floor_char_boundary(end));
        let message = "this is a network file of FANN, another program";
        let help = "an Arenet file begins with a network: `net name { input x: [N, 3] ... }`";
        return Some(Diagnostic::error(Code::ForeignFile, span, message).help(help));
    }
    None
}

/// Proof that an error has been reported.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// A tree and the number of its levels.
struct Tree<T> {
    root: T,
    height: usize,
}

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    /// The index of the next token.
    at: usize,
    errors: Vec<Diagnostic>,
    /// Where the current statement begins.
    statement: u32,
    /// The brackets of the current statement that wait for their other half.
    open: Vec<Token>,
    /// How many `}` to pass over, because their absence or presence has been reported.
    forgiven_braces: usize,
}

impl Parser<'_> {
    fn nth(&self, n: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + n).min(last)]
    }

    fn peek(&self) -> Kind {
        self.nth(0).kind
    }

    fn span(&self) -> Span {
        self.nth(0).span
    }

    /// The span of the token before the next one.
    fn last_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn text(&self, token: Token) -> &str {
        &self.source[token.span.range()]
    }

    fn bump(&mut self) -> Token {
        let token = self.nth(0);
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.peek() == kind;
        if found {
            self.bump();
        }
        found
    }

    /// Records an error, unless its place already has one, or it may come of one before it in the
    /// same statement. After too many errors nothing more is read.
    fn report(&mut self, error: Diagnostic) -> Reported {
        let statement = self.statement..error.span.start;
        let known = self.errors.iter().any(|other| {
            let hides = matches!(other.code, Code::UnknownCharacter | Code::UnterminatedString);
            let start = other.span.start;
            start == error.span.start || (hides && statement.contains(&start))
        });
        if !known {
            self.errors.push(error);
        }
        if self.errors.len() > MAX_ERRORS {
            self.at = self.tokens.len() - 1;
        }
        Reported
    }

    /// Whether an error has been found between an offset and the next token.
    fn has_error_since(&self, offset: u32) -> bool {
        let range = offset..=self.span().start;
        self.errors.iter().any(|error| range.contains(&error.span.start))
    }

    /// Notes that a statement begins here. What cannot begin one belongs to the one before.
    fn begin_statement(&mut self) {
        self.open.clear();
        if self.peek() == Kind::Ident || self.peek().is_keyword() {
            self.statement = self.span().start;
        }
    }

    /// The error that something is not what the grammar asks for here.
    fn expected(&self, what: &str) -> Diagnostic {
        let found = self.describe(self.nth(0));
        let message = format!("expected {what}, found {found}");
        Diagnostic::error(Code::UnexpectedToken, self.gap(), message)
    }

    /// The place of what is missing: the next token or, where that begins a line, and so belongs to
    /// a statement that may well be right, the end of the token before.
    fn gap(&self) -> Span {
        if self.at == 0 || !(self.first_on_line(self.at) || self.peek() == Kind::End) {
            return self.span();
        }
        let end = self.last_span().end;
        Span::new(end, end)
    }

    fn describe(&self, token: Token) -> String {
        match token.kind {
            Kind::End => "the end of the file".to_string(),
            Kind::String => "a string".to_string(),
            kind if kind.is_keyword() => format!("the keyword `{}`", self.text(token)),
            _ => format!("`{}`", shorten(self.text(token))),
        }
    }

    fn expect(&mut self, kind: Kind, what: &str) -> Parsed<Span> {
        if self.peek() == kind {
            return Ok(self.bump().span);
        }
        let error = self.expected(what);
        // Where the value behind it stands already, nothing but the sign is missing.
        let sign = match kind {
            Kind::Equals => Some(" ="),
            Kind::Colon => Some(":"),
            Kind::DotDot => Some(".."),
            _ => None,
        };
        let begins_value = self.begins_item() || self.peek() == Kind::LeftBracket;
        let follows = begins_value && !self.first_on_line(self.at) && !self.at_statement(self.at);
        let sign = sign.filter(|_| follows);
        let fix = sign.map(|sign| Fix::insert(self.last_span().end, sign));
        Err(self.report(error.fix(fix)))
    }

    /// Whether a name or a literal stands here.
    fn begins_item(&self) -> bool {
        matches!(self.peek(), Kind::Ident | Kind::Int | Kind::Float | Kind::String)
    }

    /// A name for `what`, such as "the input".
    fn ident(&mut self, what: &str) -> Parsed<Ident> {
        self.mend_keyword();
        let token = self.nth(0);
        if token.kind == Kind::Ident {
            self.bump();
            return Ok(Ident { name: self.text(token).to_string(), span: token.span });
        }
        let error = self.expected(&format!("the name of {what}"));
        Err(self.report(error))
    }

    /// Where a name must stand, takes a keyword for one if no statement seems to begin with it.
    fn mend_keyword(&mut self) {
        let name_follows = self.nth(1).kind == Kind::Ident && !self.first_on_line(self.at + 1);
        if !self.first_on_line(self.at) && !name_follows {
            self.allow_keyword();
        }
    }

    /// Where the next token is a keyword, says that it cannot be a name and makes it one.
    fn allow_keyword(&mut self) {
        let token = self.nth(0);
        if !token.kind.is_keyword() {
            return;
        }
        self.tokens[self.at].kind = Kind::Ident;
        let message = format!("`{}` is a keyword and cannot be a name", self.text(token));
        let error = Diagnostic::error(Code::ReservedName, token.span, message);
        let form = forms::named(self.text(token)).map_or("", |form| form.example);
        self.report(error.help(format!("choose another name: the keyword is for `{form}`")));
    }

    /// Passes over the modules in `nn.ReLU(x)` and `optim.Adam()`, and says that there are none.
    fn skip_modules(&mut self) {
        let first = self.nth(0);
        let is_module = |token: Token| MODULES.contains(&self.text(token));
        if self.nth(1).kind != Kind::Dot || first.kind != Kind::Ident || !is_module(first) {
            return;
        }
        let mut ahead = 2;
        while self.nth(ahead).kind == Kind::Ident && self.nth(ahead + 1).kind == Kind::Dot {
            ahead += 2;
        }
        if self.nth(ahead).kind != Kind::Ident || self.nth(ahead + 1).kind != Kind::LeftParen {
            return;
        }
        let span = first.span.join(self.nth(ahead - 1).span);
        let function = shorten(self.text(self.nth(ahead))).to_string();
        let error = Diagnostic::error(Code::ForeignSyntax, span, "functions stand in no module");
        let error = error.help(format!("write `{function}(...)` alone"));
        self.report(error.fix(Fix::remove("the module", span)));
        self.at += ahead;
    }

    /// Passes over an opening bracket, which [`Parser::close`] or [`Parser::recover`] looks for.
    fn open(&mut self) -> Parsed<Token> {
        let token = self.nth(0);
        if self.open.len() >= MAX_NESTING {
            let message = format!("more than {MAX_NESTING} brackets are open here");
            let error = Diagnostic::error(Code::NestingTooDeep, token.span, message);
            return Err(self.report(error.help("name the inner parts in statements of their own")));
        }
        self.bump();
        self.open.push(token);
        Ok(token)
    }

    fn close(&mut self, kind: Kind) -> Parsed<Span> {
        if self.peek() == kind {
            self.open.pop();
            return Ok(self.bump().span);
        }
        Err(self.unclosed(kind))
    }

    /// Reports that the innermost bracket of the statement is not closed here.
    fn unclosed(&mut self, kind: Kind) -> Reported {
        let (wanted, bracket) = match kind {
            Kind::RightParen => ("`,` or `)`", ")"),
            _ => ("`,` or `]`", "]"),
        };
        let mut error = self.expected(wanted);
        error.code = Code::UnclosedBracket;
        let (end, before) = (self.last_span().end, self.tokens[self.at.saturating_sub(1)].kind);
        let ends_line = self.first_on_line(self.at) || self.peek() == Kind::End;
        let fix = match before {
            // `lr 0.1` may be one argument, and `init he` another.
            Kind::Ident if self.at_item() && kind == Kind::RightParen => {
                Some(Fix::insert(end, ":").likely())
            }
            _ if self.at_item() => Some(Fix::insert(end, ",")),
            Kind::Comma => None,
            _ if ends_line && self.open.len() == 1 => Some(Fix::insert(end, bracket)),
            _ => None,
        };
        self.report_open(error.fix(fix))
    }

    /// Whether an item of a list stands here, and no statement.
    fn at_item(&self) -> bool {
        self.begins_item() && !self.at_statement(self.at) && !self.first_on_line(self.at)
    }

    /// Reports an error that may come of a bracket that is not closed.
    fn report_open(&mut self, mut error: Diagnostic) -> Reported {
        if let Some(&open) = self.open.last() {
            error = error.label(open.span, format!("this `{}` is open", self.text(open)));
        }
        self.report(error)
    }

    /// Items between brackets, separated by commas; a comma after the last one is allowed.
    fn list<T>(
        &mut self,
        close: Kind,
        may_be_empty: bool,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<(Vec<T>, Span)> {
        let open = self.open()?;
        let mut items = Vec::new();
        let mut reported = false;
        while self.peek() != close || (items.is_empty() && !may_be_empty) {
            items.push(item(self)?);
            if self.eat(Kind::Comma) || self.peek() == close {
                continue;
            }
            if !reported {
                self.unclosed(close);
                reported = true;
            }
            // Where only the comma is missing, the items after it may hold mistakes of their own.
            if !self.at_item() {
                return Err(Reported);
            }
        }
        let end = self.close(close)?;
        Ok((items, open.span.join(end)))
    }

    /// Whether a line begins with the token.
    fn first_on_line(&self, at: usize) -> bool {
        let start = match at.checked_sub(1) {
            Some(before) => self.tokens[before].span.end as usize,
            None => return true,
        };
        self.tokens
            .get(at)
            .is_some_and(|token| self.source[start..token.span.start as usize].contains('\n'))
    }

    /// Whether a statement begins at the token: a keyword, or `NAME =`.
    fn at_statement(&self, at: usize) -> bool {
        match self.tokens[at].kind {
            Kind::In => false,
            Kind::Ident => self.tokens[at + 1].kind == Kind::Equals,
            kind => kind.is_keyword(),
        }
    }

    /// Whether one of the blocks in braces begins here.
    fn at_section(&self) -> bool {
        match self.peek() {
            Kind::Net | Kind::Block => self.nth(1).kind == Kind::Ident,
            Kind::Train => matches!(self.nth(1).kind, Kind::LeftBrace | Kind::Ident),
            _ => false,
        }
    }

    /// Whether what stands here begins a line and follows a token that can end a statement. Nearly
    /// all statements do, though the grammar does not ask for it, and misspelt keywords too.
    fn at_likely_statement(&self) -> bool {
        let ends = [
            Kind::Ident,
            Kind::Int,
            Kind::Float,
            Kind::String,
            Kind::RightParen,
            Kind::RightBracket,
            Kind::LeftBrace,
            Kind::RightBrace,
        ];
        self.peek() == Kind::Ident
            && self.at > 0
            && self.first_on_line(self.at)
            && ends.contains(&self.tokens[self.at - 1].kind)
    }

    /// Passes over the rest of a broken statement that began at token `start`.
    fn recover(&mut self, start: usize) {
        if self.at == start {
            self.bump();
        }
        let mut depth = self.open.len();
        let mut braces = 0_usize;
        self.open.clear();
        loop {
            match self.peek() {
                Kind::End => return,
                Kind::RightBrace if braces == 0 => return,
                Kind::LeftBrace => braces += 1,
                Kind::RightBrace => braces -= 1,
                Kind::LeftParen | Kind::LeftBracket => depth += 1,
                Kind::RightParen | Kind::RightBracket => depth = depth.saturating_sub(1),
                // `f(lr = 1` is a mistaken argument, unless the line begins with it.
                Kind::Ident if depth > 0 && !self.first_on_line(self.at) => {}
                _ if self.at_section() => return,
                _ if braces == 0 && self.at_statement(self.at) => return,
                _ if braces == 0 && depth == 0 && self.at_likely_statement() => return,
                _ => {}
            }
            self.bump();
        }
    }
}
