//! Lowers inputs and targets: types, sizes and domains.

use super::{Lowering, Value, names};
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::fix::Fix;
use crate::graph::op::{Leaf, Source};
use crate::graph::{DType, NodeId, Origin, Shape, Type};
use crate::model::{Column, Domain, Missing, Port};
use crate::signature::Value as Argument;
use crate::syntax::ast;
use crate::syntax::ast::{ColumnItem, Dim, Expr, ExprKind, Ident};
use arenet_program::text::quoted;
use std::collections::HashMap;

impl<'a> Lowering<'a> {
    /// `input x: [N, 4]`
    pub(super) fn input(&mut self, port: &'a ast::Port) {
        let source = Source::Input(self.model.inputs.len() as u32);
        if let Some(port) = self.port(port, source, "input") {
            self.model.inputs.push(port);
        }
    }

    /// `target t: [N, 2]`
    pub(super) fn target(&mut self, port: &'a ast::Port) {
        let source = Source::Target(self.model.targets.len() as u32);
        if let Some(port) = self.port(port, source, "target") {
            self.model.targets.push(port);
        }
    }

    /// A target of real numbers by its name, wherever it is declared.
    pub(super) fn target_named(&mut self, expr: &'a Expr) -> Option<Argument> {
        let ExprKind::Name(name) = &expr.kind else {
            let error =
                Diagnostic::error(Code::TypeMismatch, expr.span, "a target is expected here");
            self.report(error.help("write the name of one that `train` declares"));
            return None;
        };
        let Some(port) = self.targets.iter().copied().find(|port| port.name.name == *name) else {
            let message = format!("`train` declares no target `{name}`");
            let error = Diagnostic::error(Code::UnknownName, expr.span, message);
            let known: Vec<&str> = self.targets.iter().map(|port| &*port.name.name).collect();
            let error = match known.is_empty() {
                true => error.help(format!("write `target {name}: [N, 1]` inside `train`")),
                false => names::suggest(error, name, known.into_iter()),
            };
            self.report(error);
            return None;
        };
        let Type { shape, dtype } = self.port_type(port, "target")?;
        if dtype != DType::F32 {
            let message = format!("the target `{name}` is of classes, which have no units");
            let error = Diagnostic::error(Code::TypeMismatch, expr.span, message);
            self.report(error.label(port.name.span, "it is declared here"));
            return None;
        }
        Some(Argument::Target(name.clone(), shape))
    }

    fn port(&mut self, port: &'a ast::Port, source: Source, what: &'static str) -> Option<Port> {
        let ty = self.port_type(port, what);
        let domain = self.domain(port, ty);
        let missing = self.port_missing(port, ty, what);
        let from = self.port_columns(port, ty);
        let made = ty.map(|Type { shape, dtype }| {
            let origin = Origin { name: port.name.name.clone(), span: port.name.span };
            self.builder.graph.enter(origin);
            let node = self.builder.graph.add(Leaf { source, shape, dtype }, &[]);
            let domain = domain.unwrap_or(Domain::Any);
            if domain.classes().is_some() && dtype == DType::I32 {
                self.builder.domains.insert(node, domain.clone());
            }
            if missing.is_hole() {
                self.builder.holes.insert(node);
            }
            Port { name: port.name.name.clone(), shape, dtype, domain, missing, from, node }
        });
        let value = made.as_ref().map_or(Value::Poison, |port| Value::Node(port.node));
        self.define(&port.name, value, None, what);
        made
    }

    fn port_type(&mut self, port: &'a ast::Port, what: &str) -> Option<Type> {
        let dtype = self.dtype(&port.ty);
        let shape = self.shape(&port.ty, true)?;
        if !shape.batch() {
            let message = format!("the {what} `{}` has no batch", port.name.name);
            let error = Diagnostic::error(Code::BadShape, port.ty.span, message);
            let dims: String = shape.dims().iter().map(|dim| format!(", {dim}")).collect();
            let fix = match port.ty.dims.first() {
                Some(first) => Fix::insert(first.span().start, "N, "),
                None => Fix::insert(port.ty.span.end - 1, "N"),
            };
            let error = error.help(format!("its first dimension is N: `[N{dims}]`"));
            self.report(error.fix(fix.likely()));
            return None;
        }
        Some(Type { shape, dtype: dtype? })
    }

    /// The shape of a `param`.
    pub(super) fn param_shape(&mut self, name: &Ident, ty: &'a ast::Type) -> Option<Shape> {
        let dtype = self.dtype(ty)?;
        let shape = self.shape(ty, false)?;
        if dtype != DType::F32 {
            let message = format!("the parameter `{}` can only be f32", name.name);
            self.report(Diagnostic::error(Code::TypeMismatch, ty.span, message));
            return None;
        }
        Some(shape)
    }

