//! The names of a text: where each is defined, what it is, and where it is used.
//!
//! Names follow from the syntax tree alone, so they are known of a text with mistakes too, and of
//! blocks that nothing calls. Whether a use is right, and of which shape, is for `lower` to say.

use crate::diagnostic::Span;
use crate::entry::{Entry, find};
use crate::layer::init::INITS;
use crate::layer::{entries, functions};
use crate::optim::OPTIMIZERS;
use crate::schedule::SCHEDULES;
use crate::signature::{Kind, Param, Signature};
use crate::syntax::ast::{
    Arg, Block, Call, Dim, Expr, ExprKind, File, Ident, Item, Net, Port, Spanned, Stmt, Train,
    TrainItem, Type,
};
use crate::watch::{KEEPS, STOPS};
use std::collections::HashMap;

/// A name that a text defines.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// Its text.
    pub name: String,
    /// What it is.
    pub kind: NameKind,
    /// Where it is defined.
    pub span: Span,
    /// The statement or section that defines it.
    pub statement: Span,
    /// Where it can be used.
    pub scope: Span,
    /// Where it is used, in the order of the text.
    pub uses: Vec<Span>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A number, by `const`.
    Constant,
    /// A part for several uses, by `block`.
    Block,
    /// The network.
    Net,
    /// What comes in, by `input`.
    Input,
    /// A value of a statement.
    Value,
    /// A value that predictions show, by `output`.
    Output,
    /// A parameter of its own statement, by `param`.
    Parameter,
    /// A layer that its calls share, by `layer`.
    Layer,
    /// An argument of a block or a layer.
    Argument,
    /// What outputs are compared with, by `target`.
    Target,
}

impl NameKind {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            NameKind::Constant => "constant",
            NameKind::Block => "block",
            NameKind::Net => "net",
            NameKind::Input => "input",
            NameKind::Value => "value",
            NameKind::Output => "output",
            NameKind::Parameter => "parameter",
            NameKind::Layer => "layer",
            NameKind::Argument => "argument",
            NameKind::Target => "target",
        }
    }

    /// Whether it is called.
    pub fn is_called(self) -> bool {
        matches!(self, NameKind::Block | NameKind::Layer)
    }
}

/// All names of a file, in the order of their definitions.
///
/// ```
/// use arenet_compiler::names::names;
/// use arenet_compiler::syntax::parse;
///
/// let text = "const H = 4  net n { input x: [N, H]  output y = x |> dense(H) }";
/// let found = names(&parse(text).0);
/// let uses: Vec<_> = found.iter().map(|name| (name.name.as_str(), name.uses.len())).collect();
/// assert_eq!(uses, [("H", 2), ("n", 0), ("x", 1), ("y", 0)]);
/// ```
pub fn names(file: &File) -> Vec<Name> {
    let mut resolver = Resolver::default();
    resolver.file(file);
    let mut names = resolver.names;
    for name in &mut names {
        name.uses.sort_by_key(|span| span.start);
        name.uses.dedup();
    }
    names.sort_by_key(|name| name.span.start);
    names
}

/// The name that is defined or used at an offset, and where it stands there.
pub fn at(names: &[Name], offset: u32) -> Option<(&Name, Span)> {
    let holds = |span: &Span| span.start <= offset && offset <= span.end;
    names.iter().find_map(|name| {
        let mut places = std::iter::once(&name.span).chain(&name.uses);
        places.find(|span| holds(span)).map(|span| (name, *span))
    })
}

/// The names of a body, by their text: indices of [`Resolver::names`].
type Scope<'a> = HashMap<&'a str, usize>;

#[derive(Default)]
struct Resolver<'a> {
    names: Vec<Name>,
    constants: Scope<'a>,
    blocks: Scope<'a>,
    /// Those of the network and of `train`.
    net: Scope<'a>,
    /// The names of the arguments of a block or a layer, of the one with this index.
    params: HashMap<usize, Scope<'a>>,
    /// The body that is looked at, and whether it sees the network's names.
    body: Option<(Scope<'a>, bool)>,
}

impl<'a> Resolver<'a> {
    fn file(&mut self, file: &'a File) {
        let whole = Span::new(0, u32::MAX);
        for item in &file.items {
            match item {
                Item::Const(bind) => {
                    let statement = bind.name.span.join(bind.value.span);
                    let index = self.add(&bind.name, NameKind::Constant, statement, whole);
                    self.constants.entry(&bind.name.name).or_insert(index);
                }
                Item::Block(block) => {
                    let index = self.add(&block.name, NameKind::Block, block.span, whole);
                    self.blocks.entry(&block.name.name).or_insert(index);
                    self.arguments(index, &block.params, block.span);
                }
                Item::Net(net) => self.declare_net(net, file),
                Item::Train(train) => self.declare_train(train, file),
            }
        }
        for item in &file.items {
            match item {
                Item::Const(bind) => self.expr(&bind.value),
                Item::Block(block) => self.block(block),
                Item::Net(net) => net.body.iter().for_each(|stmt| self.stmt(stmt)),
                Item::Train(train) => train.body.iter().for_each(|entry| self.entry(entry)),
            }
        }
    }

