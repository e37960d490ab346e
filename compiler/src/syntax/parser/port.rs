//! Parses inputs and targets, with all that stands behind their types.

use super::{Parsed, Parser};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{ColumnItem, Columns, Domain, Ident, Missing, Port, Type};
use crate::syntax::token::{Kind, unescape};

/// What may stand behind a type, each once and in any order.
const CLAUSES: [&str; 3] = ["from", "missing", "unknown"];

impl Parser<'_> {
    /// `ID ":" type { domain | columns | missing }`, after its keyword
    pub(super) fn port(&mut self, what: &str) -> Parsed<Port> {
        self.bump();
        let name = self.ident(what)?;
        let ty = self.type_of(&name)?;
        let (mut domain, mut from, mut missing) = (None, None, None);
        loop {
            let span = self.span();
            let is_new = match self.clause() {
                Some("in") => domain.replace(self.domain()?).is_none(),
                Some("from") => from.replace(self.columns()?).is_none(),
                Some(_) => missing.replace(self.missing()?).is_none(),
                None if self.is_stray() => {
                    self.stray();
                    continue;
                }
                None => return Ok(Port { name, ty, domain, from, missing }),
            };
            if !is_new {
                let message = "what stands behind a type is said once";
                let error = Diagnostic::error(Code::DuplicateSetting, span, message);
                self.report(error.help("`unknown` has `missing` in it"));
            }
        }
    }

    /// The word that begins one more thing behind a type.
    fn clause(&self) -> Option<&'static str> {
        if self.peek() == Kind::In {
            return Some("in");
        }
        let word = self.text(self.nth(0));
        let is_name = self.nth(1).kind == Kind::Equals;
        CLAUSES.into_iter().find(|clause| *clause == word && !is_name)
    }

    /// Whether a word stands here that begins nothing.
    fn is_stray(&self) -> bool {
        let next = self.nth(1).kind;
        let begins = matches!(next, Kind::Equals | Kind::LeftParen);
        self.peek() == Kind::Ident && !self.first_on_line(self.at) && !begins
    }

    /// Tells of it and passes it over.
    fn stray(&mut self) {
        let token = self.bump();
        let word = super::shorten(self.text(token));
        let message = format!("`{word}` is nothing that stands behind a type");
        let error = Diagnostic::error(Code::UnexpectedToken, token.span, message);
        let known = CLAUSES.into_iter().chain(["in"]);
        let others = "such as `in [\"a\", \"b\"]`, `from \"mass\"` or `missing`";
        let error = error.did_you_mean(&word, known).unwrap_or_else(|error| error.help(others));
        self.report(error);
    }

    /// `ID ":" type`, without its name
    pub(super) fn type_of(&mut self, name: &Ident) -> Parsed<Type> {
        let what = format!("`:` and a type after `{}`", super::shorten(&name.name));
        self.expect(Kind::Colon, &what)?;
        self.ty()
    }

    /// `columns = "from" ( column | "[" column {"," column} "]" )`
    fn columns(&mut self) -> Parsed<Columns> {
        let start = self.bump().span;
        let items = match self.peek() {
            Kind::LeftBracket => self.list(Kind::RightBracket, false, Self::column)?.0,
            _ => vec![self.column()?],
        };
        Ok(Columns { items, span: start.join(self.last_span()) })
    }

    /// `column = STR | INT [ ".." INT ]`
    fn column(&mut self) -> Parsed<ColumnItem> {
        let token = self.nth(0);
        match token.kind {
            Kind::String => {
                self.bump();
                Ok(ColumnItem::Name(unescape(self.text(token)), token.span))
            }
            Kind::Int => {
                let first = self.integer();
                let end = match self.eat(Kind::DotDot) {
                    true if self.peek() != Kind::Int => {
                        let error = self.expected("the end of the range of columns");
                        return Err(self.report(error));
                    }
                    true => self.integer(),
                    false => first.saturating_add(1),
                };
                Ok(ColumnItem::Places(first, end, token.span.join(self.last_span())))
            }
            _ => {
                let error = self.expected("a column, by its name in quotes or its place");
                Err(self.report(error.help("such as `from \"mass\"` or `from [0, 2..5]`")))
            }
        }
    }

    /// `missing = "missing" [ ":" "[" STR {"," STR} "]" ] | "unknown"`
    fn missing(&mut self) -> Parsed<Missing> {
        let token = self.bump();
        if self.text(token) == "unknown" {
            return Ok(Missing::Unknown(token.span));
        }
        if !self.eat(Kind::Colon) {
            return Ok(Missing::Words(Vec::new(), token.span));
        }
        if self.peek() != Kind::LeftBracket {
            let error = self.expected("a list of words such as `[\"none\", \"-9\"]`");
            return Err(self.report(error));
        }
        let (words, _) = self.words("a word in quotes")?;
        let words = words.into_iter().map(|(word, _)| word).collect();
        Ok(Missing::Words(words, token.span.join(self.last_span())))
    }

    /// `"[" STR {"," STR} "]"`
    fn words(&mut self, what: &str) -> Parsed<(Vec<(String, Span)>, Span)> {
        self.list(Kind::RightBracket, false, |parser| {
            if parser.peek() != Kind::String {
                let error = parser.expected(what);
                return Err(parser.report(error));
            }
            let token = parser.bump();
            Ok((unescape(parser.text(token)), token.span))
        })
    }

    /// `domain = "in" ( INT ".." INT | "[" STR {"," STR} "]" )`
    fn domain(&mut self) -> Parsed<Domain> {
        self.bump();
        if self.peek() == Kind::LeftBracket {
            let (names, span) = self.words("a class name in quotes")?;
            return Ok(Domain::Names(names, span));
        }
        let start = self.span();
        let first = self.range_end("a domain such as `0..10` or `[\"cat\", \"dog\"]`")?;
        self.expect(Kind::DotDot, "`..` and the end of the range")?;
        let end = self.range_end("the end of the range")?;
        Ok(Domain::Range(first, end, start.join(self.last_span())))
    }

    fn range_end(&mut self, what: &str) -> Parsed<i64> {
        if self.peek() != Kind::Int {
            let error = self.expected(what);
            return Err(self.report(error));
        }
        let span = self.span();
        let value = i64::try_from(self.integer());
        if value.is_err() {
            self.too_large(span, "number is larger than a signed 64-bit integer can hold");
        }
        Ok(value.unwrap_or(0))
    }
}
