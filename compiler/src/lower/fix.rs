//! Makes edits of what would solve a problem, by the call as it is written.

use super::Lowering;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{Entry, find};
use crate::fix::{Edit, Fix};
use crate::graph::op::Source;
use crate::layer;
use crate::signature::{Args, Problem, Remedy};
use crate::syntax::ast::{Arg, Call, Domain, Expr, ExprKind, Port};

/// A call as it is written; of a name alone, without arguments.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    /// All of it; the name of the function comes first.
    pub span: Span,
    /// Its arguments.
    pub args: &'a [Arg],
}

impl<'a> From<&'a Call> for Written<'a> {
    fn from(call: &'a Call) -> Written<'a> {
        Written { span: call.span, args: &call.args }
    }
}

impl<'a> Written<'a> {
    /// The argument whose value stands there.
    fn at(&self, value: Option<Span>) -> Option<usize> {
        self.args.iter().position(|arg| Some(arg.value.span) == value)
    }

    /// Writes a function that is given as an argument where it is applied to the value of the call.
    pub fn applied(&self, index: usize, is_piped: bool) -> Option<Fix> {
        let ExprKind::Name(function) = &self.args[index].value.kind else { return None };
        let is_activation = |entry: &&Entry<_>| entry.name() == function;
        layer::activation::ACTIVATIONS.iter().find(is_activation)?;
        let mut fix = leave_out(self.args, index);
        fix.title = format!("apply `{function}` to its value");
        fix.edits.extend(match is_piped {
            true => vec![Edit::insert(self.span.end, format!(" |> {function}"))],
            false => vec![
                Edit::insert(self.span.start, format!("{function}(")),
                Edit::insert(self.span.end, ")"),
            ],
        });
        Some(fix)
    }

    /// Adds an argument behind the others.
    fn with(&self, function: &str, arg: &str) -> Edit {
        let end = self.span.end;
        let is_bare = self.span.range().len() == function.len();
        match self.args.last() {
            Some(last) => Edit::insert(last.span().end, format!(", {arg}")),
            None if is_bare => Edit::insert(end, format!("({arg})")),
            None => Edit::insert(end - 1, arg),
        }
    }
}

/// Takes an item of a list away, with its comma.
pub(super) fn without(items: &[Span], index: usize) -> Edit {
    let item = items[index];
    Edit::remove(match (index.checked_sub(1), items.get(index + 1)) {
        (Some(before), _) => Span::new(items[before].end, item.end),
        (None, Some(next)) => Span::new(item.start, next.start),
        (None, None) => item,
    })
}

/// Leaves an argument of a call out.
pub(super) fn leave_out(args: &[Arg], index: usize) -> Fix {
    let spans: Vec<Span> = args.iter().map(Arg::span).collect();
    let what = match &args[index].name {
        Some(name) => format!("leave `{}` out", name.name),
        None => "leave it out".to_string(),
    };
    Fix::new(what, [without(&spans, index)])
}

/// Adds an entry at the end of a section, which has this span.
pub(super) fn at_end(section: Span, entry: &str) -> Fix {
    let edit = Edit::insert(section.end - 1, format!("    {entry}\n"));
    Fix::new(format!("add `{entry}`"), [edit]).likely()
}

/// What stands in a call of a function with one argument, or in front of its pipe, and the call.
fn inside<'e>(expr: &'e Expr, function: &str) -> Option<(&'e Expr, &'e Call)> {
    let (inner, call) = match &expr.kind {
        ExprKind::Call(call) if call.args.len() == 1 => (&call.args[0].value, call),
        ExprKind::Pipe(left, call) if call.args.is_empty() => (&**left, call),
        _ => return None,
    };
    (call.function.name == function).then_some((inner, call))
}

/// The edits that leave of a call what stands in it.
fn unwrap(inner: &Expr, call: &Call) -> Vec<Edit> {
    let behind = Edit::remove(Span::new(inner.span.end, call.span.end));
    match call.span.start < inner.span.start {
        true => vec![Edit::remove(Span::new(call.span.start, inner.span.start)), behind],
        false => vec![behind],
    }
}

