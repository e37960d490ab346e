//! Parses statements: what stands inside `net`, `train` and `block`.

use super::{Parsed, Parser, shorten};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{Arg, Bind, Expr, Ident, Stmt, TrainItem};
use crate::syntax::token::{Kind, UNITS};

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Outside of everything.
    File,
    /// Inside the braces of `net`.
    Net,
    /// Inside the braces of `train`.
    Train,
    /// Inside the braces of `block`.
    Block,
}

/// A statement of any section.
pub(super) enum Statement {
    Const(Bind),
    Net(Stmt),
    Train(TrainItem),
    Bind(Bind),
    Return(Expr, Span),
}

impl Section {
    /// The keywords that begin a statement here.
    pub(super) fn keywords(self) -> &'static [Kind] {
        match self {
            Section::File => &[Kind::Const, Kind::Block, Kind::Net, Kind::Train],
            Section::Net => {
                &[Kind::Input, Kind::Output, Kind::Param, Kind::Layer, Kind::Freeze, Kind::Limit]
            }
            Section::Train => &[Kind::Target, Kind::Metric, Kind::Optimizer],
            Section::Block => &[Kind::Return],
        }
    }

    /// The section as a message names it.
    fn name(self) -> &'static str {
        match self {
            Section::File => "at the top of the file",
            Section::Net => "inside `net`",
            Section::Train => "inside `train`",
            Section::Block => "inside `block`",
        }
    }

    /// The section where a keyword belongs.
    fn of(kind: Kind) -> Section {
        let sections = [Section::Net, Section::Train, Section::Block];
        sections
            .into_iter()
            .find(|section| section.keywords().contains(&kind))
            .unwrap_or(Section::File)
    }
}