    fn dtype(&mut self, ty: &'a ast::Type) -> Option<DType> {
        let Some(name) = &ty.dtype else { return Some(DType::F32) };
        match name.name.as_str() {
            "f32" => Some(DType::F32),
            "i32" => Some(DType::I32),
            other => {
                let message = format!("unknown element type `{other}`");
                let error = Diagnostic::error(Code::UnknownName, name.span, message);
                let meant = match other.chars().next() {
                    Some('f' | 'F') => Some("f32"),
                    Some('i' | 'I' | 'u') => Some("i32"),
                    _ => None,
                };
                let fix = meant.map(|meant| Fix::write(name.span, meant).likely());
                let help = match meant {
                    Some(own) if !other.contains(|c: char| c.is_ascii_digit()) => {
                        format!("`{other}` is called `{own}` here")
                    }
                    _ => "the element types are f32 and i32".to_string(),
                };
                self.report(error.help(help).fix(fix));
                None
            }
        }
    }

    fn shape(&mut self, ty: &'a ast::Type, may_batch: bool) -> Option<Shape> {
        let mut dims = Vec::new();
        let mut batch = false;
        let mut complete = true;
        for (i, dim) in ty.dims.iter().enumerate() {
            match dim {
                Dim::Name(name) if name.name == "N" && i == 0 && may_batch => batch = true,
                dim => match self.size(dim, may_batch) {
                    Some(size) => dims.push(usize::try_from(size).unwrap_or(usize::MAX)),
                    None => complete = false,
                },
            }
        }
        if !complete {
            return None;
        }
        let made = Shape::new(batch, &dims);
        made.map_err(|error| self.report(Diagnostic::error(Code::BadShape, ty.span, error.0))).ok()
    }

    /// A fixed size; `None` after an error.
    fn size(&mut self, dim: &'a Dim, may_batch: bool) -> Option<u64> {
        let error = |message: &str| Diagnostic::error(Code::BadShape, dim.span(), message);
        let size = match dim {
            Dim::Size(size, _) => Some(*size),
            Dim::Name(name) if name.name == "N" => {
                let message = match may_batch {
                    true => "the batch N can only be the first dimension, and alone",
                    false => "a parameter is the same for all rows, so it has no batch N",
                };
                self.report(error(message).help("such as `[N, 4]`, or `[4, 8]` of a `param`"));
                return None;
            }
            Dim::Name(name) => self.constant_size(name)?,
            Dim::Add(a, b) => {
                let (a, b) = (self.size(a, may_batch), self.size(b, may_batch));
                a?.checked_add(b?)
            }
            Dim::Mul(a, b) => {
                let (a, b) = (self.size(a, may_batch), self.size(b, may_batch));
                a?.checked_mul(b?)
            }
        };
        if size.is_none() {
            self.report(error("this size is too large"));
        }
        size
    }

    /// The size that a constant gives; the inner `None` where it is no size.
    fn constant_size(&mut self, name: &'a Ident) -> Option<Option<u64>> {
        let Some(constant) = self.names.constants.get_mut(name.name.as_str()) else {
            let message = format!("unknown constant `{}`", name.name);
            let error = Diagnostic::error(Code::UnknownName, name.span, message);
            let error = match aliases::note_of_size(&name.name) {
                Some(note) => error.help(note).fix(Fix::write(name.span, "N").likely()),
                None => names::suggest(error, &name.name, self.names.constants.keys().copied()),
            };
            self.report(error);
            return None;
        };
        constant.used = true;
        let (value, defined) = (constant.value.clone(), constant.span);
        let Value::Number(value) = value else { return None };
        if value.fract() != 0.0 || value < 0.0 {
            let message = format!("a size is a whole number, but `{}` is {value}", name.name);
            let error = Diagnostic::error(Code::BadShape, name.span, message);
            self.report(error.label(defined, "it is defined here"));
            return None;
        }
        Some((value < u64::MAX as f64).then_some(value as u64))
    }

