//! From syntax tree to [`Model`]: names, shapes and settings.
//!
//! Every mistake of a file is told in one run. A name whose value failed is poisoned: its uses
//! are silent. What the language offers — functions, optimizers, their arguments — is data in
//! `layer` and `optim`; this is only how it is looked up, matched and wired.

mod args;
mod call;
mod constant;
mod expr;
mod figure;
mod fix;
mod hold;
mod holes;
mod lint;
mod names;
mod optimizer;
mod port;
mod rows;
mod train;
mod valid;
mod watch;

use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::fix::Fix;
use crate::graph::{self, DType, NodeId, Origin};
use crate::init::{Init, Rule};
use crate::layer::Builder;
use crate::model::{Figure, Model, Param};
use crate::syntax::ast::{
    self, Call, Expr, File, Ident, Item, Net, Spanned, Stmt, Train, TrainItem, Type,
};
use names::{Binding, Names};
use rows::Crossing;
use std::collections::{HashMap, HashSet};
pub(crate) use train::settings;

/// The most nodes a graph may have before it is differentiated, and the most calls and statements
/// that are expanded to make them.
pub const MAX_NODES: usize = 100_000;

/// The most expressions and calls that may be open at once.
const MAX_DEPTH: usize = 256;

/// The most errors that are told, and the most warnings.
const MAX_TOLD: usize = 100;

/// The most bytes a name may have, and so the names of statements within blocks, put together.
const MAX_NAME: usize = 256;

/// What a missing statement may be the reason of.
const GAPS: &[Code] = &[
    Code::MissingLoss,
    Code::MissingNet,
    Code::MissingOptimizer,
    Code::MissingOutput,
    Code::NothingToTrain,
    Code::UnknownClasses,
    Code::UnknownFunction,
    Code::UnknownName,
];

/// Lowers what was parsed; `sets` has constants by name that replace those of the file, as
/// `--set H=128` does. What is told beside a model are warnings.
///
/// # Errors
/// Every mistake of the text, those that parsing has found among them.
pub fn lower(
    parsed: (File, Vec<Diagnostic>),
    sets: &[(String, f64)],
) -> Result<(Model, Vec<Diagnostic>), Vec<Diagnostic>> {
    let Lowered { model, told, .. } = inspect(parsed, sets);
    match model {
        Some(model) => Ok((model, told)),
        None => Err(told),
    }
}

/// What is known of a text, whether it is right or not.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The model of a text without mistakes.
    pub model: Option<Model>,
    /// Mistakes, or warnings.
    pub told: Vec<Diagnostic>,
    /// The names that were defined, by their places, and what they stand for, as far as that is no
    /// mistake. Those of a block are defined by each call of it.
    pub known: Vec<(Span, Known)>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    /// A number.
    Number(f64),
    /// A value of the network, of this type.
    Value(graph::Type),
}

/// [`lower`] with what is known of a text that has mistakes.
pub fn inspect((file, mut told): (File, Vec<Diagnostic>), sets: &[(String, f64)]) -> Lowered {
    // Statements are missing where the syntax has errors. Nothing is told that those might have
    // made right: unknown names, unless they look misspelt, and gaps.
    let incomplete = !told.is_empty();
    let mut lowering = Lowering::default();
    let has_net = lowering.file(&file, sets);
    let failed = lowering.failed() || incomplete;
    let known = std::mem::take(&mut lowering.known);
    let model = (has_net && !failed).then(|| lowering.finish());
    let mut found = lowering.diagnostics;
    if incomplete {
        let is_meant = |help: &String| {
            help.starts_with("did you") || help.contains(" is called ") || aliases::is_note(help)
        };
        let misspelt = |d: &Diagnostic| d.help.as_ref().is_some_and(is_meant);
        found.retain(|d| !GAPS.contains(&d.code) || misspelt(d));
    }
    if failed {
        // What looks unused may be used where the error is.
        found.retain(|diagnostic| diagnostic.severity == Severity::Error);
    }
    // In the order of the text; the message decides between equals, since maps have no order.
    found.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.span.start, d.span.end);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    told.extend(found);
    told.sort_by_key(|diagnostic| diagnostic.span.start);
    Lowered { model, told, known }
}