    fn add(&mut self, name: &Ident, kind: NameKind, statement: Span, scope: Span) -> usize {
        let (span, uses) = (name.span, Vec::new());
        self.names.push(Name { name: name.name.clone(), kind, span, statement, scope, uses });
        self.names.len() - 1
    }

    /// The arguments of a block or a layer, which are names of its body.
    fn arguments(&mut self, of: usize, params: &'a [Ident], scope: Span) {
        let mut own = Scope::new();
        for param in params {
            let index = self.add(param, NameKind::Argument, param.span, scope);
            own.entry(&param.name).or_insert(index);
        }
        self.params.insert(of, own);
    }

    fn declare_net(&mut self, net: &'a Net, file: &File) {
        let reach = reach(file);
        if !net.name.name.is_empty() {
            self.add(&net.name, NameKind::Net, net.span, Span::default());
        }
        for Spanned { node, span } in &net.body {
            let (name, kind) = match node {
                Stmt::Input(port) => (&port.name, NameKind::Input),
                Stmt::Output { name, value: Some(_) } => (name, NameKind::Output),
                Stmt::Param { name, .. } => (name, NameKind::Parameter),
                Stmt::Layer { name, .. } => (name, NameKind::Layer),
                Stmt::Bind(bind) => (&bind.name, NameKind::Value),
                Stmt::Output { value: None, .. } | Stmt::Freeze(_) | Stmt::Limit { .. } => continue,
            };
            let index = self.add(name, kind, *span, reach);
            self.net.entry(&name.name).or_insert(index);
            if let Stmt::Layer { params, .. } = node {
                self.arguments(index, params, *span);
            }
        }
    }

    fn declare_train(&mut self, train: &'a Train, file: &File) {
        for Spanned { node, span } in &train.body {
            if let TrainItem::Target(port) = node {
                let index = self.add(&port.name, NameKind::Target, *span, reach(file));
                self.net.entry(&port.name.name).or_insert(index);
            }
        }
    }

    fn block(&mut self, block: &'a Block) {
        let mut own = Scope::new();
        let index = self.blocks.get(block.name.name.as_str());
        if let Some(params) = index.and_then(|index| self.params.get(index)) {
            own.clone_from(params);
        }
        for bind in &block.body {
            let statement = bind.name.span.join(bind.value.span);
            let index = self.add(&bind.name, NameKind::Value, statement, block.span);
            own.entry(&bind.name.name).or_insert(index);
        }
        self.body = Some((own, false));
        block.body.iter().for_each(|bind| self.expr(&bind.value));
        block.result.iter().for_each(|result| self.expr(result));
        self.body = None;
    }

    fn stmt(&mut self, stmt: &'a Spanned<Stmt>) {
        match &stmt.node {
            Stmt::Input(port) => self.port(port),
            Stmt::Output { name, value: None } => self.path(name),
            Stmt::Output { value: Some(value), .. } => self.expr(value),
            Stmt::Param { ty, init, .. } => {
                self.ty(ty);
                init.iter().for_each(|call| self.args_of(INITS, call));
            }
            Stmt::Layer { name, value, .. } => {
                let index = self.net.get(name.name.as_str());
                let params = index.and_then(|index| self.params.get(index));
                self.body = Some((params.cloned().unwrap_or_default(), true));
                self.expr(value);
                self.body = None;
            }
            Stmt::Freeze(names) => names.iter().for_each(|name| self.path(name)),
            Stmt::Limit { .. } => {}
            Stmt::Bind(bind) => self.expr(&bind.value),
        }
    }

    fn entry(&mut self, entry: &'a Spanned<TrainItem>) {
        match &entry.node {
            TrainItem::Target(port) => self.port(port),
            TrainItem::Metric(call) => self.call(call, false),
            TrainItem::Optimizer { params, value, .. } => {
                params.iter().for_each(|name| self.path(name));
                self.of_list(OPTIMIZERS, value);
            }
            TrainItem::Set(bind, _) => match bind.name.name.as_str() {
                "stop" => self.of_list(STOPS, &bind.value),
                "keep" => self.of_list(KEEPS, &bind.value),
                "batch" | "shuffle" if is_word(&bind.value) => {}
                _ => self.expr(&bind.value),
            },
            TrainItem::Of { params, bind } => {
                params.iter().for_each(|name| self.path(name));
                self.expr(&bind.value);
            }
        }
    }

    fn port(&mut self, port: &'a Port) {
        self.ty(&port.ty);
    }

    fn ty(&mut self, ty: &'a Type) {
        ty.dims.iter().for_each(|dim| self.dim(dim));
    }

    fn dim(&mut self, dim: &'a Dim) {
        match dim {
            Dim::Size(..) => {}
            Dim::Name(name) => {
                if let Some(&index) = self.constants.get(name.name.as_str()) {
                    self.names[index].uses.push(name.span);
                }
            }
            Dim::Mul(left, right) | Dim::Add(left, right) => {
                self.dim(left);
                self.dim(right);
            }
        }
    }

