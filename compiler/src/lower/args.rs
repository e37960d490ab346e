//! Matches the arguments of a call with a signature.

use super::call::behind_pipe;
use super::fix::{Written, leave_out};
use super::names::full_name;
use super::{Lowering, Operand, names};
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::built;
use crate::fix::Fix;
use crate::init::Rule;
use crate::layer::activation::ACTIVATIONS;
use crate::layer::init::INITS;
use crate::model::Metric;
use crate::schedule::{SCHEDULES, schedule};
use crate::signature::Value as Argument;
use crate::signature::{Args, BALANCED, Kind, Param, Problem, Range, Signature};
use crate::syntax::ast::{Arg, Call, Expr, ExprKind};
use arenet_program::{Schedule, Watched};

/// Arguments that fit their signature.
pub(super) struct Matched {
    pub args: Args,
    /// The tensors among them, to point at.
    pub operands: Vec<Operand>,
}

/// An argument before it is looked at.
pub(super) enum Given<'a> {
    Piped(Operand),
    Written(&'a Expr),
    /// For all that [`Kind::Tensors`] takes.
    Rest(Vec<&'a Expr>),
}

impl<'a> Lowering<'a> {
    /// Matches the arguments of a call; `None` after an error.
    pub(super) fn arguments(
        &mut self,
        signature: &'static Signature,
        call: Written<'a>,
        piped: Option<Operand>,
    ) -> Option<Matched> {
        let errors = self.diagnostics.len();
        let written = if piped.is_some() { &[] } else { call.args };
        let mut given = self.place(signature, call, piped);
        let fits = self.diagnostics.len() == errors;
        let mut operands = Vec::new();
        let mut values = Vec::new();
        let mut spans = Vec::new();
        for (param, given) in signature.params.iter().zip(given.drain(..)) {
            spans.push(given.as_ref().map(|given| match given {
                Given::Piped(operand) => operand.span,
                Given::Written(expr) => expr.span,
                Given::Rest(exprs) => exprs[0].span,
            }));
            values.push(match (given, param.default.clone()) {
                (Some(Given::Written(expr)), _) if !matches!(param.kind, Kind::Tensor) => {
                    self.argument(param, expr)
                }
                (Some(Given::Rest(exprs)), _) => {
                    let mut node = |expr| {
                        let operand = self.expr(expr);
                        let node = self.as_node(&operand);
                        operands.push(operand);
                        node
                    };
                    let nodes: Vec<_> = exprs.into_iter().map(&mut node).collect();
                    nodes.into_iter().collect::<Option<_>>().map(Argument::Tensors)
                }
                (Some(given), _) => {
                    let operand = match given {
                        Given::Piped(operand) => operand,
                        Given::Written(expr) => self.expr(expr),
                        Given::Rest(_) => unreachable!("it has been taken above"),
                    };
                    let node = self.as_node(&operand).map(Argument::Tensor);
                    operands.push(operand);
                    node
                }
                (None, Some(default)) => Some(default),
                (None, None) if fits => {
                    self.missing(signature, param, written, call.span);
                    None
                }
                (None, None) => None,
            });
        }
        let values = values.into_iter().collect::<Option<Vec<Argument>>>()?;
        fits.then_some(Matched { args: Args { signature, values, spans }, operands })
    }

    /// Finds the parameter of each argument.
    pub(super) fn place(
        &mut self,
        signature: &'static Signature,
        call: Written<'a>,
        piped: Option<Operand>,
    ) -> Vec<Option<Given<'a>>> {
        let is_piped = piped.is_some();
        let mut given: Vec<Option<Given>> = signature.params.iter().map(|_| None).collect();
        let mut next = usize::from(piped.is_some());
        if let Some(first) = given.first_mut() {
            *first = piped.map(Given::Piped);
        }
        for (index, arg) in call.args.iter().enumerate() {
            let error = |message| Diagnostic::error(Code::WrongArgument, arg.value.span, message);
            let help = format!("it is `{}`", signature.usage());
            let place = match &arg.name {
                None if next < signature.positional => {
                    next += 1;
                    next - 1
                }
                None if let (Some(Param { kind: Kind::Tensors, .. }), Some(rest)) =
                    (signature.params.last(), given.last_mut()) =>
                {
                    match rest {
                        Some(Given::Rest(exprs)) => exprs.push(&arg.value),
                        _ => *rest = Some(Given::Rest(vec![&arg.value])),
                    }
                    continue;
                }
                None => {
                    let message = match signature.positional {
                        0 => format!("`{}` takes no argument without a name", signature.name),
                        most => format!(
                            "`{}` takes at most {most} argument{} without a name",
                            signature.name,
                            if most == 1 { "" } else { "s" }
                        ),
                    };
                    self.report(error(message).help(help));
                    continue;
                }
                Some(name) => {
                    let found = signature.params.iter().position(|param| param.name == name.name);
                    let Some(place) = found else {
                        let message =
                            format!("`{}` has no argument `{}`", signature.name, name.name);
                        let error = Diagnostic::error(Code::UnknownArgument, name.span, message);
                        let candidates = signature.params.iter().map(|param| param.name);
                        let error = match name.name.as_str() {
                            "activation" => {
                                let (layer, own) = (signature.name, activation(&arg.value));
                                error
                                    .help(format!("write it behind: `x |> {layer}(...) |> {own}`"))
                                    .fix(call.applied(index, is_piped))
                            }
                            written => names::suggest(error, written, candidates),
                        };
                        self.report(error);
                        continue;
                    };
                    place
                }
            };
            if given[place].is_some() {
                let name = signature.params[place].name;
                let fix = leave_out(call.args, index).likely();
                self.report(error(format!("`{name}` is given twice")).help(help).fix(fix));
                continue;
            }
            given[place] = Some(Given::Written(&arg.value));
        }
        given
    }

    fn missing(&mut self, signature: &Signature, param: &Param, written: &[Arg], span: Span) {
        let message = format!("`{}` needs `{}`", signature.name, param.name);
        let error = Diagnostic::error(Code::WrongArgument, span, message);
        self.report(error.help(match behind_pipe(signature, written) {
            Some(piped) => format!("the value comes first: {piped}"),
            None => format!("it is `{}`", signature.usage()),
        }));
    }

    /// The argument of a parameter that is no tensor; `None` after an error.
    pub(super) fn argument(&mut self, param: &Param, expr: &'a Expr) -> Option<Argument> {
        match param.kind {
            Kind::Tensor | Kind::Tensors => unreachable!("tensors are lowered as expressions"),
            Kind::Real(range) => {
                let value = self.number(expr).filter(|&value| self.fits_f32(value, expr.span))?;
                let fits = range.contains(value);
                self.within(fits, param, range.text(), expr.span).then_some(Argument::Real(value))
            }
            Kind::Count { least, most } => {
                let value = self.number(expr)?;
                let fits = value.fract() == 0.0 && (least as f64..=most as f64).contains(&value);
                let text = match most < Kind::MOST {
                    true => format!("a whole number from {least} to {most}"),
                    false => format!("a whole number, at least {least}"),
                };
                self.within(fits, param, &text, expr.span).then_some(Argument::Count(value as u64))
            }
            Kind::Integer => {
                let value = self.number(expr)?;
                let whole = value.fract() == 0.0;
                let fits = whole && (i32::MIN.into()..=i32::MAX.into()).contains(&value);
                let text = "a whole number of 32 bits";
                self.within(fits, param, text, expr.span).then_some(Argument::Integer(value as i64))
            }
            Kind::Sizes => self.sizes(param, expr).map(Argument::Counts),
            Kind::Weights if expr.kind == ExprKind::Name(BALANCED.into()) => {
                Some(Argument::Word(BALANCED))
            }
            Kind::Weights => self.weights(param, expr).map(Argument::Reals),
            Kind::RisingCounts { most } => self.rising_counts(param, most, expr),
            Kind::Flag => {
                let word = self.word(param, &["true", "false"], expr)?;
                Some(Argument::Flag(word == "true"))
            }
            Kind::Word(words) => self.word(param, words, expr).map(Argument::Word),
            Kind::WordOrReal(words) => match &expr.kind {
                ExprKind::Name(name) if words.contains(&name.as_str()) => {
                    self.word(param, words, expr).map(Argument::Word)
                }
                ExprKind::Name(name) if self.names.declared(name).is_none() => {
                    let text = format!("a number, or one of: {}", words.join(", "));
                    self.within(false, param, &text, expr.span);
                    None
                }
                _ => self.argument(&Param::required(param.name, Kind::Real(Range::Any)), expr),
            },
            Kind::Target => self.target_named(expr),
            Kind::Init => self.init(expr).map(Argument::Init),
            Kind::Schedule => self.schedule(expr).map(Argument::Schedule),
            Kind::Watched => self.watched(expr).map(Argument::Watched),
        }
    }

    /// The items of a list, of which an error shows an example.
    fn list(&mut self, param: &Param, example: &str, expr: &'a Expr) -> Option<&'a [Expr]> {
        let ExprKind::List(items) = &expr.kind else {
            let message = format!("`{}` must be a list of numbers", param.name);
            let error = Diagnostic::error(Code::BadValue, expr.span, message);
            self.report(error.help(format!("write `{}: {example}`", param.name)));
            return None;
        };
        Some(items)
    }

    /// `[4, 3]`
    fn sizes(&mut self, param: &Param, expr: &'a Expr) -> Option<Vec<u64>> {
        let mut sizes = Vec::new();
        for item in self.list(param, "[4, 3]", expr)? {
            let value = self.number(item)?;
            let is_size = value.fract() == 0.0 && (1.0..=Kind::MOST as f64).contains(&value);
            if !self.within(is_size, param, "a list of whole numbers from 1", item.span) {
                return None;
            }
            sizes.push(value as u64);
        }
        Some(sizes)
    }

    /// `[1, 2, 0.5]`
    fn weights(&mut self, param: &Param, expr: &'a Expr) -> Option<Vec<f64>> {
        let mut weights = Vec::new();
        for item in self.list(param, "[1, 2, 0.5]", expr)? {
            let value = self.number(item).filter(|&value| self.fits_f32(value, item.span))?;
            if !self.within(value >= 0.0, param, "a list of numbers from 0", item.span) {
                return None;
            }
            weights.push(value);
        }
        let some = weights.iter().any(|&weight| weight > 0.0);
        self.within(some, param, "a list in which a number is above 0", expr.span)
            .then_some(weights)
    }

    /// `[30, 60]`
    fn rising_counts(&mut self, param: &Param, most: usize, expr: &'a Expr) -> Option<Argument> {
        let items = self.list(param, "[30, 60]", expr)?;
        let few = format!("a list of 1 to {most} numbers");
        if !self.within((1..=most).contains(&items.len()), param, &few, expr.span) {
            return None;
        }
        let mut counts: Vec<u64> = Vec::with_capacity(items.len());
        for item in items {
            let value = self.number(item)?;
            let is_count = value.fract() == 0.0 && (0.0..=Kind::MOST as f64).contains(&value);
            let rises = counts.last().is_none_or(|&last| value > last as f64);
            let rising = "whole numbers from 0, each larger than the one before";
            if !self.within(is_count && rises, param, rising, item.span) {
                return None;
            }
            counts.push(value as u64);
        }
        Some(Argument::Counts(counts))
    }

    fn within(&mut self, fits: bool, param: &Param, text: &str, span: Span) -> bool {
        if !fits {
            let message = format!("`{}` must be {text}", param.name);
            self.report(Diagnostic::error(Code::BadValue, span, message));
        }
        fits
    }

    fn word(
        &mut self,
        param: &Param,
        words: &[&'static str],
        expr: &'a Expr,
    ) -> Option<&'static str> {
        let written = match &expr.kind {
            ExprKind::Name(name) => name.as_str(),
            _ => "",
        };
        let found = words.iter().copied().find(|word| *word == written);
        if found.is_none() {
            let message = format!("`{}` must be one of: {}", param.name, words.join(", "));
            let error = Diagnostic::error(Code::BadValue, expr.span, message);
            let meant = match &expr.kind {
                ExprKind::String(text) => words.iter().find(|word| *word == text),
                ExprKind::Number(0.0) => words.iter().find(|word| **word == "false"),
                ExprKind::Number(1.0) => words.iter().find(|word| **word == "true"),
                _ => None,
            };
            let error = error.did_you_mean(written, words.iter().copied());
            let write = |word: &&str| Fix::write(expr.span, *word);
            self.report(error.unwrap_or_else(|error| error.fix(meant.map(write))));
        }
        found
    }

    /// `he` or `uniform(-0.1, 0.1)`
    fn init(&mut self, expr: &'a Expr) -> Option<Rule> {
        let Some((name, span, written)) = named(expr) else {
            let message = "an initializer is expected here";
            let error = Diagnostic::error(Code::TypeMismatch, expr.span, message);
            self.report(error.help("such as `he`, `zeros` or `uniform(-0.1, 0.1)`"));
            return None;
        };
        self.init_named((name, span), Written { span: expr.span, args: written })
    }

    /// `uniform(-0.1, 0.1)`
    pub(super) fn init_call(&mut self, call: &'a Call) -> Option<Rule> {
        self.init_named((&call.function.name, call.function.span), call.into())
    }

    fn init_named(&mut self, (name, span): (&str, Span), call: Written<'a>) -> Option<Rule> {
        let called = (name, span, call.args);
        let (signature, build) = self.look_up("initializer", INITS, built(INITS), called)?;
        let matched = self.arguments(signature, call, None)?;
        let result = build(&matched.args);
        self.settled(result, (call, &matched.args))
    }

    /// `0.1` or `cosine(0.1, to: 0.001)`
    fn schedule(&mut self, expr: &'a Expr) -> Option<Schedule> {
        let Some((name, name_span, written)) = named(expr) else { return self.rate(expr) };
        let is_meant = SCHEDULES.iter().any(|own| aliases::is_for(name, own.name()))
            && self.names.declared(name).is_none();
        if !is_meant && !matches!(expr.kind, ExprKind::Call(_)) {
            return self.rate(expr);
        }
        let called = (name, name_span, written);
        let (signature, rule) = self.look_up("schedule", SCHEDULES, built(SCHEDULES), called)?;
        let call = Written { span: expr.span, args: written };
        let matched = self.arguments(signature, call, None)?;
        Some(schedule(rule, &matched.args))
    }

    fn rate(&mut self, expr: &'a Expr) -> Option<Schedule> {
        let rate = Param::required("lr", Kind::Real(Range::AtLeastZero));
        match self.argument(&rate, expr)? {
            Argument::Real(rate) => Some(Schedule::constant(rate)),
            _ => None,
        }
    }

    /// `loss`, `accuracy` or `accuracy(y)`
    fn watched(&mut self, expr: &'a Expr) -> Option<Watched> {
        let written = match &expr.kind {
            ExprKind::Name(name) => name.clone(),
            ExprKind::Call(call) => full_name(call),
            _ => String::new(),
        };
        let metrics = &self.model.metrics;
        let is_figure = |metric: &&Metric| !metric.figure.finish.is_table();
        let meant = |metric: &Metric| metric.name == written && is_figure(&metric);
        let found = metrics.iter().position(meant);
        match (found.map(u16::try_from), written.as_str()) {
            (Some(Ok(index)), _) => return Some(Watched::Metric(index)),
            (_, "loss") => return Some(Watched::Loss),
            _ if self.lost_metrics => return None,
            _ => {}
        }
        let message = "this is neither `loss` nor a metric of the `train` section";
        let error = Diagnostic::error(Code::UnknownName, expr.span, message);
        let names = metrics.iter().filter(is_figure).map(|metric| metric.name.as_str());
        let names: Vec<&str> = names.collect();
        let known = names.iter().copied().chain(["loss"]);
        let error = names::suggest(error, &written, known);
        self.report(error);
        None
    }

    /// What was made of matched arguments, or a diagnostic.
    pub(super) fn settled<T>(
        &mut self,
        result: Result<T, Problem>,
        (call, args): (Written<'a>, &Args),
    ) -> Option<T> {
        let problem = match result {
            Ok(made) => return Some(made),
            Err(problem) => problem,
        };
        let blamed = problem.param.and_then(|param| args.span(param));
        let blamed = blamed.unwrap_or(call.span);
        let error = self.diagnosed(Diagnostic::error, problem, blamed, (call, args));
        self.report(error);
        None
    }
}

/// The activation that a value names, with or without quotes; one of them where it names none.
fn activation(value: &Expr) -> &'static str {
    let (ExprKind::Name(written) | ExprKind::String(written)) = &value.kind else { return "relu" };
    let mut known = built(ACTIVATIONS);
    known.find(|own| aliases::is_for(written, own)).unwrap_or("relu")
}

/// The name of a function, where that stands, and the arguments: of `he` as of `uniform(-1, 1)`.
pub(super) fn named(expr: &Expr) -> Option<(&str, Span, &[Arg])> {
    match &expr.kind {
        ExprKind::Name(name) => Some((name, expr.span, &[])),
        ExprKind::Call(call) => Some((&call.function.name, call.function.span, &call.args)),
        _ => None,
    }
}