/// A value of the language.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    /// A number known to the compiler.
    Number(f64),
    /// A value of the network.
    Node(NodeId),
    /// What an error left; its uses are silent.
    Poison,
}

/// A value, and how to point at it.
#[derive(Clone, Debug)]
struct Operand {
    value: Value,
    /// The expression.
    span: Span,
    /// Where it was defined, when the expression is a name.
    defined: Option<Span>,
}

/// The state of lowering.
#[derive(Default)]
struct Lowering<'a> {
    diagnostics: Vec<Diagnostic>,
    /// What has been told: a block may be wrong in the same way at each of its calls.
    told: HashSet<(Span, String)>,
    names: Names<'a>,
    builder: Builder,
    model: Model,
    /// The parameters by name, and by every beginning of their name: of `h`, of `h.0`.
    params: HashMap<String, Vec<usize>>,
    /// The full names of those.
    param_names: HashSet<String>,
    /// How many parameters are in that map.
    known_params: usize,
    frozen: HashSet<usize>,
    /// The targets of the `train` section, which the net may name.
    targets: Vec<&'a ast::Port>,
    /// The calls so far that go over the rows of the batch.
    crossings: Vec<Crossing<'a>>,
    /// `freeze` may name what comes later, and so may `output`.
    open_frozen: Vec<&'a Ident>,
    open_outputs: Vec<&'a Ident>,
    /// The losses that have been called, by where they are.
    losses: HashMap<Span, Figure>,
    /// A metric could not be made, and who names it is not to blame.
    lost_metrics: bool,
    /// Names of the statements around, outermost first.
    path: Vec<String>,
    /// Blocks and layers being expanded, and where they are called.
    expanding: Vec<(&'a str, Span)>,
    /// Calls and statements so far.
    expanded: usize,
    depth: usize,
    /// What the names stand for that have been defined.
    known: Vec<(Span, Known)>,
    /// The statement that is lowered.
    statement: Span,
    /// Whether it is one of `train`.
    in_train: bool,
    /// A limit was hit: nothing more is lowered.
    stopped: bool,
}

impl<'a> Lowering<'a> {
    /// Lowers a file; whether it has a network.
    fn file(&mut self, file: &'a File, sets: &[(String, f64)]) -> bool {
        self.constants(file, sets);
        for item in &file.items {
            if let Item::Block(block) = item {
                self.declare_block(block);
            }
        }
        let mut net: Option<&Net> = None;
        let mut train: Option<&Train> = None;
        for item in &file.items {
            match item {
                Item::Net(next) => self.only("net", &mut net, next, |net| net.span),
                Item::Train(next) => self.only("train", &mut train, next, |train| train.span),
                Item::Const(_) | Item::Block(_) => {}
            }
        }
        let Some(net) = net else {
            let message = "the file has no network";
            let help = "a network is `net name { input x: [N, 4]  output y = x |> dense(3) }`";
            let span = train.map_or(Span::default(), |train| train.span);
            self.report(Diagnostic::error(Code::MissingNet, span, message).help(help));
            return false;
        };
        let items = train.iter().flat_map(|train| &train.body);
        let targets = items.filter_map(|item| match &item.node {
            TrainItem::Target(port) => Some(port),
            _ => None,
        });
        self.targets = targets.collect();
        self.net(net);
        if let Some(train) = train {
            self.train(train);
        }
        if !self.failed() {
            self.check_domains();
        }
        self.lint_unused();
        true
    }

    /// Notes what a name stands for.
    fn note(&mut self, name: Span, value: &Value) {
        let known = match value {
            Value::Number(number) => Known::Number(*number),
            Value::Node(id) => Known::Value(self.builder.graph.node(*id).ty()),
            Value::Poison => return,
        };
        self.known.push((name, known));
    }

    /// Keeps the first of what a file may have once.
    fn only<T>(
        &mut self,
        what: &str,
        first: &mut Option<&'a T>,
        next: &'a T,
        span: fn(&T) -> Span,
    ) {
        let Some(first) = first else {
            *first = Some(next);
            return;
        };
        let message = format!("the file has a `{what}` section already");
        let error = Diagnostic::error(Code::DuplicateSection, span(next), message);
        self.report(error.second_of(span(first)));
    }

