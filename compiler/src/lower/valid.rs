//! Lowers the setting `valid`: how many rows are held out, and which.

use super::Lowering;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Port;
use crate::signature::Value as Argument;
use crate::signature::{Kind, Param, Range};
use crate::syntax::ast::{Arg, Expr, ExprKind};
use arenet_program::{Split, Training};

/// What stands after the share, by name.
pub(super) const OPTIONS: &[&str] = &["by"];

impl<'a> Lowering<'a> {
    /// `valid = 0.2, by: class`
    pub(super) fn held_out(
        &mut self,
        share: &'a Expr,
        options: &'a [Arg],
        settings: &mut Training,
    ) {
        let param = Param::required("valid", Kind::Real(Range::Fraction));
        if let Some(Argument::Real(share)) = self.argument(&param, share) {
            settings.valid = share;
        }
        let is_by = |option: &&Arg| option.name.as_ref().is_some_and(|name| name.name == "by");
        let mut ways = options.iter().filter(is_by);
        let Some(Arg { value: by, .. }) = ways.next() else { return };
        if let Some(second) = ways.next() {
            let span = second.value.span;
            let error = Diagnostic::error(Code::WrongArgument, span, "`by` is given twice");
            return self.report(error.second_of(by.span));
        }
        let has_classes = |port: &Port| port.domain.classes().is_some();
        settings.split = match &by.kind {
            ExprKind::Name(word) if word == "last" => Split::Last,
            ExprKind::Name(word) if word == "class" => {
                if !self.model.targets.iter().any(has_classes) {
                    let message = "`by: class` needs a target that has classes";
                    let error = Diagnostic::error(Code::TypeMismatch, by.span, message);
                    return self.report(error.help(
                        "give a target of integers its classes, such as \
                         `target t: i32[N] in 0..10`, or leave `by` out",
                    ));
                }
                Split::Class
            }
            ExprKind::Name(column) | ExprKind::String(column) => Split::Column(column.clone()),
            _ => {
                let message = "`by` must be `class`, `last` or the name of a column";
                return self.report(Diagnostic::error(Code::BadValue, by.span, message));
            }
        };
    }
}