    /// `h.0.w`, of which the first part is a name.
    fn path(&mut self, path: &'a Ident) {
        let first = path.name.split('.').next().unwrap_or_default();
        let end = path.span.start + first.len() as u32;
        self.name(first, Span::new(path.span.start, end));
    }

    fn name(&mut self, name: &str, span: Span) {
        if let Some(index) = self.find(name) {
            self.names[index].uses.push(span);
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let own = self.body.as_ref().and_then(|(own, _)| own.get(name));
        let net = self.net.get(name).filter(|_| self.sees_net());
        own.or(net).or_else(|| self.constants.get(name)).copied()
    }

    fn sees_net(&self) -> bool {
        self.body.as_ref().is_none_or(|(_, sees_net)| *sees_net)
    }

    /// Chains lean to the left and may be long, so their spine is walked by a loop.
    fn expr(&mut self, expr: &'a Expr) {
        let mut expr = expr;
        loop {
            match &expr.kind {
                ExprKind::Number(_) | ExprKind::String(_) => return,
                ExprKind::Name(name) => return self.name(name, expr.span),
                ExprKind::List(items) => return items.iter().for_each(|item| self.expr(item)),
                ExprKind::Call(call) => return self.call(call, false),
                ExprKind::Pipe(left, call) => {
                    self.call(call, true);
                    expr = left;
                }
                ExprKind::Neg(inner) => expr = inner,
                ExprKind::Binary(_, left, right) => {
                    self.expr(right);
                    expr = left;
                }
                ExprKind::Field(of, _) => expr = of,
            }
        }
    }

    /// A call of a function, a block or a layer.
    fn call(&mut self, call: &'a Call, is_piped: bool) {
        let name = call.function.name.as_str();
        let function = find(functions(), name).or_else(|| find(entries(), name));
        if let Some(Entry { signature, .. }) = function {
            return self.args(signature, &call.args, is_piped);
        }
        let layer = self.net.get(name).filter(|_| self.sees_net());
        let called = self.blocks.get(name).or(layer).copied();
        if let Some(index) = called {
            self.names[index].uses.push(call.function.span);
        }
        for Arg { name, value } in &call.args {
            let params = called.and_then(|index| self.params.get(&index));
            let meant =
                name.as_ref().and_then(|name| Some((params?.get(name.name.as_str())?, name)));
            if let Some((&index, name)) = meant {
                self.names[index].uses.push(name.span);
            }
            self.expr(value);
        }
    }

    /// What stands where only entries of a list do, such as `adam(lr: H)` or `he`.
    fn of_list<T: 'static>(&mut self, list: &'static [Entry<T>], expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Call(call) => self.args_of(list, call),
            ExprKind::Name(name) if find(list, name).is_some() => {}
            _ => self.expr(expr),
        }
    }

    fn args_of<T: 'static>(&mut self, list: &'static [Entry<T>], call: &'a Call) {
        match find(list, &call.function.name) {
            Some(entry) => self.args(&entry.signature, &call.args, false),
            None => call.args.iter().for_each(|arg| self.expr(&arg.value)),
        }
    }

    fn args(&mut self, signature: &'static Signature, args: &'a [Arg], is_piped: bool) {
        let mut next = usize::from(is_piped);
        for Arg { name, value } in args {
            let param = match name {
                Some(name) => signature.params.iter().find(|param| param.name == name.name),
                None => {
                    next += 1;
                    signature.params.get(next - 1).filter(|_| next <= signature.positional)
                }
            };
            self.arg(param, value);
        }
    }

    /// Words of the language are no names, even where something is called so.
    fn arg(&mut self, param: Option<&Param>, value: &'a Expr) {
        match param.map(|param| param.kind) {
            Some(Kind::Init) => self.of_list(INITS, value),
            Some(Kind::Schedule) => self.of_list(SCHEDULES, value),
            Some(Kind::Watched) => {
                // A metric by its name, such as `accuracy(y)`.
                if let ExprKind::Call(call) = &value.kind {
                    call.args.iter().for_each(|arg| self.expr(&arg.value));
                }
            }
            Some(Kind::Word(_) | Kind::Flag) => {}
            Some(Kind::WordOrReal(words)) if words.iter().any(|word| is_named(value, word)) => {}
            _ => self.expr(value),
        }
    }
}

fn is_word(expr: &Expr) -> bool {
    ["full", "true", "false"].into_iter().any(|word| is_named(expr, word))
}

fn is_named(expr: &Expr, word: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name == word)
}

/// Where the names of a network can be used: in it, and in `train`.
fn reach(file: &File) -> Span {
    let spans = file.items.iter().filter_map(|item| match item {
        Item::Net(net) => Some(net.span),
        Item::Train(train) => Some(train.span),
        _ => None,
    });
    spans.reduce(Span::join).unwrap_or_default()
}
