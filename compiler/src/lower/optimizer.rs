//! Lowers the optimizers of a `train` section, and gives every parameter its own.

use super::Lowering;
use super::args::named;
use super::fix::{Written, at_end, leave_out};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::built;
use crate::optim::{OPTIMIZERS, Optimizer, momentum};
use crate::schedule::OF_MOMENTUM;
use crate::signature::{Args, Value as Argument};
use crate::syntax::ast::{Arg, Expr, Ident};
use arenet_program::Training;
use std::collections::HashSet;

/// An `optimizer` entry: for whom, what, and where.
pub(super) struct Group<'a> {
    pub params: &'a [Ident],
    pub optimizer: Option<Optimizer>,
    pub span: Span,
}

impl<'a> Lowering<'a> {
    /// `sgd(lr: 0.1)`, or `sgd` alone for its defaults
    pub(super) fn optimizer(&mut self, value: &'a Expr) -> Option<Optimizer> {
        let Some((name, span, written)) = named(value) else {
            let message = "an optimizer is expected here";
            let error = Diagnostic::error(Code::TypeMismatch, value.span, message);
            self.report(error.help("write `optimizer = sgd(lr: 0.1)`"));
            return None;
        };
        let (signature, rule) =
            self.look_up("optimizer", OPTIMIZERS, built(OPTIMIZERS), (name, span, written))?;
        let call = Written { span: value.span, args: written };
        let mut args = self.arguments(signature, call, None)?.args;
        self.move_momentum(&mut args, written);
        let result = Optimizer::new(rule, args.clone());
        self.settled(result, (call, &args))
    }

    /// A schedule that moves the momentum moves that of an optimizer which has one.
    fn move_momentum(&mut self, args: &mut Args, written: &'a [Arg]) {
        let lr = written.iter().find(|arg| Some(arg.value.span) == args.spans[0]);
        let Some((name, _, settings)) = lr.and_then(|lr| named(&lr.value)) else { return };
        let Argument::Schedule(schedule) = &mut args.values[0] else { return };
        if schedule.momentum.is_none() {
            return;
        }
        let Some(own) = momentum(args.signature) else {
            schedule.momentum = None;
            let name = |setting: &'a Arg| setting.name.as_ref();
            let is_asked = |name: &Ident| OF_MOMENTUM.contains(&name.name.as_str());
            let asked = settings.iter().position(|setting| name(setting).is_some_and(is_asked));
            if let Some(index) = asked {
                let message = format!("`{}` has no momentum to move", args.signature.name);
                let span = settings[index].name.as_ref().map_or(settings[index].span(), |n| n.span);
                let error = Diagnostic::error(Code::NoMomentum, span, message);
                let error = error.help("leave it out, or train with `sgd` or `adam`");
                self.report(error.fix(leave_out(settings, index)));
            }
            return;
        };
        if let Some(span) = args.span(own) {
            let message = format!("`{own}` has no effect, because `{name}` moves it");
            let lint = Diagnostic::warning(Code::MovedMomentum, span, message);
            let help = format!("leave it out, or say `cycle_momentum: false` in `{name}`");
            let index = written.iter().position(|arg| arg.value.span == span);
            self.report(lint.help(help).fix(index.map(|index| leave_out(written, index))));
        }
    }

    /// Gives every parameter that is not frozen its optimizer.
    pub(super) fn group(&mut self, groups: Vec<Group<'a>>, span: Span, settings: &mut Training) {
        let mut of_param: Vec<Option<usize>> = vec![None; self.builder.params.len()];
        let mut spans: Vec<Span> = Vec::new();
        let mut default: Option<usize> = None;
        let failed = groups.iter().any(|group| group.optimizer.is_none());
        for group in groups {
            let named = self.params_of_all(group.params);
            let Some(optimizer) = group.optimizer else { continue };
            let index = self.model.optimizers.len();
            settings.schedules.push(optimizer.args.schedule("lr"));
            self.model.optimizers.push(optimizer);
            spans.push(group.span);
            let mut twice = if group.params.is_empty() { default.replace(index) } else { None };
            for param in named {
                let other = of_param[param].replace(index).filter(|other| *other != index);
                twice = twice.or(other);
            }
            if let Some(other) = twice {
                let message = "these parameters have an optimizer already";
                let error = Diagnostic::error(Code::DuplicateOptimizer, group.span, message);
                self.report(error.second_of(spans[other]));
            }
        }
        if self.model.optimizers.len() > usize::from(u16::MAX) {
            let message = format!("there are more than {} optimizers", u16::MAX);
            self.report(Diagnostic::error(Code::TooManyOptimizers, span, message));
        }
        self.builder.freeze_statistics(|param| self.frozen.contains(&param));
        let params = 0..self.builder.params.len();
        let untrained: HashSet<usize> = params.filter(|&param| !self.is_trained(param)).collect();
        let mut without = None;
        for (i, explicit) in of_param.into_iter().enumerate() {
            let optimizer = explicit.or(default).filter(|_| !untrained.contains(&i));
            self.builder.params[i].optimizer = optimizer;
            if optimizer.is_none() && !untrained.contains(&i) {
                without = without.or(Some(i));
            }
        }
        if let Some(param) = without.filter(|_| !failed) {
            let name = &self.builder.params[param].name;
            let message = format!("the parameter `{name}` has no optimizer");
            let error = Diagnostic::error(Code::MissingOptimizer, span, message);
            let error = error.label(self.builder.params[param].span, "it is made here");
            let error = error.help("write `optimizer = sgd(lr: 0.1)`, or `freeze` it");
            self.report(error.fix(at_end(span, "optimizer = adam")));
        }
    }
}