    /// The values a port may take; `None` where it says none, or after an error.
    fn domain(&mut self, port: &ast::Port, ty: Option<Type>) -> Option<Domain> {
        let domain = port.domain.as_ref()?;
        let error = |span, message: String| Diagnostic::error(Code::BadDomain, span, message);
        let is_real = ty.is_some_and(|ty| ty.dtype != DType::I32);
        match domain {
            ast::Domain::Range(_, _, span) if is_real => {
                let message = format!("`{}` is f32, but a range has whole numbers", port.name.name);
                let dims = ty.map(|ty| ty.shape.to_string()).unwrap_or_default();
                self.report(error(*span, message).help(format!("declare it as i32{dims}")));
                None
            }
            ast::Domain::Range(first, end, span) => {
                // The elements are 32-bit integers.
                if first >= end {
                    let message = format!("the range {first}..{end} is empty");
                    let range = format!("{first}..{}", first.saturating_add(1));
                    let help = format!("it ends before its second number: `{range}`");
                    let fix = Fix::write(*span, range).likely();
                    self.report(error(*span, message).help(help).fix(fix));
                    return None;
                }
                let fits = *end <= i64::from(i32::MAX) + 1;
                if !fits {
                    let message = format!("the range {first}..{end} is beyond 32-bit integers");
                    self.report(error(*span, message));
                }
                fits.then_some(Domain::Range(*first, *end))
            }
            ast::Domain::Names(names, _) => {
                let mut seen = HashMap::new();
                let mut distinct = true;
                for (name, span) in names {
                    if let Some(first) = seen.insert(name, *span) {
                        let message = format!("the class {} is listed twice", quoted(name));
                        self.report(error(*span, message).second_of(first));
                        distinct = false;
                    }
                }
                let names = || names.iter().map(|(name, _)| name.clone()).collect();
                distinct.then(|| Domain::Names(names()))
            }
        }
    }

    /// What becomes of a field without a value: of an input what it says, or else it is an error;
    /// a row without a target is left out.
    fn port_missing(&mut self, port: &ast::Port, ty: Option<Type>, what: &str) -> Missing {
        let (words, unknown) = match &port.missing {
            None => (Vec::new(), None),
            Some(ast::Missing::Words(words, _)) => (words.clone(), None),
            Some(ast::Missing::Unknown(span)) => (Vec::new(), Some(*span)),
        };
        let has_classes = ty.is_none_or(|ty| ty.dtype == DType::I32) && port.domain.is_some();
        match (what, unknown) {
            ("target", None) => Missing::LeftOut(words),
            ("target", Some(span)) => {
                let message = format!("the target `{}` cannot be unknown", port.name.name);
                let error = Diagnostic::error(Code::BadDomain, span, message);
                let error = error.help(
                    "remove the word: rows without a target are left out; write `missing: \
                     [\"...\"]` for other words that mean the same",
                );
                self.report(error.fix(Fix::remove("the word", span).likely()));
                Missing::LeftOut(words)
            }
            (_, Some(_)) if has_classes => Missing::Unknown,
            (_, Some(span)) => {
                let name = &port.name.name;
                let message = format!("nothing says which words of `{name}` are known");
                let error = Diagnostic::error(Code::BadDomain, span, message);
                let error = error.help(
                    "list them as `i32[N] in [\"a\", \"b\"] unknown`, or write `missing` for \
                     fields without a number",
                );
                self.report(error.fix(Fix::write(span, "missing").likely()));
                Missing::Hole(words)
            }
            (_, None) if port.missing.is_some() => Missing::Hole(words),
            (_, None) => Missing::Refused,
        }
    }

    /// The columns that a port takes, where it says which.
    fn port_columns(&mut self, port: &ast::Port, ty: Option<Type>) -> Vec<Column> {
        const MOST: u64 = u32::MAX as u64;
        let Some(columns) = &port.from else { return Vec::new() };
        let wide = ty.map_or(0, |ty| ty.shape.fixed_elements());
        let (mut from, mut total) = (Vec::new(), 0_u64);
        for item in &columns.items {
            match item {
                ColumnItem::Name(name, _) => {
                    from.push(Column::Named(name.clone()));
                    total += 1;
                }
                ColumnItem::Places(first, end, span) if first >= end || *end > MOST => {
                    let message = match first >= end {
                        true => format!("the range {first}..{end} of columns is empty"),
                        false => format!("no table has a column {}", end - 1),
                    };
                    let help = "columns are counted from 0, and a range ends before its second \
                                number";
                    self.report(Diagnostic::error(Code::BadColumns, *span, message).help(help));
                    return Vec::new();
                }
                ColumnItem::Places(first, end, _) => {
                    from.extend((*first as u32..*end as u32).take(wide).map(Column::At));
                    total += end - first;
                }
            }
        }
        if ty.is_none() || total == wide as u64 {
            return from;
        }
        let name = &port.name.name;
        let message = format!("`{name}` is from {total} columns, and its type has {wide} a row");
        let error = Diagnostic::error(Code::BadColumns, columns.span, message);
        let error = error.label(port.ty.span, "this type");
        self.report(
            error.help("name a column for each number of a row, such as three for `[N, 3]`"),
        );
        Vec::new()
    }

