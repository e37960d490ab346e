//! Lowers what parameters are held by: `l2(h.w, y) = 1e-3`.

use super::fix::without;
use super::train::SETTINGS;
use super::{Lowering, names};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{built, find};
use crate::fix::Fix;
use crate::graph::{Formula, Origin};
use crate::model::{Figure, Metric};
use crate::pass::hold::{HOLDS, Hold, Rule};
use crate::signature::Value as Argument;
use crate::signature::{Kind, Param, Range};
use crate::syntax::ast::{Bind, Ident, Train, TrainItem};
use arenet_program::{Finish, Subject};
use std::collections::{HashMap, HashSet};

impl<'a> Lowering<'a> {
    /// All of a `train` section. Penalties are shown beside the loss, by their names.
    pub(super) fn holds(&mut self, train: &'a Train) {
        let mut held = HashMap::new();
        for item in &train.body {
            if let TrainItem::Of { params, bind } = &item.node {
                self.hold(params, bind, &mut held);
            }
        }
        let holds = std::mem::take(&mut self.model.holds);
        for hold in &holds {
            let several = holds.iter().filter(|other| other.name == hold.name).count() > 1;
            self.show_penalty(hold, several);
        }
        self.model.holds = holds;
    }

    fn hold(
        &mut self,
        params: &'a [Ident],
        Bind { name, value }: &'a Bind,
        held: &mut HashMap<(&'static str, usize), Span>,
    ) {
        let Some(entry) = find(HOLDS, &name.name) else {
            let elsewhere = find(SETTINGS, &name.name)
                .map(|_| ["is of no parameters".into(), format!("write `{} = ...`", name.name)]);
            let known = built(HOLDS).chain(["optimizer"]);
            let error = names::no_setting("setting of parameters", name, elsewhere, known);
            return self.report(error);
        };
        let rule = entry.built.as_ref().expect("all of them are built");
        let range = match rule {
            Rule::Penalty { .. } => Range::AtLeastZero,
            Rule::Limit(_) => Range::AboveZero,
        };
        let factor = self.argument(&Param::required(entry.name(), Kind::Real(range)), value);
        let mut own = HashSet::new();
        for (index, ident) in params.iter().enumerate() {
            let named = self.params_of(ident);
            let trained: Vec<usize> =
                named.iter().copied().filter(|&i| self.is_trained(i)).collect();
            if trained.is_empty() && !named.is_empty() {
                let message = format!("`{}` is not trained, so nothing holds it", ident.name);
                let error = Diagnostic::error(Code::NotTrained, ident.span, message);
                let is_frozen = named.iter().any(|param| self.frozen.contains(param));
                let place =
                    if is_frozen { "remove it here, or from `freeze`" } else { "remove it" };
                let spans: Vec<Span> = params.iter().map(|ident| ident.span).collect();
                let edit = [without(&spans, index)];
                let fix = (spans.len() > 1).then(|| Fix::new("remove it", edit).likely());
                self.report(error.help(place).fix(fix));
            }
            for param in trained.into_iter().filter(|param| own.insert(*param)) {
                if let Some(first) = held.insert((entry.name(), param), ident.span) {
                    let param = &self.builder.params[param].name;
                    let message = format!("`{param}` has `{}` already", entry.name());
                    let error = Diagnostic::error(Code::DuplicateName, ident.span, message);
                    self.report(error.second_of(first));
                }
            }
        }
        let Some(Argument::Real(factor)) = factor.filter(|_| !own.is_empty()) else { return };
        self.builder.graph.enter(Origin { name: entry.name().into(), span: name.span });
        let origin = self.builder.graph.current;
        let mut params: Vec<usize> = own.into_iter().collect();
        params.sort_unstable();
        if factor > 0.0 {
            self.model.holds.push(Hold { name: entry.name(), rule, factor, params, origin });
        }
    }

    /// Whether a gradient may change a parameter.
    pub(super) fn is_trained(&self, param: usize) -> bool {
        !self.builder.is_statistic(param) && !self.frozen.contains(&param)
    }

    fn show_penalty(&mut self, hold: &Hold, several: bool) {
        let params = &self.builder.params;
        let (names, nodes): (Vec<&str>, Vec<_>) =
            hold.params.iter().map(|&i| (params[i].name.as_str(), params[i].node)).unzip();
        let name = match several {
            true => format!("{}({})", hold.name, names.join(", ")),
            false => hold.name.to_string(),
        };
        let f = Formula::new(&mut self.builder.graph);
        f.come_from(hold.origin);
        let value = hold.penalty(nodes.into_iter().map(|node| f.term(node)));
        let Some(value) = value.map(|value| value.id) else { return };
        let figure = Figure { values: vec![value], finish: Finish::mean() };
        let subject = Subject::Parameters;
        self.model.metrics.push(Metric { name, figure, rises: false, subject });
    }
}
