//! What a statement does, in the words of its text: `dense(16) relu`.

use crate::syntax::ast::{BinaryOp, Call, Expr, ExprKind, File, Item, Stmt, TrainItem};

/// An expression that a statement binds, and the block whose statement it is.
pub struct Expression<'f> {
    pub expr: &'f Expr,
    pub block: Option<&'f str>,
}

/// The expressions that statements of a net and of blocks bind.
pub fn expressions<'f>(file: &'f File) -> Vec<Expression<'f>> {
    let of_statement = |statement: &'f Stmt| match statement {
        Stmt::Output { value, .. } => value.as_ref(),
        Stmt::Bind(bind) => Some(&bind.value),
        _ => None,
    };
    let of_item = |item: &'f Item| -> Vec<Expression<'f>> {
        let (exprs, block): (Vec<&Expr>, _) = match item {
            Item::Block(block) => (
                block.body.iter().map(|bind| &bind.value).collect(),
                Some(block.name.name.as_str()),
            ),
            Item::Net(net) => {
                (net.body.iter().filter_map(|stmt| of_statement(&stmt.node)).collect(), None)
            }
            Item::Train(train) => {
                (train.body.iter().filter_map(|entry| of_entry(&entry.node)).collect(), None)
            }
            Item::Const(_) => return Vec::new(),
        };
        exprs.into_iter().map(|expr| Expression { expr, block }).collect()
    };
    file.items.iter().flat_map(of_item).collect()
}

/// The expression of an entry of the `train` section, such as the loss.
fn of_entry(entry: &TrainItem) -> Option<&Expr> {
    match entry {
        TrainItem::Set(bind, _) => Some(&bind.value),
        _ => None,
    }
}

/// The names of layers whose calls share parameters.
pub fn layer_names(file: &File) -> Vec<&str> {
    let mut names = Vec::new();
    for item in &file.items {
        let Item::Net(net) = item else { continue };
        for statement in &net.body {
            if let Stmt::Layer { name, .. } = &statement.node {
                names.push(name.name.as_str());
            }
        }
    }
    names
}

/// What an expression does. Of a chain of pipes the name in front is left out, and so are the
/// arguments with names: what is left is a list of layers with their sizes.
pub fn operation(expr: &Expr) -> String {
    let mut calls: Vec<&Call> = Vec::new();
    let mut first = expr;
    while let ExprKind::Pipe(left, call) = &first.kind {
        calls.push(call);
        first = left;
    }
    if calls.is_empty() {
        return text(expr, 0);
    }
    let front = match &first.kind {
        ExprKind::Name(_) => None,
        ExprKind::Binary(..) => Some(format!("({})", text(first, 0))),
        _ => Some(text(first, 0)),
    };
    let calls = calls.into_iter().rev().map(|call| called(call, false));
    front.into_iter().chain(calls).collect::<Vec<_>>().join(" ")
}

/// An expression as the text may have it, in parentheses where it binds less tightly than asked.
fn text(expr: &Expr, least: u8) -> String {
    let (text, own) = match &expr.kind {
        ExprKind::Number(number) => (number.to_string(), 3),
        ExprKind::String(string) => (format!("{string:?}"), 3),
        ExprKind::Name(name) => (name.clone(), 3),
        ExprKind::List(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item, 0)).collect();
            (format!("[{}]", items.join(", ")), 3)
        }
        ExprKind::Call(call) => (called(call, true), 3),
        ExprKind::Pipe(left, call) => (format!("{} |> {}", text(left, 0), called(call, true)), 0),
        ExprKind::Neg(value) => (format!("-{}", text(value, 3)), 3),
        ExprKind::Binary(op, left, right) => {
            let (sign, own) = match op {
                BinaryOp::Add => ("+", 1),
                BinaryOp::Sub => ("-", 1),
                BinaryOp::Mul => ("*", 2),
                BinaryOp::Div => ("/", 2),
                BinaryOp::MatMul => ("@", 2),
            };
            (format!("{} {sign} {}", text(left, own), text(right, own + 1)), own)
        }
        ExprKind::Field(value, name) => (format!("{}.{}", text(value, 3), name.name), 3),
    };
    if own < least { format!("({text})") } else { text }
}

/// A call, perhaps with those of its arguments that have names.
fn called(call: &Call, named: bool) -> String {
    let args = call.args.iter().filter(|arg| named || arg.name.is_none());
    let args: Vec<String> = args
        .map(|arg| match &arg.name {
            Some(name) => format!("{}: {}", name.name, text(&arg.value, 0)),
            None => text(&arg.value, 0),
        })
        .collect();
    match args.is_empty() {
        true => call.function.name.clone(),
        false => format!("{}({})", call.function.name, args.join(", ")),
    }
}