    fn net(&mut self, net: &'a Net) {
        self.model.name = net.name.name.clone();
        self.names.announce(net.body.iter().filter_map(|stmt| name_of(&stmt.node)));
        for Spanned { node: stmt, span } in &net.body {
            self.statement = *span;
            self.statement(stmt);
            self.remember_params(name_of(stmt));
        }
        self.close_outputs();
        if self.model.outputs.is_empty() && !self.failed() {
            let message = format!("the network `{}` has no output", net.name.name);
            let help = "write `output y = ...`";
            let error = Diagnostic::error(Code::MissingOutput, net.name.span, message).help(help);
            let fix = net.body.last().and_then(|stmt| match &stmt.node {
                Stmt::Bind(bind) => Some(Fix::insert(bind.name.span.start, "output ").likely()),
                _ => None,
            });
            self.report(error.fix(fix));
        }
        let frozen = std::mem::take(&mut self.open_frozen);
        self.frozen = self.params_of_all(frozen).into_iter().collect();
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Input(port) => self.input(port),
            Stmt::Bind(bind) => _ = self.bind(&bind.name, &bind.value),
            Stmt::Output { name, value } => self.output(name, value.as_ref()),
            Stmt::Param { name, ty, init } => self.param(name, ty, init.as_ref()),
            Stmt::Layer { name, params, value } => self.declare_layer(name, params, value),
            Stmt::Freeze(names) => self.open_frozen.extend(names),
            Stmt::Limit { bytes, span } => {
                if let Some((_, first)) = self.model.memory_limit.replace((*bytes, *span)) {
                    let message = "the memory has a limit already";
                    let error = Diagnostic::error(Code::DuplicateLimit, *span, message);
                    self.report(error.second_of(first));
                }
            }
        }
    }

    /// `name = value`; whether the name was free.
    fn bind(&mut self, name: &'a Ident, value: &'a Expr) -> bool {
        let operand = self.named(&name.name, value);
        self.define(name, operand.value, Some(value), "value")
    }

    /// Lowers the value of a statement; what it adds carries its name.
    fn named(&mut self, name: &str, value: &'a Expr) -> Operand {
        let length = self.path.iter().map(|name| name.len() + 1).sum::<usize>() + name.len();
        if length > MAX_NAME && !self.stopped {
            let message = format!("a name here is longer than {MAX_NAME} bytes");
            let error = Diagnostic::error(Code::NameTooLong, value.span, message);
            self.stop(error.help("names of statements within blocks are put together"));
        }
        if self.expand(value.span) {
            return Operand { value: Value::Poison, span: value.span, defined: None };
        }
        self.path.push(name.to_string());
        let outer = self.builder.graph.current;
        let name = self.path.join(".");
        self.builder.graph.enter(Origin { name, span: value.span });
        self.builder.enter();
        let value = self.expr(value);
        self.builder.graph.current = outer;
        let name = self.path.pop();
        self.builder.leave(name.as_deref());
        value
    }

    /// `output y` and `output y = value`
    fn output(&mut self, name: &'a Ident, value: Option<&'a Expr>) {
        let defined = value.is_none_or(|value| self.bind(name, value));
        if defined {
            self.open_outputs.push(name);
        }
    }

    /// Looks up the outputs, which may be named before they are bound.
    fn close_outputs(&mut self) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut outputs = Vec::new();
        for name in std::mem::take(&mut self.open_outputs) {
            let operand = self.name(&name.name, name.span);
            if let Some(first) = seen.insert(&name.name, name.span) {
                let message = format!("`{}` is an output already", name.name);
                let error = Diagnostic::error(Code::DuplicateName, name.span, message);
                self.report(error.second_of(first));
                continue;
            }
            let message = match operand.value {
                Value::Poison => continue,
                Value::Node(_) if self.refuses_holes("an output", [&operand].into_iter()) => {
                    continue;
                }
                Value::Node(id) if self.builder.graph.node(id).dtype != DType::F32 => {
                    let ty = self.builder.graph.node(id).ty();
                    let message =
                        format!("the output `{}` is {ty}, but an output is of floats", name.name);
                    let error = Diagnostic::error(Code::OutputType, name.span, message);
                    self.report(error.help("remove it: an input is in the table already"));
                    continue;
                }
                Value::Node(id) if self.builder.graph.node(id).shape.batch() => {
                    self.model.outputs.push((name.name.clone(), id));
                    outputs.push((name, id));
                    continue;
                }
                Value::Node(id) => {
                    let ty = self.builder.graph.node(id).ty();
                    format!(
                        "the output `{}` is {ty}, but an output has a row for each N",
                        name.name
                    )
                }
                Value::Number(_) => format!("the output `{}` is a constant", name.name),
            };
            let error = Diagnostic::error(Code::OutputShape, name.span, message);
            self.report(error.help("its first dimension has to be N"));
        }
        self.check_rows(&outputs);
    }

    /// `param w: [3, 4] = glorot()`
    fn param(&mut self, name: &'a Ident, ty: &'a Type, init: Option<&'a Call>) {
        let rule = init.map(|call| self.init_call(call));
        let value = match (self.param_shape(name, ty), rule) {
            (None, _) | (_, Some(None)) => Value::Poison,
            (Some(shape), rule) => {
                let default = || Rule::default_for(&shape.dims());
                let found = rule.flatten().unwrap_or_else(default).init(&shape.dims());
                let init = found.unwrap_or_else(|| {
                    let message = format!("this initializer is for a matrix, not for {shape}");
                    let span = init.map_or(name.span, |call| call.span);
                    let error = Diagnostic::error(Code::ShapeMismatch, span, message);
                    self.report(error.help("others, such as `normal(0, 0.1)`, are for any shape"));
                    Init::Constant(0.0)
                });
                self.builder.graph.enter(Origin { name: name.name.clone(), span: name.span });
                Value::Node(self.builder.declare(name.name.clone(), shape, init, name.span))
            }
        };
        self.define(name, value, None, "parameter");
    }

    /// Makes the parameters of a statement known by their names.
    fn remember_params(&mut self, statement: Option<&Ident>) {
        let mut twice = None;
        for i in self.known_params..self.builder.params.len() {
            let name = &self.builder.params[i].name;
            if !self.param_names.insert(name.clone()) {
                twice = twice.or(Some(i));
            }
            let ends = name.match_indices('.').map(|(end, _)| end).chain([name.len()]);
            for end in ends {
                self.params.entry(name[..end].to_string()).or_default().push(i);
            }
        }
        self.known_params = self.builder.params.len();
        // Of a statement whose own name was taken, that has been told.
        let own = |name: &&Ident| self.names.declared(&name.name) == Some(name.span);
        if let (Some(param), Some(statement)) = (twice, statement.filter(own)) {
            let Param { name, span, .. } = &self.builder.params[param];
            let message = format!("two parameters would be named `{name}`");
            let error = Diagnostic::error(Code::DuplicateName, *span, message);
            self.report(
                error
                    .label(statement.span, "in this statement")
                    .help("names of statements within blocks are put together: change one of them"),
            );
        }
    }

    /// The parameters of some statements or layers; a name that is repeated counts once.
    fn params_of_all(&mut self, names: impl IntoIterator<Item = &'a Ident>) -> Vec<usize> {
        let mut seen = HashSet::new();
        let names = names.into_iter().filter(|name| seen.insert(name.name.as_str()));
        names.collect::<Vec<_>>().into_iter().flat_map(|name| self.params_of(name)).collect()
    }

    /// The parameters of a statement or layer, or the one of that name.
    fn params_of(&mut self, name: &Ident) -> Vec<usize> {
        if self.stopped {
            return vec![];
        }
        if let Some(params) = self.params.get(&name.name) {
            return params.clone();
        }
        if self.is_poisoned(&name.name) {
            return vec![];
        }
        let known = self.names.declared(&name.name).is_some();
        let error = |message| Diagnostic::error(Code::UnknownName, name.span, message);
        let error = match known {
            true => error(format!("`{}` has no parameters", name.name)),
            false => {
                let error = error(format!("unknown layer or parameter `{}`", name.name));
                let params = self.params.keys().map(String::as_str);
                names::suggest(error, &name.name, params.chain(self.names.visible()))
            }
        };
        self.report(error);
        vec![]
    }

    /// Whether a name of the network failed, so that its parameters may be missing.
    fn is_poisoned(&self, name: &str) -> bool {
        self.names.in_net(name).is_some_and(|binding| binding.value == Value::Poison)
    }

    /// Gives a name its value, unless it is taken.
    fn define(
        &mut self,
        name: &'a Ident,
        value: Value,
        written: Option<&'a Expr>,
        what: &'static str,
    ) -> bool {
        let free = self.is_free(name);
        if free {
            self.note(name.span, &value);
            let (statement, span) = (Some(self.statement), name.span);
            let binding = Binding { value, written, statement, span, what, used: false };
            self.names.insert(name, binding);
        }
        free
    }

    /// Whether a name may be defined here; if not, says why.
    fn is_free(&mut self, name: &Ident) -> bool {
        let error = |code, message| Diagnostic::error(code, name.span, message);
        let error = if name.name == "N" {
            error(Code::ReservedName, "`N` is the batch and cannot be a name".into())
                .help("choose another name")
        } else if name.name.len() > MAX_NAME {
            error(Code::NameTooLong, format!("a name is longer than {MAX_NAME} bytes"))
        } else if let Some(first) = self.names.declared(&name.name) {
            error(Code::DuplicateName, format!("`{}` is defined already", name.name))
                .label(first, "this is the first definition")
                .help("a name is given once: choose another one, or write `x |> f |> g`")
        } else {
            return true;
        };
        self.report(error);
        false
    }

    /// Tells a mistake, unless it has been told.
    fn report(&mut self, mut diagnostic: Diagnostic) {
        if self.stopped || !self.told.insert((diagnostic.span, diagnostic.message.clone())) {
            return;
        }
        let span = diagnostic.span;
        let alike = |other: &&Diagnostic| other.severity == diagnostic.severity;
        let count = self.diagnostics.iter().filter(alike).count();
        match diagnostic.severity {
            Severity::Warning if count >= MAX_TOLD => return,
            Severity::Error if count >= MAX_TOLD => {
                let message = format!("there are more than {MAX_TOLD} errors");
                self.diagnostics.push(Diagnostic::error(Code::TooManyErrors, span, message));
                self.stopped = true;
                return;
            }
            Severity::Error => {
                if let Some((name, call)) = self.expanding.first() {
                    diagnostic = diagnostic.label(*call, format!("in this call of `{name}`"));
                }
            }
            Severity::Warning => {}
        }
        self.diagnostics.push(diagnostic);
    }

    /// Tells that a limit is hit, and lowers nothing more.
    fn stop(&mut self, diagnostic: Diagnostic) -> Value {
        self.report(diagnostic);
        self.stopped = true;
        Value::Poison
    }

    /// Counts a call or a statement; whether lowering is stopped.
    fn expand(&mut self, span: Span) -> bool {
        self.expanded += 1;
        if self.expanded > MAX_NODES && !self.stopped {
            let message = format!("the network has more than {MAX_NODES} calls and statements");
            let error = Diagnostic::error(Code::TooManyNodes, span, message);
            self.stop(error.help("a block that calls blocks may expand to more than it seems"));
        }
        self.stopped
    }

    fn failed(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    fn finish(&mut self) -> Model {
        let mut model = std::mem::take(&mut self.model);
        model.graph = std::mem::take(&mut self.builder.graph);
        model.params = std::mem::take(&mut self.builder.params);
        model.statistics = std::mem::take(&mut self.builder.statistics);
        model.fits = std::mem::take(&mut self.builder.fits.fits);
        model.set_roots();
        model
    }
}

/// The name that a statement of a network defines.
fn name_of(stmt: &Stmt) -> Option<&Ident> {
    match stmt {
        Stmt::Input(port) => Some(&port.name),
        Stmt::Bind(bind) => Some(&bind.name),
        Stmt::Output { name, value: Some(_) } => Some(name),
        Stmt::Param { name, .. } | Stmt::Layer { name, .. } => Some(name),
        Stmt::Output { value: None, .. } | Stmt::Freeze(_) | Stmt::Limit { .. } => None,
    }
}
