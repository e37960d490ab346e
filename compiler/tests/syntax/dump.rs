//! Writes a tree one node a line, each with the text its span covers.

use std::fmt::Write;

use arenet_compiler::diagnostic::Span;
use arenet_compiler::syntax::ast::*;

pub fn file(file: &File, source: &str) -> String {
    let mut dump = Dump { source, text: String::new() };
    for item in &file.items {
        match item {
            Item::Const(bind) => dump.bind(0, "const", bind),
            Item::Block(block) => dump.block(block),
            Item::Net(net) => {
                dump.line(0, &format!("net {}", net.name.name), net.span);
                net.body.iter().for_each(|stmt| dump.stmt(&stmt.node));
            }
            Item::Train(train) => {
                dump.line(0, "train", train.span);
                train.body.iter().for_each(|entry| dump.entry(&entry.node));
            }
        }
    }
    dump.text
}

struct Dump<'s> {
    source: &'s str,
    text: String,
}

impl Dump<'_> {
    fn line(&mut self, depth: usize, what: &str, span: Span) {
        let text = &self.source[span.range()];
        let text = match text.split_once('\n') {
            Some((first, rest)) => format!("{first} ... {}", rest.lines().last().unwrap().trim()),
            None => text.to_string(),
        };
        writeln!(self.text, "{:indent$}{what} `{text}`", "", indent = 2 * depth).unwrap();
    }

    fn bind(&mut self, depth: usize, what: &str, bind: &Bind) {
        self.line(depth, what, bind.name.span);
        self.expr(depth + 1, &bind.value);
    }

    fn names(&mut self, depth: usize, what: &str, names: &[Ident]) {
        for name in names {
            assert_eq!(name.name, self.source[name.span.range()]);
            self.line(depth, what, name.span);
        }
    }

    fn block(&mut self, block: &Block) {
        self.line(0, &format!("block {}", block.name.name), block.span);
        self.names(1, "arg", &block.params);
        block.body.iter().for_each(|bind| self.bind(1, "bind", bind));
        block.result.iter().for_each(|result| self.expr(1, result));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Input(port) => self.port("input", port),
            Stmt::Output { name, value } => {
                self.line(1, "output", name.span);
                value.iter().for_each(|value| self.expr(2, value));
            }
            Stmt::Param { name, ty, init } => {
                self.line(1, "param", name.span);
                self.ty(ty);
                init.iter().for_each(|call| self.call(2, "init", call));
            }
            Stmt::Layer { name, params, value } => {
                self.line(1, "layer", name.span);
                self.names(2, "arg", params);
                self.expr(2, value);
            }
            Stmt::Freeze(names) => self.names(1, "freeze", names),
            Stmt::Limit { bytes, span } => self.line(1, &format!("limit {bytes}"), *span),
            Stmt::Bind(bind) => self.bind(1, "bind", bind),
        }
    }

    fn entry(&mut self, entry: &TrainItem) {
        match entry {
            TrainItem::Target(port) => self.port("target", port),
            TrainItem::Metric(call) => self.call(1, "metric", call),
            TrainItem::Optimizer { params, value, span } => {
                self.line(1, "optimizer", *span);
                self.names(2, "for", params);
                self.expr(2, value);
            }
            TrainItem::Set(bind, options) => {
                self.bind(1, "set", bind);
                for Arg { name, value } in options {
                    let name = name.as_ref().expect("an option has a name");
                    self.line(2, "option", name.span);
                    self.expr(3, value);
                }
            }
            TrainItem::Of { params, bind } => {
                self.names(1, "of", params);
                self.bind(2, "set", bind);
            }
        }
    }

    fn port(&mut self, what: &str, port: &Port) {
        self.line(1, what, port.name.span);
        self.ty(&port.ty);
        match &port.domain {
            None => {}
            Some(Domain::Range(first, end, span)) => {
                self.line(2, &format!("from {first} to {end}"), *span);
            }
            Some(Domain::Names(names, span)) => {
                self.line(2, "names", *span);
                for (name, span) in names {
                    self.line(3, &format!("{name:?}"), *span);
                }
            }
        }
        if let Some(Columns { items, span }) = &port.from {
            self.line(2, "columns", *span);
            for item in items {
                let (text, span) = match item {
                    ColumnItem::Name(name, span) => (format!("{name:?}"), span),
                    ColumnItem::Places(first, end, span) => (format!("{first} to {end}"), span),
                };
                self.line(3, &text, *span);
            }
        }
        match &port.missing {
            None => {}
            Some(Missing::Words(words, span)) => self.line(2, &format!("missing {words:?}"), *span),
            Some(Missing::Unknown(span)) => self.line(2, "unknown", *span),
        }
    }

    fn ty(&mut self, ty: &Type) {
        self.line(2, "type", ty.span);
        ty.dtype.iter().for_each(|dtype| self.line(3, "dtype", dtype.span));
        ty.dims.iter().for_each(|dim| self.dim(3, dim));
    }

    fn dim(&mut self, depth: usize, dim: &Dim) {
        let (what, parts) = match dim {
            Dim::Size(size, _) => (format!("size {size}"), None),
            Dim::Name(_) => ("name".to_string(), None),
            Dim::Mul(left, right) => ("mul".to_string(), Some((left, right))),
            Dim::Add(left, right) => ("add".to_string(), Some((left, right))),
        };
        self.line(depth, &what, dim.span());
        if let Some((left, right)) = parts {
            self.dim(depth + 1, left);
            self.dim(depth + 1, right);
        }
    }

    fn call(&mut self, depth: usize, what: &str, call: &Call) {
        self.line(depth, &format!("{what} {}", call.function.name), call.span);
        for arg in &call.args {
            match &arg.name {
                Some(name) => {
                    self.line(depth + 1, "arg", name.span);
                    self.expr(depth + 2, &arg.value);
                }
                None => self.expr(depth + 1, &arg.value),
            }
        }
    }

    fn expr(&mut self, depth: usize, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(value) => self.line(depth, &format!("number {value:?}"), expr.span),
            ExprKind::String(value) => self.line(depth, &format!("string {value:?}"), expr.span),
            ExprKind::Name(name) => self.line(depth, &format!("name {name}"), expr.span),
            ExprKind::List(items) => {
                self.line(depth, "list", expr.span);
                items.iter().for_each(|item| self.expr(depth + 1, item));
            }
            ExprKind::Call(call) => self.call(depth, "call", call),
            ExprKind::Pipe(left, call) => {
                self.line(depth, "pipe", expr.span);
                self.expr(depth + 1, left);
                self.call(depth + 1, "into", call);
            }
            ExprKind::Neg(inner) => {
                self.line(depth, "neg", expr.span);
                self.expr(depth + 1, inner);
            }
            ExprKind::Binary(op, left, right) => {
                self.line(depth, &format!("{op:?}").to_lowercase(), expr.span);
                self.expr(depth + 1, left);
                self.expr(depth + 1, right);
            }
            ExprKind::Field(inner, field) => {
                self.line(depth, &format!("field {}", field.name), expr.span);
                self.expr(depth + 1, inner);
            }
        }
    }
}
