//! Lowers calls: functions of the language, blocks and layers.

use super::args::Matched;
use super::names::{Binding, Shared, not_yet};
use super::{Lowering, Operand, Value, lint, names};
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{Entry, built, find};
use crate::graph::{DType, NodeId};
use crate::layer::{self, Expand, Function, Make, Sharing, Target};
use crate::layer::{figure_of, functions, init::INITS};
use crate::model::{Compared, Domain};
use crate::optim::OPTIMIZERS;
use crate::schedule::SCHEDULES;
use crate::signature::{Kind, Problem, Signature};
use crate::syntax::ast::{Arg, Block, Call, Expr, ExprKind, Ident};
use std::collections::HashMap;

/// A function of the language that makes a value.
struct Made {
    signature: &'static Signature,
    function: &'static Function,
    expand: Expand,
}

impl Made {
    fn of(entry: &'static Entry<Function>) -> Option<Made> {
        let Entry { signature, built: Some(function) } = entry else { return None };
        match function.make {
            Make::Value(expand) | Make::Loss(expand) => Some(Made { signature, function, expand }),
            _ => None,
        }
    }
}

impl<'a> Lowering<'a> {
    /// A call; a pipe gives the first argument.
    pub(super) fn call(&mut self, call: &'a Call, piped: Option<Operand>) -> Value {
        let name = call.function.name.as_str();
        if self.expand(call.span) {
            return Value::Poison;
        }
        if let Some(own) = find(functions(), name).and_then(Made::of) {
            return self.made(own, call, piped);
        }
        if self.is_recursive(call) {
            return Value::Poison;
        }
        if let Some(block) = self.names.blocks.get(name).copied() {
            return self.block(block, call, piped);
        }
        if let Some(shared) = self.names.layer(name) {
            shared.used = true;
            let shared = shared.clone();
            return self.layer(shared, call, piped);
        }
        self.unknown_function(call, piped.is_some());
        // What is wrong inside of the arguments is told all the same.
        match self.meant(name).and_then(Made::of) {
            Some(own) if piped.is_some() || behind_pipe(own.signature, &call.args).is_none() => {
                self.made(own, call, piped)
            }
            Some(own) => {
                self.place(own.signature, call.into(), None);
                Value::Poison
            }
            None => {
                call.args.iter().for_each(|arg| _ = self.expr(&arg.value));
                Value::Poison
            }
        }
    }