impl<'a> Lowering<'a> {
    /// The error or warning of a problem with a call.
    pub(super) fn diagnosed(
        &self,
        make: fn(Code, Span, String) -> Diagnostic,
        problem: Problem,
        span: Span,
        (call, args): (Written<'a>, &Args),
    ) -> Diagnostic {
        let remedies = problem.remedies.iter();
        let fixes = remedies.filter_map(|remedy| self.solve(remedy, call, args)).collect();
        let found = make(problem.code, span, problem.message);
        Diagnostic { help: problem.help, fixes, ..found }
    }

    fn solve(&self, remedy: &Remedy, call: Written<'a>, args: &Args) -> Option<Fix> {
        match remedy {
            Remedy::Fix(fix) => Some(fix.clone()),
            Remedy::Set(param, value) => {
                let text = format!("{param}: {value}");
                let edit = match args.span(param) {
                    Some(span) => Edit::replace(span, *value),
                    None => call.with(args.signature.name, &text),
                };
                Some(Fix::new(format!("write `{text}`"), [edit]).likely())
            }
            Remedy::Without(param) => {
                Some(leave_out(call.args, call.at(args.span(param))?).likely())
            }
            Remedy::Call(function) => {
                let other = find(layer::entries(), function)?.signature;
                let has = |name: &str| other.params.iter().any(|param| param.name == name);
                let mut names = call.args.iter().filter_map(|arg| arg.name.as_ref());
                let end = call.span.start + args.signature.name.len() as u32;
                let name = Span::new(call.span.start, end);
                names.all(|name| has(&name.name)).then(|| Fix::write(name, *function))
            }
            Remedy::Before(param, function) => {
                let arg = &call.args[call.at(args.span(param))?];
                self.before(&arg.value, function)
            }
            Remedy::Declare(param, ty) => {
                let Some(Source::Target(index)) =
                    self.builder.graph.node(args.tensor(param)).op.source()
                else {
                    return None;
                };
                let name = &self.model.targets.get(index as usize)?.name;
                let port = self.targets.iter().find(|port| port.name.name == *name)?;
                redeclare(port, ty)
            }
        }
    }

    /// Puts what a function is applied to in the place of its value. Where that has no name yet, it
    /// gets one, by which its parameters are called from then on.
    fn before(&self, value: &Expr, function: &str) -> Option<Fix> {
        let title = format!("take what `{function}` is applied to");
        if let Some((inner, call)) = inside(value, function) {
            return Some(Fix::new(title, unwrap(inner, call)));
        }
        let ExprKind::Name(name) = &value.kind else { return None };
        let binding = self.names.in_net(name).filter(|_| self.expanding.is_empty())?;
        let (written, statement) = (binding.written?, binding.statement?);
        let (inner, call) = inside(written, function)?;
        if let ExprKind::Name(inner) = &inner.kind {
            return Some(Fix::new(title, [Edit::replace(value.span, inner)]));
        }
        let free = |new: &&str| self.names.defined_anywhere(new).is_none();
        let new = ["logits", "scores"].into_iter().find(free)?;
        let is_plain = written.span.end == call.span.end
            && written.span.start == inner.span.start.min(call.span.start);
        let keyword = if statement.start < binding.span.start { "output " } else { "" };
        let rest = match call.span.start < inner.span.start {
            true => format!("\n    {keyword}{name} = {function}({new})"),
            false => format!("\n    {keyword}{name} = {new} |> {function}"),
        };
        let edits = [
            Edit::replace(Span::new(statement.start, inner.span.start), format!("{new} = ")),
            Edit::replace(Span::new(inner.span.end, call.span.end), rest),
            Edit::replace(value.span, new),
        ];
        is_plain.then(|| Fix::new(format!("{title}, as `{new}`"), edits).likely())
    }
}

/// Gives a port another type. Numbers have no domain.
fn redeclare(port: &Port, ty: &str) -> Option<Fix> {
    let drops = !ty.starts_with("i32") && port.domain.is_some();
    let follows = |domain: &&Domain| {
        let others = [port.from.as_ref().map(|from| from.span)];
        others.iter().flatten().all(|other| other.start > domain.span().end)
    };
    let domain = port.domain.as_ref().filter(follows).map(Domain::span);
    let span = match drops {
        true => port.ty.span.join(domain?),
        false => port.ty.span,
    };
    let title = format!("declare `{}` as {ty}", port.name.name);
    Some(Fix::new(title, [Edit::replace(span, ty)]).likely())
}