impl Parser<'_> {
    /// One statement; `None` where one was read that does not count, because it is misplaced.
    pub(super) fn statement(&mut self, section: Section) -> Parsed<Option<Statement>> {
        self.correct_keyword(section);
        let token = self.nth(0);
        let belongs = Section::of(token.kind);
        let statement = match token.kind {
            Kind::Optimizer => Statement::Train(self.optimizer()?),
            Kind::Limit => Statement::Net(self.limit()?),
            _ if self.at_binding() && section == Section::Train => {
                let bind = self.bind()?;
                return Ok(Some(Statement::Train(TrainItem::Set(bind, self.options()?))));
            }
            _ if self.at_binding() => return self.bind().map(Statement::Bind).map(Some),
            _ if section == Section::Train && self.at_setting_of() => {
                return self.setting_of().map(Statement::Train).map(Some);
            }
            Kind::Const => {
                self.misplaced(token.span, section, belongs);
                self.bump();
                // It counts all the same, so that its uses are no errors.
                return self.bind().map(Statement::Const).map(Some);
            }
            Kind::Input => Statement::Net(Stmt::Input(self.port("the input")?)),
            Kind::Output => Statement::Net(self.output()?),
            Kind::Param => Statement::Net(self.param()?),
            Kind::Layer => Statement::Net(self.layer()?),
            Kind::Freeze => Statement::Net(self.freeze()?),
            Kind::Target => Statement::Train(TrainItem::Target(self.port("the target")?)),
            Kind::Metric => {
                self.bump();
                Statement::Train(TrainItem::Metric(self.call("a metric such as `accuracy(y, t)`")?))
            }
            Kind::Return => {
                self.bump();
                Statement::Return(self.expr()?, token.span)
            }
            _ => return Err(self.unknown_statement(section)),
        };
        if belongs == section {
            return Ok(Some(statement));
        }
        self.misplaced(token.span, section, belongs);
        Ok(None)
    }

    /// Whether `NAME =` stands here, even if the name is a keyword.
    fn at_binding(&self) -> bool {
        let name = self.peek() == Kind::Ident || self.peek().is_keyword();
        name && self.nth(1).kind == Kind::Equals
    }

    /// The name of a parameter or of several: `h`, `h.w` or `h.0.w`.
    fn path(&mut self, what: &str) -> Parsed<Ident> {
        let mut path = self.ident(what)?;
        loop {
            let (dot, part) = (self.nth(0), self.nth(1));
            let is_whole = path.span.end == dot.span.start && dot.span.end == part.span.start;
            let is_part = matches!(part.kind, Kind::Ident | Kind::Int | Kind::Float);
            if dot.kind != Kind::Dot || !is_part || !is_whole {
                return Ok(path);
            }
            self.bump();
            let span = path.span.join(self.bump().span);
            path = Ident { name: self.source[span.range()].to_string(), span };
        }
    }

    /// Whether `NAME(NAMES) =` stands here.
    fn at_setting_of(&self) -> bool {
        const LISTED: [Kind; 5] = [Kind::Ident, Kind::Comma, Kind::Dot, Kind::Int, Kind::Float];
        let is_listed = |n: &usize| LISTED.contains(&self.nth(*n).kind);
        let end = 2 + (2..).take_while(is_listed).count();
        [(0, Kind::Ident), (1, Kind::LeftParen), (end, Kind::RightParen), (end + 1, Kind::Equals)]
            .iter()
            .all(|&(n, kind)| self.nth(n).kind == kind)
    }

    /// `ID "(" ID {"," ID} ")" "=" expr`
    fn setting_of(&mut self) -> Parsed<TrainItem> {
        let name = self.ident("the setting")?;
        let params = self.list(Kind::RightParen, false, |parser| parser.path("a parameter"))?.0;
        self.expect(Kind::Equals, "`=` after the parameters")?;
        let value = self.expr()?;
        Ok(TrainItem::Of { params, bind: Bind { name, value } })
    }

    fn misplaced(&mut self, span: Span, section: Section, belongs: Section) {
        // Outside of everything that has been said once, about the first statement.
        if section == Section::File {
            return;
        }
        let word = &self.source[span.range()];
        let message = format!("`{word}` stands {}, not {}", belongs.name(), section.name());
        let mut error = Diagnostic::error(Code::MisplacedStatement, span, message);
        if (word, section) == ("return", Section::Net) {
            error = error.help("a network shows its values: `output y`");
        }
        self.report(error);
    }

    /// `bind = ID "=" expr`
    pub(super) fn bind(&mut self) -> Parsed<Bind> {
        if self.at_binding() {
            self.allow_keyword();
        }
        let name = self.ident("the value")?;
        self.equals(&name)?;
        Ok(Bind { name, value: self.expr()? })
    }

    /// `{"," ID ":" expr}`, after a setting
    fn options(&mut self) -> Parsed<Vec<Arg>> {
        let mut options = Vec::new();
        while self.peek() == Kind::Comma && self.nth(2).kind == Kind::Colon {
            self.bump();
            options.push(self.arg()?.0);
        }
        Ok(options)
    }

    /// The `=` after a name.
    fn equals(&mut self, name: &Ident) -> Parsed<()> {
        let what = format!("`=` after `{}`", shorten(&name.name));
        self.expect(Kind::Equals, &what).map(|_| ())
    }

    /// `"output" ID [ "=" expr ]`
    fn output(&mut self) -> Parsed<Stmt> {
        self.bump();
        let name = self.ident("the output")?;
        let value = if self.eat(Kind::Equals) { Some(self.expr()?) } else { None };
        Ok(Stmt::Output { name, value })
    }

    /// `"param" ID ":" type [ "=" call ]`
    fn param(&mut self) -> Parsed<Stmt> {
        self.bump();
        let name = self.ident("the parameter")?;
        let ty = self.type_of(&name)?;
        let init = if self.eat(Kind::Equals) {
            Some(self.call("an initializer such as `normal(std: 0.1)`")?)
        } else {
            None
        };
        Ok(Stmt::Param { name, ty, init })
    }

    /// `"layer" ID "(" ID {"," ID} ")" "=" expr`
    fn layer(&mut self) -> Parsed<Stmt> {
        self.bump();
        let name = self.ident("the layer")?;
        let params = self.names(&name)?;
        self.equals(&name)?;
        Ok(Stmt::Layer { name, params, value: self.expr()? })
    }

    /// `"(" ID {"," ID} ")"`, after the name of what takes these arguments
    pub(super) fn names(&mut self, of: &Ident) -> Parsed<Vec<Ident>> {
        if self.peek() != Kind::LeftParen {
            let what = format!("`(` and the arguments of `{}`", shorten(&of.name));
            let error = self.expected(&what);
            return Err(self.report(error));
        }
        Ok(self.list(Kind::RightParen, false, |parser| parser.ident("an argument"))?.0)
    }

    /// `"freeze" ID {"," ID}`
    fn freeze(&mut self) -> Parsed<Stmt> {
        self.bump();
        let mut names = vec![self.path("what to freeze")?];
        while self.eat(Kind::Comma) {
            names.push(self.path("what to freeze")?);
        }
        Ok(Stmt::Freeze(names))
    }

    /// `"limit" "memory" "=" NUM unit`
    fn limit(&mut self) -> Parsed<Stmt> {
        let start = self.bump().span;
        if self.peek() != Kind::Ident || self.text(self.nth(0)) != "memory" {
            let error = self.expected("`memory`");
            return Err(self.report(error.help("a limit reads `limit memory = 64 KiB`")));
        }
        self.bump();
        self.expect(Kind::Equals, "`=` after `limit memory`")?;
        let number = self.span();
        if self.peek() != Kind::Int {
            let error = self.expected("a whole number");
            return Err(self.report(error.help("a limit reads `limit memory = 64 KiB`")));
        }
        let count = self.integer();
        let factor = self.unit()?;
        let span = start.join(self.last_span());
        match count.checked_mul(factor) {
            Some(bytes) => Ok(Stmt::Limit { bytes, span }),
            None => {
                let bytes = number.join(self.last_span());
                self.too_large(bytes, "limit is larger than a 64-bit integer can hold");
                Ok(Stmt::Limit { bytes: u64::MAX, span })
            }
        }
    }

    fn unit(&mut self) -> Parsed<u64> {
        let token = self.nth(0);
        let units = UNITS.map(|(name, _)| name);
        if token.kind != Kind::Ident || self.at_statement(self.at) {
            let error = self.expected("a unit");
            return Err(self.report(error.help(format!("a unit is one of {}", units.join(", ")))));
        }
        let text = self.text(token);
        if let Some(&(_, factor)) = UNITS.iter().find(|(name, _)| *name == text) {
            self.bump();
            return Ok(factor);
        }
        let message = format!("unknown unit `{}`", shorten(text));
        let error = Diagnostic::error(Code::UnknownUnit, token.span, message);
        let others = || format!("a unit is one of {}", units.join(", "));
        let error = error.did_you_mean(text, units).unwrap_or_else(|error| error.help(others()));
        self.report(error);
        self.bump();
        Ok(1)
    }

    /// `"optimizer" [ "(" ID {"," ID} ")" ] "=" call`
    fn optimizer(&mut self) -> Parsed<TrainItem> {
        let start = self.bump().span;
        let mut params = Vec::new();
        if self.peek() == Kind::LeftParen {
            params = self.list(Kind::RightParen, false, |parser| parser.path("a parameter"))?.0;
        }
        self.expect(Kind::Equals, "`=` after `optimizer`")?;
        let value = self.expr()?;
        Ok(TrainItem::Optimizer { params, span: start.join(value.span), value })
    }
}