    /// The function of the language that another tool calls so, where no name of the text is that.
    fn meant(&self, name: &str) -> Option<&'static Entry<Function>> {
        let is_own = self.names.visible().any(|own| own == name);
        functions().find(|entry| aliases::is_for(name, entry.name())).filter(|_| !is_own)
    }

    /// What a function of the language makes.
    fn made(&mut self, own: Made, call: &'a Call, piped: Option<Operand>) -> Value {
        match self.arguments(own.signature, call.into(), piped) {
            Some(matched) => self.function(own.function, own.expand, call, matched),
            None => Value::Poison,
        }
    }

    /// A function of the language.
    fn function(
        &mut self,
        function: &Function,
        expand: Expand,
        call: &'a Call,
        matched: Matched,
    ) -> Value {
        self.builder.span = call.span;
        let first = self.builder.graph.nodes.len();
        let result = expand(&mut self.builder, &matched.args);
        self.builder.end_call();
        self.note_crossings(call, first);
        if let (Make::Loss(_), &Ok(node)) = (function.make, &result) {
            self.losses.insert(call.span, figure_of(&self.builder, &matched.args, node));
        }
        let first = matched.operands.first().map(|operand| &operand.value);
        let takes_number = matches!(first, Some(Value::Number(_)));
        let result =
            result.map_err(|problem| match behind_pipe(matched.args.signature, &call.args) {
                Some(piped) if problem.help.is_none() && takes_number => {
                    problem.help(format!("the value comes first: {piped}"))
                }
                _ => problem,
            });
        self.call_result(function, result, &matched, call)
    }

    /// The value of a call with its warning, or a diagnostic that points at the argument to blame.
    pub(super) fn call_result(
        &mut self,
        function: &Function,
        result: Result<NodeId, Problem>,
        matched: &Matched,
        call: &'a Call,
    ) -> Value {
        let (name, span) = (call.function.name.as_str(), call.span);
        let (made, operands) = (result.as_ref().ok().copied(), &matched.operands[..]);
        if self.pass_holes(function, name, operands, made) {
            return Value::Poison;
        }
        let args = &matched.args;
        let lint = function.lint.filter(|_| result.is_ok());
        if let Some(problem) = lint.and_then(|lint| lint(&self.builder, args)) {
            let lint = self.diagnosed(Diagnostic::warning, problem, span, (call.into(), args));
            self.report(lint);
        }
        match function.target.filter(|_| result.is_ok()) {
            Some(Target::Classes(scale)) => {
                let (value, target) = (args.tensor("y"), args.tensor("t"));
                self.check_classes(value, target, span);
                if self.builder.graph.node(target).dtype == DType::I32 {
                    self.model.compared.push(Compared { value, target, scale });
                }
            }
            Some(Target::Shares(scale)) => {
                let (value, target) = (args.tensor("y"), args.tensor("t"));
                self.limit_target(target, Domain::Interval(0.0, 1.0));
                self.model.compared.push(Compared { value, target, scale });
            }
            None => {}
        }
        let problem = match result {
            Ok(id) => return Value::Node(id),
            Err(problem) => problem,
        };
        let blamed = problem.param.and_then(|param| args.span(param)).unwrap_or(span);
        let error = self.diagnosed(Diagnostic::error, problem, blamed, (call.into(), args));
        self.report_of(error, &matched.operands.iter().collect::<Vec<_>>())
    }

    /// `block name(params) { ... }`
    pub(super) fn declare_block(&mut self, block: &'a Block) {
        let is_new = self.is_free(&block.name) && self.is_no_function(&block.name);
        if is_new && block.result.is_some() {
            self.names.blocks.insert(&block.name.name, block);
        }
        self.distinct(&block.params);
    }

    /// `layer name(params) = value`
    pub(super) fn declare_layer(&mut self, name: &'a Ident, params: &'a [Ident], value: &'a Expr) {
        if self.is_free(name) && self.is_no_function(name) {
            let (statement, made) = (self.statement, None);
            let shared =
                Shared { name, params, value, statement, made, failed: false, used: false };
            self.names.layers.insert(&name.name, shared);
        }
        self.distinct(params);
    }

    fn distinct(&mut self, params: &'a [Ident]) {
        let mut seen = HashMap::new();
        for param in params {
            if let Some(first) = seen.insert(param.name.as_str(), param.span) {
                let message = format!("the argument `{}` is named twice", param.name);
                let error = Diagnostic::error(Code::DuplicateName, param.span, message);
                self.report(error.second_of(first));
            }
        }
    }

    fn is_no_function(&mut self, name: &Ident) -> bool {
        let taken = find(functions(), &name.name).is_some();
        if taken {
            let message = format!("`{}` is a function of the language", name.name);
            let error = Diagnostic::error(Code::DuplicateName, name.span, message);
            self.report(error.help("choose another name"));
        }
        !taken
    }

    /// Expands a block: its parameters are new at each call.
    fn block(&mut self, block: &'a Block, call: &'a Call, piped: Option<Operand>) -> Value {
        let args = self.body_arguments(call, piped, &block.params);
        let (Some(args), Some(result)) = (args, &block.result) else { return Value::Poison };
        self.expanding.push((&block.name.name, call.span));
        self.open_body(&block.params, args, false);
        let outer = self.statement;
        for bind in &block.body {
            self.statement = bind.name.span.join(bind.value.span);
            self.bind(&bind.name, &bind.value);
        }
        self.statement = outer;
        self.builder.enter();
        let result = self.expr(result);
        self.builder.leave(None);
        self.builder.end_call();
        self.close_body();
        result.value
    }

    /// Expands a layer: its parameters are those of its first call.
    fn layer(&mut self, shared: Shared<'a>, call: &'a Call, piped: Option<Operand>) -> Value {
        let args = self.body_arguments(call, piped, shared.params);
        let Some(args) = args.filter(|_| !shared.failed) else { return Value::Poison };
        self.expanding.push((&shared.name.name, call.span));
        let name = shared.name.name.as_str();
        // As it is now: an argument may be its first call.
        let made = self.names.layers.get(name).and_then(|layer| layer.made.clone());
        let sharing = match made {
            None => Sharing::Record(vec![]),
            Some(made) => Sharing::Replay(made, 0),
        };
        let path = std::mem::replace(&mut self.path, vec![name.to_string()]);
        let outside = self.builder.begin_shared(sharing);
        self.open_body(shared.params, args, true);
        let result = self.expr(shared.value);
        self.close_body();
        let sharing = self.builder.end_shared(name, outside);
        self.path = path;
        if let (Sharing::Record(made), Some(shared)) = (sharing, self.names.layers.get_mut(name)) {
            shared.made = Some(made);
            shared.failed = result.value == Value::Poison;
        }
        result.value
    }

    /// Whether a block or layer calls itself, which would never end.
    fn is_recursive(&mut self, call: &'a Call) -> bool {
        let name = call.function.name.as_str();
        let recursive = self.expanding.iter().any(|(outer, _)| *outer == name);
        if recursive {
            let message = format!("`{name}` calls itself, so it would never end");
            let error = Diagnostic::error(Code::RecursiveCall, call.function.span, message);
            self.report(error.help("write the layers one after another: `x |> f |> f`"));
        }
        recursive
    }

    /// Opens the scope of a body, with its arguments.
    fn open_body(&mut self, params: &'a [Ident], args: Vec<Value>, sees_net: bool) {
        self.names.open(sees_net);
        for (param, value) in params.iter().zip(args) {
            self.note(param.span, &value);
            let (written, statement) = (None, None);
            let (span, what, used) = (param.span, "argument", false);
            let binding = Binding { value, written, statement, span, what, used };
            self.names.insert(param, binding);
        }
    }

    /// Closes the scope of a body.
    fn close_body(&mut self) {
        for (name, binding) in self.names.close() {
            self.report(lint::unused(&name, &binding));
        }
        self.expanding.pop();
    }

    /// The arguments of a block or a layer, one for each of its parameters.
    fn body_arguments(
        &mut self,
        call: &'a Call,
        piped: Option<Operand>,
        params: &'a [Ident],
    ) -> Option<Vec<Value>> {
        let places: HashMap<&str, usize> =
            params.iter().enumerate().map(|(i, param)| (param.name.as_str(), i)).collect();
        let mut values: Vec<Option<Value>> = vec![None; params.len()];
        let mut complete = true;
        let mut next = 0;
        let mut given: Vec<(Option<&'a Ident>, Operand)> =
            piped.into_iter().map(|operand| (None, operand)).collect();
        given.extend(call.args.iter().map(|arg| (arg.name.as_ref(), self.expr(&arg.value))));
        for (name, operand) in given {
            let place = match name {
                Some(name) => places.get(name.name.as_str()).copied(),
                None => Some(next).filter(|&next| next < params.len()),
            };
            next += usize::from(name.is_none());
            let message = match place.map(|place| &mut values[place]) {
                Some(value @ None) => {
                    *value = Some(operand.value);
                    continue;
                }
                Some(Some(_)) => "has this argument already".to_string(),
                None => match name {
                    Some(name) => format!("has no argument `{}`", name.name),
                    None => format!("takes {} arguments", params.len()),
                },
            };
            let span = name.map_or(operand.span, |name| name.span);
            let message = format!("`{}` {message}", call.function.name);
            let error = Diagnostic::error(Code::WrongArgument, span, message);
            self.report(error.help(usage(&call.function.name, params)));
            complete = false;
        }
        if let Some(missing) = values.iter().position(Option::is_none).filter(|_| complete) {
            let message = format!("`{}` needs `{}`", call.function.name, params[missing].name);
            let error = Diagnostic::error(Code::WrongArgument, call.span, message);
            self.report(error.help(usage(&call.function.name, params)));
        }
        let values = values.into_iter().collect::<Option<Vec<Value>>>()?;
        let poisoned = values.contains(&Value::Poison);
        (complete && !poisoned).then_some(values)
    }

    /// Whether a name can be called here.
    pub(super) fn is_function(&mut self, name: &str) -> bool {
        find(functions(), name).is_some()
            || self.names.blocks.contains_key(name)
            || self.names.layer(name).is_some()
    }

    /// What is built under a name of a list, of which an error suggests the known names; `None`
    /// where nothing is.
    pub(super) fn look_up<T: 'static>(
        &mut self,
        what: &str,
        entries: impl IntoIterator<Item = &'static Entry<T>>,
        known: impl Iterator<Item = &'static str>,
        (name, span, args): (&str, Span, &[Arg]),
    ) -> Option<(&'static Signature, &'static T)> {
        let entries: Vec<&Entry<T>> = entries.into_iter().collect();
        let error = match find(entries.iter().copied(), name) {
            Some(Entry { signature, built: Some(own) }) => return Some((signature, own)),
            Some(_) => not_yet(name, span),
            None => {
                let message = format!("unknown {what} `{name}`");
                let error = Diagnostic::error(Code::UnknownName, span, message);
                names::suggest_call(error, (name, args), known)
            }
        };
        self.report(error);
        // What is wrong with the arguments of what is meant is told in the same run.
        let meant = entries.into_iter().find(|entry| aliases::is_for(name, entry.name()))?;
        Some((&meant.signature, meant.built.as_ref()?))
    }

    /// Tells why there is no function of that name.
    fn unknown_function(&mut self, call: &'a Call, is_piped: bool) {
        let (name, span) = (call.function.name.as_str(), call.function.span);
        let called = (name, &call.args[..]);
        let error = |code, message| Diagnostic::error(code, span, message);
        let meant = self.meant(name);
        let error = if let Some(Entry { signature, built: None }) = meant {
            not_yet(signature.name, span)
        } else if let Some(entry) = meant {
            let message = format!("unknown function `{name}`");
            let error = error(Code::UnknownFunction, message);
            match behind_pipe(&entry.signature, &call.args).filter(|_| !is_piped) {
                Some(piped) => error.help(format!(
                    "`{name}` is called `{}` here, and takes a value first: {piped}",
                    entry.name()
                )),
                None => names::suggest_call(error, called, std::iter::once(entry.name())),
            }
        } else if let Some((what, place)) = belongs_elsewhere(name) {
            error(Code::WrongPlace, format!("`{name}` is {what}, not a layer")).help(place)
        } else if let Some(binding) = self.names.read(name) {
            let defined = binding.span;
            error(Code::WrongPlace, format!("`{name}` is no function"))
                .label(defined, "it is a value")
                .help("layers follow each other in a pipe: `x |> dense(8) |> relu`")
        } else if let Some(layer) = self.names.layers.get(name) {
            let message = format!("`{name}` is a layer of the network, which a block does not see");
            error(Code::WrongPlace, message)
                .label(layer.name.span, "it is defined here")
                .help(format!("call it outside, or make it `block {name}(...)`"))
        } else if let Some(later) = self.names.defined_later(name) {
            error(Code::UsedBeforeDefinition, format!("`{name}` is used before it is defined"))
                .label(later, "it is defined here")
                .help("move its statement up")
        } else {
            let mut candidates: Vec<&str> = built(functions()).collect();
            candidates.extend(self.names.blocks.keys());
            candidates.extend(self.names.layers.keys());
            let error = error(Code::UnknownFunction, format!("unknown function `{name}`"));
            names::suggest_call(error, called, candidates.into_iter())
        };
        self.report(error);
    }
}