    /// The port that a node is the leaf of.
    fn port_of(&mut self, node: NodeId) -> Option<&mut Port> {
        match self.builder.graph.node(node).op.source()? {
            Source::Input(i) => self.model.inputs.get_mut(i as usize),
            Source::Target(i) => self.model.targets.get_mut(i as usize),
            _ => None,
        }
    }

    /// Gives a target of a loss the domain that the loss is defined for, unless it says its own.
    pub(super) fn limit_target(&mut self, target: NodeId, domain: Domain) {
        if let Some(port) = self.port_of(target)
            && port.domain == Domain::Any
        {
            port.domain = domain;
        }
    }

    /// Checks that a class target has as many classes as its logits, and gives one without a
    /// domain that of its logits.
    pub(super) fn check_classes(&mut self, logits: NodeId, target: NodeId, span: Span) {
        let graph = &self.builder.graph;
        if graph.node(target).dtype != DType::I32 {
            return;
        }
        let classes = graph.shape(logits).last().unwrap_or(1) as i64;
        if classes > i64::from(i32::MAX) {
            let message = format!("{classes} classes are more than 32-bit integers count");
            self.report(Diagnostic::error(Code::ClassMismatch, span, message));
            return;
        }
        self.limit_target(target, Domain::Range(0, classes));
        let defined = self.builder.graph.span(target);
        let Some(port) = self.port_of(target) else { return };
        let (count, help) = match &port.domain {
            Domain::Range(first, end) | Domain::RangeOr(first, end, _) => {
                (end - first, Some((*first, first + classes)))
            }
            Domain::Names(names) => (names.len() as i64, None),
            Domain::Any | Domain::Interval(..) => return,
        };
        if count == classes {
            return;
        }
        let message =
            format!("the logits are for {classes} classes, but `{}` has {count}", port.name);
        let name = port.name.clone();
        let mut error = Diagnostic::error(Code::ClassMismatch, span, message);
        error = error.label(defined, "its classes are given here");
        if let Some((first, end)) = help {
            let last = end - 1;
            let help = format!("`in {first}..{end}` has the {classes} classes {first} to {last}");
            let port = self.targets.iter().find(|port| port.name.name == name);
            let domain = port.and_then(|port| port.domain.as_ref());
            let write = |domain: &ast::Domain| Fix::write(domain.span(), format!("{first}..{end}"));
            error = error.help(help).fix(domain.map(|domain| write(domain).likely()));
        }
        self.report(error);
    }

    /// Checks that the classes of every port of integers are known, and that none is compared with
    /// logits as if all its rows counted where some do not.
    pub(super) fn check_domains(&mut self) {
        self.check_ignored();
        let ports = self.model.inputs.iter().chain(&self.model.targets);
        let unknown = |port: &&Port| port.dtype == DType::I32 && port.domain == Domain::Any;
        let unknown: Vec<(String, NodeId)> =
            ports.filter(unknown).map(|port| (port.name.clone(), port.node)).collect();
        for (name, node) in unknown {
            let message = format!("nothing says which classes `{name}` has");
            let error =
                Diagnostic::error(Code::UnknownClasses, self.builder.graph.span(node), message);
            self.report(error.help("write `in 0..10` behind its type, or remove it"));
        }
    }

    /// Gives targets with rows that do not count their domains.
    fn check_ignored(&mut self) {
        let graph = &self.builder.graph;
        let mut errors = Vec::new();
        for port in &mut self.model.targets {
            let Some(domain @ Domain::RangeOr(.., ignored)) = self.builder.domains.get(&port.node)
            else {
                continue;
            };
            port.domain = domain.clone();
            let compared = |id: &NodeId| {
                let node = graph.node(*id);
                node.op.compares_classes() && node.inputs[1] == port.node
            };
            let Some(id) = graph.ids().find(compared) else { continue };
            let message = format!(
                "rows with {ignored} do not count in `{}`, but they would count here",
                port.name
            );
            let help = format!(
                "write `ignore_index: {ignored}` where the function takes it, or give such rows a \
                 class of their own"
            );
            errors.push(Diagnostic::error(Code::ClassMismatch, graph.span(id), message).help(help));
        }
        errors.into_iter().for_each(|error| self.report(error));
    }
}
