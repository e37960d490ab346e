//! Lowers the figures of a `train` section: the loss, its parts and the metrics.

use super::names::full_name;
use super::{Lowering, Operand, Value};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{Entry, find};
use crate::graph::op::Source;
use crate::graph::{NodeId, Origin};
use crate::layer::{self, Builder, Function, Make, terms};
use crate::model::{Figure, Metric};
use crate::signature::{Args, Problem};
use crate::syntax::ast::{BinaryOp, Call, Expr, ExprKind};
use arenet_program::{Over, Subject};
use std::collections::HashMap;

impl<'a> Lowering<'a> {
    /// The losses that the loss adds up, then the metrics.
    pub(super) fn figures(&mut self, mut terms: Vec<&'a Call>, metrics: Vec<&'a Call>) {
        // Each loss of a sum is shown by its name, where no metric is the same.
        let names: Vec<String> = metrics.iter().map(|call| full_name(call)).collect();
        terms.retain(|term| !names.contains(&full_name(term)));
        let mut kinds: HashMap<&str, usize> = HashMap::new();
        let calls = terms.iter().chain(&metrics);
        calls.for_each(|call| *kinds.entry(&call.function.name).or_default() += 1);
        let several = |call: &Call| kinds[call.function.name.as_str()] > 1;
        for call in terms {
            let is_made = self.part(call, several(call)).is_some();
            self.lost_metrics |= !is_made;
        }
        for call in metrics {
            let is_made = self.metric(call, several(call)).is_some();
            self.lost_metrics |= !is_made;
        }
    }

    /// `loss = mse(y, t)`
    pub(super) fn loss(&mut self, value: &'a Expr) {
        let params = self.layer_params();
        let operand = self.named("loss", value);
        self.no_new_params(params, value.span);
        self.model.loss = self.single_number(&operand, "the loss");
        self.model.terms =
            self.model.loss.map_or(Vec::new(), |loss| terms(&mut self.builder, loss));
    }

    /// A loss of a sum, which has been lowered with it. `None` after an error.
    fn part(&mut self, call: &Call, several: bool) -> Option<()> {
        let figure = self.losses.remove(&call.span)?;
        let (name, subject) = (name_of(call, several), Subject::Loss);
        self.model.metrics.push(Metric { name, figure, rises: false, subject });
        Some(())
    }

    /// `metric accuracy(y, t)`; where there are several of its kind, its name says of what.
    /// `None` after an error.
    fn metric(&mut self, call: &'a Call, several: bool) -> Option<()> {
        let name = call.function.name.as_str();
        let meant = |entry: &&Entry<Function>| {
            matches!(entry.built, Some(Function { make: Make::Loss(_) | Make::Metric(_), .. }))
        };
        let known = layer::entries().filter(meant).map(Entry::name);
        let called = (name, call.function.span, &call.args[..]);
        let found = self.look_up("metric", layer::entries(), known, called);
        let (signature, function) = found?;
        self.builder.graph.enter(Origin { name: name.into(), span: call.span });
        let params = self.layer_params();
        let matched = self.arguments(signature, call.into(), None)?;
        let figure = function.figure(&mut self.builder, &matched.args);
        self.no_new_params(params, call.span);
        let result = figure.as_ref().map(|figure| figure.values[0]).map_err(Problem::clone);
        let value = self.call_result(function, result, &matched, call);
        let operand = Operand { value, span: call.span, defined: None };
        let mut figure = figure.ok()?;
        let name = name_of(call, several);
        match &mut figure.finish.over {
            Over::Numbers => _ = self.single_number(&operand, "a metric")?,
            Over::Ranks => {}
            Over::Table { target } => {
                *target = match self.builder.graph.node(matched.args.tensor("t")).op.source() {
                    Some(Source::Target(index)) => index,
                    _ => return self.no_target(&name, call.span),
                };
            }
            Over::Classes { .. } if !matched.args.says("average", "none") => {}
            Over::Classes { .. } => {
                self.each_class(&name, &matched.args, &figure, function.rises);
                return Some(());
            }
        }
        let (rises, subject) = (function.rises, Subject::Rows);
        self.model.metrics.push(Metric { name, figure, rises, subject });
        Some(())
    }

    /// A figure for each class, with its name: `f1(setosa)`.
    fn each_class(&mut self, name: &str, args: &Args, figure: &Figure, rises: bool) {
        let port = args.tensor("t");
        let Some(port) = self.model.targets.iter().find(|target| target.node == port) else {
            return;
        };
        let domain = port.domain.clone();
        for class in 0..domain.classes().unwrap_or(0) {
            let label = domain.label(class).map(|label| label.to_string()).unwrap_or_default();
            let name = match name.strip_suffix(')') {
                Some(name) => format!("{name}, {label})"),
                None => format!("{name}({label})"),
            };
            let mut figure = figure.clone();
            if let Over::Classes { class: counted, .. } = &mut figure.finish.over {
                *counted = Some(class as u32);
            }
            let subject = Subject::Rows;
            self.model.metrics.push(Metric { name, figure, rises, subject });
        }
    }

    fn no_target(&mut self, name: &str, span: Span) -> Option<()> {
        let message = format!("`{name}` is of the classes of a target, and this is an input");
        let error = Diagnostic::error(Code::TypeMismatch, span, message);
        self.report(error.help("declare it as a `target` inside `train`"));
        None
    }

    /// The number of parameters, but for those that a loss may have.
    fn layer_params(&self) -> usize {
        let Builder { params, balances, fits, .. } = &self.builder;
        params.len() - balances.len() - fits.of_targets()
    }

    fn no_new_params(&mut self, before: usize, span: Span) {
        if self.layer_params() > before {
            let message = "layers with parameters belong inside `net`, not inside `train`";
            let error = Diagnostic::error(Code::WrongPlace, span, message);
            self.report(error.help("name it there, `h = x |> dense(3)`, and write `h` here"));
        }
    }

    /// A node of shape `[]`; `None` after an error.
    fn single_number(&mut self, operand: &Operand, what: &str) -> Option<NodeId> {
        let message = match operand.value {
            Value::Poison => return None,
            Value::Node(id) if self.builder.graph.shape(id).is_scalar() => return Some(id),
            Value::Node(id) => {
                let shape = self.builder.graph.shape(id);
                format!("{what} has the shape {shape}, but it is a single number")
            }
            Value::Number(_) => format!("{what} is a constant"),
        };
        let error = Diagnostic::error(Code::TypeMismatch, operand.span, message);
        self.report(error.help("a loss such as `mse(y, t)`, or `mean`, makes a single number"));
        None
    }
}

/// Whether an expression adds something up.
pub(super) fn is_sum(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(op, a, b) => {
            matches!(op, BinaryOp::Add | BinaryOp::Sub) || is_sum(a) || is_sum(b)
        }
        ExprKind::Neg(a) => is_sum(a),
        _ => false,
    }
}

/// The losses among the operands of an expression.
pub(super) fn losses<'a>(expr: &'a Expr, found: &mut Vec<&'a Call>) {
    match &expr.kind {
        ExprKind::Binary(_, a, b) => {
            losses(a, found);
            losses(b, found);
        }
        ExprKind::Neg(a) => losses(a, found),
        ExprKind::Call(call) => {
            let entry = find(layer::functions(), &call.function.name);
            let function = entry.and_then(|entry| entry.built.as_ref());
            if function.is_some_and(|function| matches!(function.make, Make::Loss(_))) {
                found.push(call);
            }
        }
        _ => {}
    }
}

/// What a figure is called.
fn name_of(call: &Call, several: bool) -> String {
    if several { full_name(call) } else { call.function.name.clone() }
}