/// What a name is that is known, but no function of a network, and where it stands.
fn belongs_elsewhere(name: &str) -> Option<(&'static str, String)> {
    if find(layer::entries(), name).is_some() {
        return Some(("a metric", format!("write `metric {name}(y, t)` inside `train`")));
    }
    if find(OPTIMIZERS, name).is_some() {
        return Some(("an optimizer", "write `optimizer = sgd(lr: 0.1)` inside `train`".into()));
    }
    if built(SCHEDULES).any(|schedule| schedule == name) {
        let place = "write `optimizer = sgd(lr: cosine(0.1))` inside `train`";
        return Some(("a schedule", place.into()));
    }
    if find(INITS, name).is_some() {
        return Some((
            "an initializer",
            "write `dense(16, init: he)`, or `param w: [3] = zeros()`".into(),
        ));
    }
    None
}

/// How a layer is written that has a number where its value belongs, as the widths of both sides
/// have in `Linear(4, 8)`: with the last of its numbers behind a pipe. Nothing for other calls.
pub(super) fn behind_pipe(signature: &Signature, written: &[Arg]) -> Option<String> {
    let numbers = written.iter().map_while(|arg| match (&arg.name, &arg.value.kind) {
        (None, ExprKind::Number(number)) => Some(number.to_string()),
        _ => None,
    });
    let numbers: Vec<String> = numbers.collect();
    let takes_value = matches!(signature.params.first()?.kind, Kind::Tensor);
    if numbers.is_empty() || !takes_value {
        return None;
    }
    let least = numbers.len().saturating_sub(signature.positional - 1);
    let (name, numbers) = (signature.name, numbers[least..].join(", "));
    let call = if numbers.is_empty() { name.into() } else { format!("{name}({numbers})") };
    Some(format!("`x |> {call}`"))
}

fn usage(function: &str, params: &[Ident]) -> String {
    let params: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    format!("it is `{function}({})`", params.join(", "))
}
