//! Lowers expressions.

use super::{Lowering, MAX_DEPTH, MAX_NODES, Operand, Value, names};
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{Entry, find};
use crate::graph::NodeId;
use crate::graph::op::{BinaryFn, MatMul, Unary, UnaryFn};
use crate::layer::loss::LOSSES;
use crate::layer::{functions, infix};
use crate::signature::Problem;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Ident};

/// Where text has a meaning.
const TEXT_HELP: &str = "text names columns and words of a table, as in `from [\"mass\"]`";

impl<'a> Lowering<'a> {
    /// Lowers an expression.
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Operand {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} expressions and calls are open here");
            let error = Diagnostic::error(Code::NestingTooDeep, expr.span, message);
            let value = self.stop(error.help("call fewer blocks within blocks"));
            return Operand { value, span: expr.span, defined: None };
        }
        self.depth += 1;
        let operand = self.chain(expr);
        self.depth -= 1;
        operand
    }

    /// Chains such as `x |> f |> g` and `a + b + c` lean to the left and may be long, so their
    /// spine is walked by a loop.
    fn chain(&mut self, expr: &'a Expr) -> Operand {
        let mut spine = Vec::new();
        let mut head = expr;
        while let ExprKind::Pipe(left, _) | ExprKind::Binary(_, left, _) = &head.kind {
            spine.push(head);
            head = left;
        }
        let mut left = self.atom(head);
        for expr in spine.into_iter().rev() {
            let value = match &expr.kind {
                ExprKind::Pipe(_, call) => self.call(call, Some(left)),
                ExprKind::Binary(op, _, right) => {
                    let right = self.expr(right);
                    self.infix(*op, &left, &right, expr.span)
                }
                _ => unreachable!("only chains are on the spine"),
            };
            left = Operand { value, span: expr.span, defined: None };
            self.limit_nodes(expr.span);
        }
        left
    }

    fn atom(&mut self, expr: &'a Expr) -> Operand {
        let span = expr.span;
        let value = match &expr.kind {
            ExprKind::Number(value) => Value::Number(*value),
            ExprKind::Name(name) => return self.name(name, span),
            ExprKind::Call(call) => self.call(call, None),
            ExprKind::Neg(inner) => {
                let operand = self.expr(inner);
                self.negate(&operand)
            }
            ExprKind::Field(of, name) => self.field(of, name, span),
            ExprKind::String(_) => {
                let message = "text has no meaning here";
                let error = Diagnostic::error(Code::TypeMismatch, span, message);
                self.report(error.help(TEXT_HELP));
                Value::Poison
            }
            ExprKind::List(items) => {
                let message = "a list has no meaning here";
                let error = Diagnostic::error(Code::TypeMismatch, span, message);
                let is_number = |item: &Expr| matches!(item.kind, ExprKind::Number(_));
                self.report(match items.iter().all(is_number) {
                    true => error,
                    false => error.help("layers follow each other in a pipe: `x |> f |> g`"),
                });
                // What is wrong inside of it is told all the same.
                items.iter().for_each(|item| _ = self.expr(item));
                Value::Poison
            }
            ExprKind::Pipe(..) | ExprKind::Binary(..) => return self.expr(expr),
        };
        self.limit_nodes(span);
        Operand { value, span, defined: None }
    }

    fn limit_nodes(&mut self, span: Span) {
        if self.builder.graph.nodes.len() > MAX_NODES && !self.stopped {
            let message = format!("the network has more than {MAX_NODES} operations");
            let error = Diagnostic::error(Code::TooManyNodes, span, message);
            self.stop(error.help("a block that calls blocks may expand to more than it seems"));
        }
    }

    /// The value of a name.
    pub(super) fn name(&mut self, name: &str, span: Span) -> Operand {
        if let Some(binding) = self.names.read(name) {
            let (value, defined) = (binding.value.clone(), Some(binding.span));
            return Operand { value, span, defined };
        }
        if self.stopped {
            return Operand { value: Value::Poison, span, defined: None };
        }
        let error = |code, message: String| Diagnostic::error(code, span, message);
        let error = if name == "N" {
            error(Code::BatchAsNumber, "`N` is the batch, which has no number here".into())
                .help("`mean` divides by the rows really present")
        } else if let Some(later) = self.names.defined_later(name) {
            error(Code::UsedBeforeDefinition, format!("`{name}` is used before it is defined"))
                .label(later, "it is defined here")
                .help("move its statement up")
        } else if self.is_function(name) {
            error(Code::MissingArguments, format!("`{name}` is a function, here without arguments"))
                .help(self.called(name))
        } else if let Some(own) =
            functions().map(Entry::name).find(|own| aliases::is_for(name, own))
            && !self.names.visible().any(|visible| aliases::is_for(name, visible))
        {
            error(Code::UnknownName, format!("unknown name `{name}`"))
                .help(format!("`{name}` is called `{own}` here: {}", self.called(own)))
        } else {
            let error = error(Code::UnknownName, format!("unknown name `{name}`"));
            names::suggest(error, name, self.names.visible())
        };
        self.report(error);
        Operand { value: Value::Poison, span, defined: None }
    }

    /// How a function is called, which stands without arguments: a loss by the names there are.
    fn called(&self, function: &str) -> String {
        let output = self.model.outputs.first().map(|(name, _)| name.as_str());
        let target = self.model.targets.first().map(|port| port.name.as_str());
        match find(LOSSES, function) {
            Some(_) => {
                let (y, t) = (output.unwrap_or("y"), target.unwrap_or("t"));
                format!("write `{function}({y}, {t})`")
            }
            None => format!("write `x |> {function}` or `{function}(...)`"),
        }
    }

    /// `h.w`, a parameter of a statement.
    fn field(&mut self, of: &'a Expr, field: &'a Ident, span: Span) -> Value {
        let Some(path) = path(of).map(|path| format!("{path}.{}", field.name)) else {
            let message = format!("only a statement has parameters such as `.{}`", field.name);
            let error = Diagnostic::error(Code::UnknownName, span, message);
            self.report(error.help("name what makes it: `h = ...`, then `h.w`"));
            return Value::Poison;
        };
        let params = &self.builder.params;
        let within = self.params.get(&path).map_or(&[][..], Vec::as_slice);
        if let Some(&param) = within.iter().find(|&&param| params[param].name == path) {
            return Value::Node(params[param].node);
        }
        let statement = path.split('.').next().unwrap_or_default();
        if self.is_poisoned(statement) {
            return Value::Poison;
        }
        let error =
            Diagnostic::error(Code::UnknownName, span, format!("no parameter is named `{path}`"));
        let within = within.iter().map(|&param| params[param].name.as_str());
        let all = params.iter().map(|param| param.name.as_str());
        let error = match within.len() {
            0 => names::suggest(error, &path, all),
            _ => names::list(error, within),
        };
        self.report(error);
        Value::Poison
    }

    fn negate(&mut self, operand: &Operand) -> Value {
        match operand.value {
            Value::Number(value) => Value::Number(-value),
            Value::Poison => Value::Poison,
            Value::Node(_) if self.refuses_holes("`-`", [operand].into_iter()) => Value::Poison,
            Value::Node(id) => {
                let added = self.builder.graph.try_add(Unary(UnaryFn::Neg), &[id]);
                let result = added.map_err(Problem::from);
                self.value_of(result, operand.span, &[operand])
            }
        }
    }

    fn infix(&mut self, op: BinaryOp, a: &Operand, b: &Operand, span: Span) -> Value {
        if let (Value::Number(x), Value::Number(y)) = (&a.value, &b.value) {
            return self.compute(op, *x, *y, span);
        }
        let (Some(x), Some(y)) = (self.as_node(a), self.as_node(b)) else { return Value::Poison };
        if self.refuses_holes("arithmetic", [a, b].into_iter()) {
            return Value::Poison;
        }
        let graph = &mut self.builder.graph;
        let function = match op {
            BinaryOp::Add => BinaryFn::Add,
            BinaryOp::Sub => BinaryFn::Sub,
            BinaryOp::Mul => BinaryFn::Mul,
            BinaryOp::Div => BinaryFn::Div,
            BinaryOp::MatMul => {
                let op = MatMul { transpose_a: false, transpose_b: false };
                let result = graph.try_add(op, &[x, y]).map_err(Problem::from);
                return self.value_of(result, span, &[a, b]);
            }
        };
        let result = infix(graph, function, x, y);
        self.value_of(result, span, &[a, b])
    }

    /// Arithmetic known to the compiler.
    fn compute(&mut self, op: BinaryOp, a: f64, b: f64, span: Span) -> Value {
        let value = match op {
            BinaryOp::Add => a + b,
            BinaryOp::Sub => a - b,
            BinaryOp::Mul => a * b,
            BinaryOp::Div => a / b,
            BinaryOp::MatMul => {
                let message = "`@` multiplies matrices, and these are numbers";
                self.report(Diagnostic::error(Code::TypeMismatch, span, message).help("write `*`"));
                return Value::Poison;
            }
        };
        if !value.is_finite() {
            let message = format!("this is {value}, which is no finite number");
            self.report(Diagnostic::error(Code::BadValue, span, message));
            return Value::Poison;
        }
        Value::Number(value)
    }

    /// A value as a node; a number becomes a constant. `None` after an error.
    pub(super) fn as_node(&mut self, operand: &Operand) -> Option<NodeId> {
        match operand.value {
            Value::Node(id) => Some(id),
            Value::Number(number) => {
                let fits = self.fits_f32(number, operand.span);
                fits.then(|| self.builder.graph.constant(number))
            }
            Value::Poison => None,
        }
    }

    /// Whether a 32-bit float holds a number; if not, says so.
    pub(super) fn fits_f32(&mut self, number: f64, span: Span) -> bool {
        let fits = (number as f32).is_finite();
        if !fits {
            let message = format!("this is {number:e}, larger than a 32-bit float can hold");
            let error = Diagnostic::error(Code::NumberTooLarge, span, message);
            self.report(error.help(format!("the largest is {:e}", f32::MAX)));
        }
        fits
    }

    /// A number known to the compiler; `None` after an error.
    pub(super) fn number(&mut self, expr: &'a Expr) -> Option<f64> {
        let operand = self.expr(expr);
        match operand.value {
            Value::Number(value) => Some(value),
            Value::Poison => None,
            Value::Node(_) => {
                let message = "a number is expected here, not a value of the network";
                let error = Diagnostic::error(Code::TypeMismatch, operand.span, message);
                self.report(error.help("write it out, or name it: `const H = 16`"));
                None
            }
        }
    }

    /// The value of what was built, or a diagnostic that points at what it was built from.
    fn value_of(
        &mut self,
        result: Result<NodeId, Problem>,
        span: Span,
        operands: &[&Operand],
    ) -> Value {
        let problem = match result {
            Ok(id) => return Value::Node(id),
            Err(problem) => problem,
        };
        let mut error = Diagnostic::error(problem.code, span, problem.message);
        error.help = problem.help;
        self.report_of(error, operands)
    }

    /// Tells of a mistake with the types of what is put together.
    pub(super) fn report_of(&mut self, mut error: Diagnostic, operands: &[&Operand]) -> Value {
        for operand in operands {
            let Value::Node(id) = operand.value else { continue };
            let ty = self.builder.graph.node(id).ty();
            let label = (operand.defined.unwrap_or(operand.span), format!("this is {ty}"));
            if !error.labels.contains(&label) {
                error.labels.push(label);
            }
        }
        self.report(error);
        Value::Poison
    }
}

/// `a.b.c` as text.
fn path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Field(of, name) => Some(format!("{}.{}", path(of)?, name.name)),
        _ => None,
    }
}
