//! Parses expressions and types.

use std::num::IntErrorKind;

use super::{MAX_HEIGHT, Parsed, Parser, Reported, Tree, shorten};
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::fix::{Edit, Fix};
use crate::syntax::ast::{Arg, BinaryOp, Call, Dim, Expr, ExprKind, Ident, Type};
use crate::syntax::token::{Kind, unescape};

/// The largest integer below which a 64-bit float holds every one.
const MAX_EXACT: u64 = 1 << 53;

const DIM_HELP: &str = "a size is a whole number, a name, or a sum or product of those";

const BATCH_HELP: &str = "the batch is written `N`: `[N, 4]`";

impl Parser<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        Ok(self.operators(0)?.root)
    }

    /// `expr = sum { "|>" (ID | call) }`, `sum = prod { ("+"|"-") prod }` and
    /// `prod = unary { ("*"|"/"|"@") unary }` by precedence climbing: the operators of a level, 0
    /// being the loosest, and of tighter ones.
    ///
    /// This and what it calls down to itself build their errors elsewhere: the stack holds
    /// [`MAX_NESTING`](super::MAX_NESTING) of their frames.
    fn operators(&mut self, loosest: usize) -> Parsed<Tree<Expr>> {
        let mut left = self.unary()?;
        loop {
            let (level, op) = match self.peek() {
                Kind::Pipe => (0, None),
                Kind::Plus => (1, Some(BinaryOp::Add)),
                Kind::Minus => (1, Some(BinaryOp::Sub)),
                Kind::Star => (2, Some(BinaryOp::Mul)),
                Kind::Slash => (2, Some(BinaryOp::Div)),
                Kind::At => (2, Some(BinaryOp::MatMul)),
                _ => return Ok(left),
            };
            if level < loosest {
                return Ok(left);
            }
            self.bump();
            left = match op {
                None => self.pipe(left)?,
                Some(op) => {
                    let right = self.operators(level + 1)?;
                    self.binary(op, left, right)?
                }
            };
        }
    }

    fn binary(&mut self, op: BinaryOp, left: Tree<Expr>, right: Tree<Expr>) -> Parsed<Tree<Expr>> {
        let span = left.root.span.join(right.root.span);
        let height = self.grow(span, left.height.max(right.height))?;
        let kind = ExprKind::Binary(op, Box::new(left.root), Box::new(right.root));
        Ok(Tree { root: Expr { kind, span }, height })
    }

    /// The call after `|>`.
    fn pipe(&mut self, left: Tree<Expr>) -> Parsed<Tree<Expr>> {
        self.mend_keyword();
        self.skip_modules();
        if self.peek() != Kind::Ident || self.at_statement(self.at) {
            return Err(self.no_pipe_target());
        }
        let function = self.ident("the function")?;
        let call = if self.peek() == Kind::LeftParen {
            self.call_of(function)?
        } else {
            let span = function.span;
            Tree { root: Call { function, args: Vec::new(), span }, height: 1 }
        };
        self.piped(left, call)
    }

    fn piped(&mut self, left: Tree<Expr>, call: Tree<Call>) -> Parsed<Tree<Expr>> {
        let span = left.root.span.join(call.root.span);
        let height = self.grow(span, left.height.max(call.height))?;
        let kind = ExprKind::Pipe(Box::new(left.root), call.root);
        Ok(Tree { root: Expr { kind, span }, height })
    }

    fn no_pipe_target(&mut self) -> Reported {
        let error = self.expected("a layer or function after `|>`");
        self.report(error.help("a pipe reads `x |> relu` or `x |> dense(3)`"))
    }

    /// `unary = ["-"] atom { "." ID }`
    fn unary(&mut self) -> Parsed<Tree<Expr>> {
        let start = self.span();
        let negative = self.eat(Kind::Minus);
        let mut inner = self.atom()?;
        loop {
            inner = match self.peek() {
                Kind::Dot => self.field(inner)?,
                Kind::LeftBracket if self.follows_closely() => self.applied(inner)?,
                Kind::LeftParen if self.follows_closely() && is_call(&inner) => {
                    self.applied(inner)?
                }
                _ => break,
            }
        }
        if !negative {
            return Ok(inner);
        }
        let span = start.join(inner.root.span);
        let height = self.grow(span, inner.height)?;
        Ok(Tree { root: Expr { kind: ExprKind::Neg(Box::new(inner.root)), span }, height })
    }

    fn field(&mut self, left: Tree<Expr>) -> Parsed<Tree<Expr>> {
        let dot = self.bump().span;
        if let ExprKind::Number(_) = left.root.kind {
            let span = left.root.span.join(dot);
            let message = "a number needs a digit after its point";
            let error = Diagnostic::error(Code::MalformedNumber, span, message);
            let error = error.help("write `1.0`").fix(Fix::insert(dot.end, "0"));
            return Err(self.report(error));
        }
        let name = self.ident("a parameter")?;
        if self.peek() == Kind::LeftParen {
            return self.method(left, dot, name);
        }
        let span = left.root.span.join(name.span);
        let height = self.grow(span, left.height)?;
        let kind = ExprKind::Field(Box::new(left.root), name);
        Ok(Tree { root: Expr { kind, span }, height })
    }

    /// `x.f(1)`, which is told, and read as `x |> f(1)`.
    fn method(&mut self, left: Tree<Expr>, dot: Span, name: Ident) -> Parsed<Tree<Expr>> {
        let message = format!("`{}` is called like a method", shorten(&name.name));
        let error = Diagnostic::error(Code::ForeignSyntax, name.span, message);
        let fix = Fix::write(dot, " |> ").likely();
        self.report(error.help("a call is `f(x)` or `x |> f`").fix(fix));
        let call = self.call_of(name)?;
        self.piped(left, call)
    }

    /// Whether the next token stands right behind the one before.
    fn follows_closely(&self) -> bool {
        self.at > 0 && self.last_span().end == self.span().start
    }

    /// `h[0]` and `f(4)(x)`, which are told; the second is read as `x |> f(4)`.
    fn applied(&mut self, left: Tree<Expr>) -> Parsed<Tree<Expr>> {
        let span = self.span();
        let is_index = self.peek() == Kind::LeftBracket;
        let (message, help) = match is_index {
            true => ("a value has no index", "a part of each row is `slice(h, from: 0, to: 1)`"),
            false => ("a call is not called again", "its value comes by a pipe: `x |> dense(3)`"),
        };
        self.report(Diagnostic::error(Code::ForeignSyntax, span, message).help(help));
        let close = if is_index { Kind::RightBracket } else { Kind::RightParen };
        let (mut items, _) = self.list(close, true, |parser| parser.operators(0))?;
        match (left, items.pop()) {
            (Tree { root: Expr { kind: ExprKind::Call(call), .. }, height }, Some(value))
                if !is_index && items.is_empty() =>
            {
                self.piped(value, Tree { root: call, height })
            }
            (left, _) => Ok(left),
        }
    }

    /// `atom = NUM | STR | ID | call | "(" expr ")" | "[" [ expr {"," expr} ] "]"`
    fn atom(&mut self) -> Parsed<Tree<Expr>> {
        self.mend_keyword();
        self.skip_modules();
        let token = self.nth(0);
        let kind = match token.kind {
            Kind::Int | Kind::Float => ExprKind::Number(self.number()),
            Kind::String => ExprKind::String(unescape(self.text(token))),
            // The value of a binding is missing when the next one begins in its place.
            Kind::Ident if self.at_statement(self.at) => return Err(self.no_value()),
            Kind::Ident if self.nth(1).kind == Kind::LeftParen => {
                let function = self.ident("the function")?;
                let Tree { root: call, height } = self.call_of(function)?;
                let span = call.span;
                return Ok(Tree { root: Expr { kind: ExprKind::Call(call), span }, height });
            }
            Kind::Ident => ExprKind::Name(self.text(token).to_string()),
            Kind::LeftParen => {
                self.open()?;
                let mut inner = self.operators(0)?;
                inner.root.span = token.span.join(self.close(Kind::RightParen)?);
                return Ok(inner);
            }
            Kind::LeftBracket => {
                let mut height = 0;
                let (items, span) = self.list(Kind::RightBracket, true, |parser| {
                    let item = parser.operators(0)?;
                    height = height.max(item.height);
                    Ok(item.root)
                })?;
                let height = self.grow(span, height)?;
                return Ok(Tree { root: Expr { kind: ExprKind::List(items), span }, height });
            }
            _ => return Err(self.no_value()),
        };
        self.bump();
        Ok(Tree { root: Expr { kind, span: token.span }, height: 1 })
    }

    fn no_value(&mut self) -> Reported {
        let (token, next) = (self.nth(0), self.nth(1));
        if token.kind == Kind::Dot && matches!(next.kind, Kind::Int | Kind::Float) {
            let span = token.span.join(next.span);
            let message = "a number needs a digit before its point";
            let error = Diagnostic::error(Code::MalformedNumber, span, message);
            let error = error.help(format!("write `0.{}`", self.text(next)));
            return self.report(error.fix(Fix::insert(token.span.start, "0")));
        }
        if token.kind != Kind::Ident {
            let error = self.expected("a value");
            return self.report(error);
        }
        let message = format!("expected a value, found `{} =`", shorten(self.text(token)));
        let error = Diagnostic::error(Code::UnexpectedToken, self.gap(), message);
        self.report_open(error)
    }

    fn number(&mut self) -> f64 {
        let token = self.nth(0);
        let text = self.text(token).replace('_', "");
        // What is no number after all has been reported by the tokenizer.
        let value = text.parse::<f64>().unwrap_or(0.0);
        let inexact = match text.parse::<u64>() {
            Ok(integer) => integer > MAX_EXACT,
            Err(error) => *error.kind() == IntErrorKind::PosOverflow,
        };
        if inexact {
            let message = "this integer is larger than 2^53, the largest that is exact here";
            let error = Diagnostic::error(Code::NumberTooLarge, token.span, message);
            let fix = Fix::write(token.span, format!("{value:e}")).likely();
            self.report(error.help("write `1e20` where a rounded value will do").fix(fix));
        } else if value.is_infinite() {
            self.too_large(token.span, "number is larger than a 64-bit float can hold");
        }
        value
    }

    /// The whole number that stands here.
    pub(super) fn integer(&mut self) -> u64 {
        let token = self.bump();
        let text = self.text(token).replace('_', "");
        match text.parse() {
            Ok(value) => value,
            Err(error) => {
                // What is no number after all has been reported by the tokenizer.
                if *error.kind() == IntErrorKind::PosOverflow {
                    self.too_large(token.span, "number is larger than a 64-bit integer can hold");
                }
                0
            }
        }
    }

    pub(super) fn too_large(&mut self, span: Span, what: &str) {
        self.report(Diagnostic::error(Code::NumberTooLarge, span, format!("this {what}")));
    }

    /// `call = ID "(" [ arg {"," arg} ] ")"`
    pub(super) fn call(&mut self, what: &str) -> Parsed<Call> {
        self.mend_keyword();
        if self.peek() != Kind::Ident {
            let error = self.expected(what);
            return Err(self.report(error));
        }
        let function = self.ident(what)?;
        if self.peek() != Kind::LeftParen {
            let name = shorten(&function.name);
            let error = self.expected(&format!("`(` after `{name}`"));
            return Err(self.report(error.help(format!("write `{name}(...)`"))));
        }
        Ok(self.call_of(function)?.root)
    }

    /// The call of a function whose name has been read.
    fn call_of(&mut self, function: Ident) -> Parsed<Tree<Call>> {
        let mut height = 0;
        let (args, list) = self.list(Kind::RightParen, true, |parser| {
            let (arg, arg_height) = parser.arg()?;
            height = height.max(arg_height);
            Ok(arg)
        })?;
        let span = function.span.join(list);
        let height = self.grow(span, height)?;
        Ok(Tree { root: Call { function, args, span }, height })
    }

    /// `arg = [ ID ":" ] expr`
    pub(super) fn arg(&mut self) -> Parsed<(Arg, usize)> {
        let name = self.arg_name()?;
        let Tree { root: value, height } = self.operators(0)?;
        Ok((Arg { name, value }, height))
    }

    /// `ID ":"`, if that stands here.
    fn arg_name(&mut self) -> Parsed<Option<Ident>> {
        let (token, next) = (self.nth(0), self.nth(1));
        let is_name = token.kind == Kind::Ident || token.kind.is_keyword();
        if self.at_assigned_argument() {
            let message = "an argument is named with `:`, not `=`";
            let error = Diagnostic::error(Code::ForeignSyntax, next.span, message);
            let own = aliases::argument(self.text(token));
            let name = own.unwrap_or_else(|| self.text(token)).to_string();
            let name = shorten(&name);
            let is_joined = self.nth(2).span.start == next.span.end;
            let colon = if is_joined { ": " } else { ":" };
            let edit = match own {
                Some(own) => Edit::replace(token.span.join(next.span), format!("{own}{colon}")),
                None => Edit::replace(Span::new(token.span.end, next.span.end), colon),
            };
            let fix = Fix::new(format!("write `{name}:`"), [edit]);
            let ends = matches!(self.nth(3).kind, Kind::Comma | Kind::RightParen);
            let value = if ends { self.text(self.nth(2)) } else { "..." };
            let help = format!("write `{name}: {}`", shorten(value));
            self.report(error.help(help).fix(fix));
        } else if !is_name || next.kind != Kind::Colon {
            return Ok(None);
        }
        // No statement begins so, and a keyword is a name as any other: `metric: accuracy`.
        if self.peek().is_keyword() && self.nth(1).kind == Kind::Colon {
            self.tokens[self.at].kind = Kind::Ident;
        }
        let mut name = self.ident("the argument")?;
        let is_assigned = self.bump().kind == Kind::Equals;
        // What it is called here has been told.
        if let Some(own) = aliases::argument(&name.name).filter(|_| is_assigned) {
            name.name = own.to_string();
        }
        Ok(Some(name))
    }

    /// Whether `NAME =` is meant as a named argument. Where it begins a line it may as well be the
    /// next statement after a call that is not closed; then a `,` or `)` must follow its value.
    fn at_assigned_argument(&self) -> bool {
        /// How far to look; an argument's value is short.
        const TOKENS: usize = 32;
        if self.peek() != Kind::Ident || self.nth(1).kind != Kind::Equals {
            return false;
        }
        if !self.first_on_line(self.at) {
            return true;
        }
        let mut depth = 0_usize;
        for at in (self.at + 2..self.tokens.len()).take(TOKENS) {
            match self.tokens[at].kind {
                Kind::Comma | Kind::RightParen if depth == 0 => return true,
                Kind::LeftParen => depth += 1,
                Kind::RightParen => depth -= 1,
                _ if self.at_statement(at) => return false,
                _ => {}
            }
        }
        false
    }

    /// `type = [ DTYPE ] "[" [ dim {"," dim} ] "]"`
    pub(super) fn ty(&mut self) -> Parsed<Type> {
        let start = self.span();
        let mut dtype = None;
        if self.peek() == Kind::Ident && self.nth(1).kind == Kind::LeftBracket {
            dtype = Some(self.ident("the element type")?);
        }
        if self.peek() != Kind::LeftBracket {
            let error = self.expected("a type such as `[N, 4]` or `i32[N]`");
            return Err(self.report(error.help("a shape stands in brackets, `N` for the rows")));
        }
        let (dims, list) = self.list(Kind::RightBracket, true, |parser| Ok(parser.dim()?.root))?;
        Ok(Type { dtype, dims, span: start.join(list) })
    }

    /// `dim = INT | ID | dim ("*"|"+") dim`
    fn dim(&mut self) -> Parsed<Tree<Dim>> {
        let mut left = self.dim_product()?;
        while self.eat(Kind::Plus) {
            let right = self.dim_product()?;
            left = self.dim_node(left, right, Dim::Add)?;
        }
        if matches!(self.peek(), Kind::Minus | Kind::Slash) {
            let error = self.expected("`,` or `]`");
            return Err(self.report(error.help(DIM_HELP)));
        }
        Ok(left)
    }

    fn dim_product(&mut self) -> Parsed<Tree<Dim>> {
        let mut left = self.dim_atom()?;
        while self.eat(Kind::Star) {
            let right = self.dim_atom()?;
            left = self.dim_node(left, right, Dim::Mul)?;
        }
        Ok(left)
    }

    fn dim_node(
        &mut self,
        left: Tree<Dim>,
        right: Tree<Dim>,
        make: fn(Box<Dim>, Box<Dim>) -> Dim,
    ) -> Parsed<Tree<Dim>> {
        let span = left.root.span().join(right.root.span());
        let height = self.grow(span, left.height.max(right.height))?;
        Ok(Tree { root: make(Box::new(left.root), Box::new(right.root)), height })
    }

    fn dim_atom(&mut self) -> Parsed<Tree<Dim>> {
        self.mend_keyword();
        let root = match self.peek() {
            Kind::Int => {
                let span = self.span();
                Dim::Size(self.integer(), span)
            }
            Kind::Ident if !self.at_statement(self.at) => Dim::Name(self.ident("the size")?),
            kind => {
                let error = self.expected("a size");
                let help = if kind == Kind::Minus { BATCH_HELP } else { DIM_HELP };
                return Err(self.report(error.help(help)));
            }
        };
        Ok(Tree { root, height: 1 })
    }

    /// The height of a node over a subtree.
    fn grow(&mut self, span: Span, height: usize) -> Parsed<usize> {
        if height < MAX_HEIGHT {
            return Ok(height + 1);
        }
        let message = format!("this expression has more than {MAX_HEIGHT} levels of operators");
        let error = Diagnostic::error(Code::NestingTooDeep, span, message);
        Err(self.report(error.help("name a part of it in a statement of its own")))
    }
}

fn is_call(tree: &Tree<Expr>) -> bool {
    matches!(tree.root.kind, ExprKind::Call(_))
}
