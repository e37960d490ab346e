//! Lowers what a run watches: `stop = early_stop(patience: 10)` and `keep = best`.

use super::Lowering;
use super::args::named;
use super::fix::Written;
use super::train::{SETTINGS, Setting};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{Entry, built};
use crate::signature::{Args, Value as Argument};
use crate::syntax::ast::{Bind, Expr, Train, TrainItem};
use crate::watch::Set;
use arenet_program::{Watch, Watched};

impl<'a> Lowering<'a> {
    /// `stop = early_stop(patience: 10)`, then `keep = last`, wherever they stand.
    pub(super) fn watch(&mut self, train: &'a Train) -> Option<Watch> {
        let mut watch = Watch::default();
        let mut figure: Option<(Watched, Span)> = None;
        let mut is_known = true;
        for (name, entries) in SETTINGS.iter().filter_map(watching) {
            let written = train.body.iter().find_map(|item| match &item.node {
                TrainItem::Set(Bind { name: own, value }, _) if own.name == name => Some(value),
                _ => None,
            });
            let Some(value) = written else { continue };
            let Some((set, args)) = self.choice(name, entries, value) else {
                is_known = false;
                continue;
            };
            set(&args, &mut watch);
            let is_given = args.spans.iter().zip(&args.values).find_map(|(span, value)| {
                let &Argument::Watched(figure) = value else { return None };
                Some((figure, (*span)?))
            });
            if let (Some((first, place)), Some((second, span))) = (figure, is_given)
                && first != second
            {
                let message = "a run watches one figure, and this is another";
                let error = Diagnostic::error(Code::WrongArgument, span, message);
                let error = error.label(place, "this is the first one");
                self.report(error.help("name one of them in both, or in one alone"));
            }
            figure = figure.or(is_given);
        }
        let is_used = watch.keeps_best || watch.patience.is_some();
        Some(watch).filter(|_| is_known && is_used)
    }

    /// One of these entries with its arguments, such as `early_stop(patience: 10)`.
    fn choice<T: 'static>(
        &mut self,
        what: &str,
        entries: &'static [Entry<T>],
        value: &'a Expr,
    ) -> Option<(&'static T, Args)> {
        let Some((name, span, written)) = named(value) else {
            let usage = entries.iter().map(|entry| format!("`{}`", entry.signature.usage()));
            let usage = usage.collect::<Vec<_>>().join(" or ").replace("()", "");
            let message = format!("`{what}` must be {usage}");
            self.report(Diagnostic::error(Code::BadValue, value.span, message));
            return None;
        };
        let what = format!("value of `{what}`:");
        let (signature, found) =
            self.look_up(&what, entries, built(entries), (name, span, written))?;
        let written = Written { span: value.span, args: written };
        let matched = self.arguments(signature, written, None)?;
        Some((found, matched.args))
    }
}

/// The settings about what is watched, with what each may be.
fn watching(entry: &Entry<Setting>) -> Option<(&'static str, &'static [Entry<Set>])> {
    match entry.built {
        Some(Setting::Watch(entries)) => Some((entry.name(), entries)),
        _ => None,
    }
}
