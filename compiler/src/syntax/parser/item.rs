//! Parses the top level of a file: `const`, `block`, `net` and `train`.

use super::stmt::{Section, Statement};
use super::{Parsed, Parser, Reported, shorten};
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::fix::Fix;
use crate::forms::SETTINGS;
use crate::syntax::ast::{Bind, Block, Expr, File, Ident, Item, Net, Spanned, Stmt, Train};
use crate::syntax::token::{Kind, Token};

impl Parser<'_> {
    /// `file = { const | block | net | train }`
    pub(super) fn file(&mut self) -> File {
        let mut file = File::default();
        while self.peek() != Kind::End {
            let start = self.at;
            if let Err(Reported) = self.item(&mut file.items) {
                self.recover_item(start);
            }
        }
        file
    }

    fn item(&mut self, items: &mut Vec<Item>) -> Parsed<()> {
        self.begin_statement();
        self.correct_keyword(Section::File);
        match self.peek() {
            Kind::Const => {
                self.bump();
                items.push(Item::Const(self.bind()?));
            }
            Kind::Block => {
                let block = self.block(items)?;
                items.push(Item::Block(block));
            }
            Kind::Net => {
                let net = self.net(items)?;
                items.push(Item::Net(net));
            }
            Kind::Train => {
                let train = self.train(items)?;
                items.push(Item::Train(train));
            }
            Kind::RightBrace => self.stray_brace(),
            _ if self.at_statement(self.at) => self.stray_statements(),
            _ => return Err(self.unknown_statement(Section::File)),
        }
        Ok(())
    }

    /// `net = "net" ID "{" {stmt} "}"`
    fn net(&mut self, items: &mut Vec<Item>) -> Parsed<Net> {
        let start = self.bump().span;
        let name = match self.ident("the network") {
            // The statements of a network without a name may hold mistakes of their own.
            Err(Reported) if self.peek() == Kind::LeftBrace => {
                Ident { name: String::new(), span: self.gap() }
            }
            name => name?,
        };
        let (statements, end) = self.body(Section::Net, items);
        let as_stmt = |Spanned { node, span }| match node {
            Statement::Net(node) => Some(Spanned { node, span }),
            Statement::Bind(bind) => Some(Spanned { node: Stmt::Bind(bind), span }),
            _ => None,
        };
        let body = statements.into_iter().filter_map(as_stmt).collect();
        Ok(Net { name, body, span: start.join(end) })
    }

    /// `train = "train" "{" { entry } "}"`
    fn train(&mut self, items: &mut Vec<Item>) -> Parsed<Train> {
        let start = self.bump().span;
        let (statements, end) = self.body(Section::Train, items);
        let as_entry = |Spanned { node, span }| match node {
            Statement::Train(node) => Some(Spanned { node, span }),
            _ => None,
        };
        let body = statements.into_iter().filter_map(as_entry).collect();
        Ok(Train { body, span: start.join(end) })
    }

    /// `block = "block" ID "(" ID {"," ID} ")" "{" {bind} "return" expr "}"`
    fn block(&mut self, items: &mut Vec<Item>) -> Parsed<Block> {
        let start = self.bump().span;
        let head = self.block_head();
        if head.is_err() {
            // The statements of the block may hold mistakes of their own.
            self.skip_to_brace();
            if self.peek() != Kind::LeftBrace {
                return Err(Reported);
            }
        }
        let (statements, end) = self.body(Section::Block, items);
        let (name, params) = head?;
        let mut body = Vec::new();
        let mut result: Option<(Expr, Span)> = None;
        for statement in statements {
            match (statement.node, &result) {
                (Statement::Bind(bind), None) => body.push(bind),
                (Statement::Return(value, span), None) => result = Some((value, span)),
                (Statement::Bind(bind), Some((_, span))) => {
                    self.after_return(bind.name.span, *span)
                }
                (Statement::Return(_, second), Some((_, span))) => self.after_return(second, *span),
                _ => {}
            }
        }
        // Where there is an error already, the `return` may be what it is about.
        if result.is_none() && !self.has_error_since(start.start) {
            let message = format!("the block `{}` returns nothing", shorten(&name.name));
            let error = Diagnostic::error(Code::MissingReturn, name.span, message);
            let fix = body.last().map(|Bind { name, value }| {
                Fix::insert(value.span.end, format!("\n    return {}", name.name)).likely()
            });
            self.report(error.help("the last statement of a block is `return ...`").fix(fix));
        }
        let result = result.map(|(value, _)| value);
        Ok(Block { name, params, body, result, span: start.join(end) })
    }

    /// `ID "(" ID {"," ID} ")"`
    fn block_head(&mut self) -> Parsed<(Ident, Vec<Ident>)> {
        let name = self.ident("the block")?;
        let params = self.names(&name)?;
        Ok((name, params))
    }

    fn skip_to_brace(&mut self) {
        while !matches!(self.peek(), Kind::LeftBrace | Kind::RightBrace | Kind::End)
            && !self.at_statement(self.at)
        {
            self.bump();
        }
    }

    fn after_return(&mut self, span: Span, result: Span) {
        let message = "nothing can follow the `return` of a block";
        let error = Diagnostic::error(Code::MisplacedStatement, span, message);
        self.report(error.label(result, "the value is returned here"));
    }

    /// The statements between braces, and the span of the closing one.
    fn body(&mut self, section: Section, items: &mut Vec<Item>) -> (Vec<Spanned<Statement>>, Span) {
        if self.peek() != Kind::LeftBrace {
            let error = self.expected("`{`");
            self.report(error);
            let at = self.at;
            while self.peek() != Kind::LeftBrace && self.peek() != Kind::End {
                self.bump();
                if self.first_on_line(self.at) {
                    self.at = at;
                    break;
                }
            }
        }
        let brace = self.nth(0);
        self.eat(Kind::LeftBrace);
        let mut statements = Vec::new();
        loop {
            if self.peek() == Kind::RightBrace {
                return (statements, self.bump().span);
            }
            if self.peek() == Kind::End || self.at_section() {
                self.unclosed_body(brace);
                return (statements, self.last_span());
            }
            let start = self.at;
            self.begin_statement();
            match self.statement(section) {
                Ok(Some(Statement::Const(bind))) => items.push(Item::Const(bind)),
                Ok(statement) => {
                    let span = self.tokens[start].span.join(self.last_span());
                    statements.extend(statement.map(|node| Spanned { node, span }));
                }
                Err(Reported) => self.recover(start),
            }
        }
    }

    fn unclosed_body(&mut self, brace: Token) {
        // Where the `{` is missing too, that is enough said.
        if brace.kind == Kind::LeftBrace {
            let mut error = self.expected("`}`");
            error.code = Code::UnclosedBracket;
            error = error.label(brace.span, "this `{` is open");
            error = match self.peek() {
                Kind::End => error.fix(Fix::insert(self.last_span().end, "\n}")),
                _ => error.help("`net`, `train` and `block` stand side by side"),
            };
            self.report(error);
        }
        // Where a section stands inside another one by mistake, the outer brace comes later.
        self.forgiven_braces += usize::from(self.peek() != Kind::End);
    }

    fn stray_brace(&mut self) {
        let span = self.bump().span;
        if self.forgiven_braces > 0 {
            self.forgiven_braces -= 1;
        } else {
            let message = "this `}` closes nothing";
            self.report(Diagnostic::error(Code::UnmatchedBracket, span, message));
        }
    }

    /// Statements outside of everything, perhaps because a `}` came too early.
    fn stray_statements(&mut self) {
        let message = "this statement stands outside of `net`, `train` and `block`";
        let error = Diagnostic::error(Code::MisplacedStatement, self.span(), message);
        let token = self.nth(0);
        let is_setting = SETTINGS.iter().any(|form| {
            let name = form.split([' ', '(']).next().unwrap_or_default();
            aliases::is_for(self.text(token), name)
        });
        let of_train = Section::Train.keywords().contains(&token.kind) || is_setting;
        let help = match of_train {
            true => "it stands between the braces of `train { ... }`",
            false => "statements stand between the braces of `net name { ... }`",
        };
        self.report(error.help(help));
        self.forgiven_braces += 1;
        while !matches!(self.peek(), Kind::End | Kind::RightBrace | Kind::Const)
            && !self.at_section()
        {
            let start = self.at;
            self.begin_statement();
            if let Err(Reported) = self.statement(Section::File) {
                self.recover(start);
            }
        }
    }

    /// Whether a line begins here that is no part of a foreign construct: one that is not indented
    /// and says so by its first word.
    fn begins_elsewhere(&self) -> bool {
        let token = self.nth(0);
        let start = token.span.start as usize;
        let is_first = start == 0 || self.source[..start].ends_with('\n');
        is_first && (self.at_statement(self.at) || self.is_foreign(token))
    }

    /// Passes over what is no item, braces and all.
    fn recover_item(&mut self, start: usize) {
        if self.at == start {
            self.bump();
        }
        let mut braces = 0_usize;
        while self.peek() != Kind::End && !self.at_section() {
            match self.peek() {
                Kind::Const if braces == 0 => return,
                _ if braces == 0 && self.begins_elsewhere() => return,
                Kind::LeftBrace => braces += 1,
                Kind::RightBrace => braces = braces.saturating_sub(1),
                _ => {}
            }
            self.bump();
        }
    }
}
