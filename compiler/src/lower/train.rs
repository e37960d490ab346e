//! Lowers the `train` section: targets, loss, metrics, optimizers and settings.

use super::args::named;
use super::names::{full_name, not_yet};
use super::{Lowering, Operand, Value, names, valid};
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{Entry, built, find};
use crate::graph::op::Source;
use crate::graph::{Graph, NodeId, Origin};
use crate::layer::{self, Builder, Function, Make, TargetFit, terms};
use crate::model::{Figure, Fit, Metric};
use crate::optim::{OPTIMIZERS, Optimizer, momentum};
use crate::pass::accumulate;
use crate::pass::clip::{Clip, Limit};
use crate::pass::hold::HOLDS;
use crate::schedule::OF_MOMENTUM;
use crate::signature::Value as Argument;
use crate::signature::{Args, Kind, Param, Problem, Range};
use crate::syntax::ast::{Arg, BinaryOp, Bind, Call, Expr, ExprKind, Ident, Train, TrainItem};
use crate::watch::{KEEPS, STOPS, Set};
use arenet_program::{Batch, MAX_EPOCHS, Over, Statistic, Subject, Training, Watch, Watched};
use std::collections::{HashMap, HashSet};

/// What a setting is set to.
pub(super) enum Setting {
    /// A value of the network.
    Loss,
    /// `full` or a number of rows.
    Batch,
    /// One number or word, and where it goes.
    Value(Kind, fn(&mut Training, Argument)),
    /// The share of held-out rows, with `by:` which these are.
    Held,
    /// A limit of gradients, and where it goes.
    Clip(fn(&mut Clip, Limit)),
    /// One of these, about the figure that the run watches.
    Watch(&'static [Entry<Set>]),
}

/// The settings of the `train` section.
pub(super) const SETTINGS: &[Entry<Setting>] = &[
    Entry::plain("loss", Setting::Loss),
    Entry::plain("batch", Setting::Batch),
    Entry::plain(
        "epochs",
        Setting::Value(Kind::Count { least: 1, most: MAX_EPOCHS }, |to, value| {
            if let Argument::Count(epochs) = value {
                to.epochs = epochs;
            }
        }),
    ),
    Entry::plain(
        "seed",
        Setting::Value(Kind::count(0), |to, value| {
            if let Argument::Count(seed) = value {
                to.seed = seed;
            }
        }),
    ),
    Entry::plain("valid", Setting::Held),
    Entry::plain(
        "shuffle",
        Setting::Value(Kind::Flag, |to, value| {
            if let Argument::Flag(shuffle) = value {
                to.shuffle = shuffle;
            }
        }),
    ),
    Entry::plain(
        "validate",
        Setting::Value(Kind::count(1), |to, value| {
            if let Argument::Count(steps) = value {
                to.validate = Some(steps);
            }
        }),
    ),
    Entry::plain("stop", Setting::Watch(STOPS)),
    Entry::plain("keep", Setting::Watch(KEEPS)),
    Entry::plain("clip_norm", Setting::Clip(|clip, norm| clip.norm = Some(norm))),
    Entry::plain("clip_value", Setting::Clip(|clip, value| clip.value = Some(value))),
    Entry::plain(
        "accumulate",
        Setting::Value(Kind::count(1), |to, value| {
            if let Argument::Count(batches) = value {
                to.accumulate = batches;
            }
        }),
    ),
];

/// An `optimizer` entry: for whom, what, and where.
struct Group<'a> {
    params: &'a [Ident],
    optimizer: Option<Optimizer>,
    span: Span,
}

impl<'a> Lowering<'a> {
    pub(super) fn train(&mut self, train: &'a Train) {
        let mut settings = Training::default();
        // Targets count wherever they stand, since nothing in a section depends on its order.
        for item in &train.body {
            if let TrainItem::Target(port) = item {
                self.target(port);
            }
        }
        let mut seen: HashMap<&'a str, Span> = HashMap::new();
        let mut metrics: Vec<&'a Call> = Vec::new();
        let mut terms: Vec<&'a Call> = Vec::new();
        let mut optimizers = Vec::new();
        for item in &train.body {
            match item {
                TrainItem::Target(_) | TrainItem::Of { .. } => {}
                TrainItem::Metric(call) => metrics.push(call),
                TrainItem::Optimizer { params, value, span } => {
                    optimizers.push((params, value, *span));
                }
                TrainItem::Set(bind, options) => {
                    if bind.name.name == "loss" && is_sum(&bind.value) {
                        losses(&bind.value, &mut terms);
                    }
                    self.set((bind, options), &mut settings, &mut seen);
                }
            }
        }
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
        for balance in &self.builder.balances {
            let target = &self.model.targets[balance.target as usize].name;
            let name = &mut self.builder.params[balance.param.index()].name;
            *name = format!("{target}.{name}");
        }
        self.fit_targets();
        settings.balances.clone_from(&self.builder.balances);
        // What watches a metric comes after all of them.
        settings.watch = self.watch(train);
        let groups = optimizers.into_iter().map(|(params, value, span)| {
            let optimizer = self.optimizer(value);
            Group { params, optimizer, span }
        });
        let groups = groups.collect();
        if let (Batch::Full, Some(&span)) = (settings.batch, seen.get("accumulate")) {
            let message = "`accumulate` adds up batches, and a full batch has all rows";
            let error = Diagnostic::error("conflicting-settings", span, message);
            self.report(error.help("give `batch` a number of rows, or leave `accumulate` out"));
        }
        if !seen.contains_key("loss") {
            let message = "the `train` section has no loss";
            let error = Diagnostic::error("missing-loss", train.span, message);
            self.report(error.help("write `loss = mse(y, t)`"));
        }
        self.group(groups, train.span, &mut settings);
        self.holds(train);
        self.check_loss(train.span, &settings);
        self.model.training = Some(settings);
    }

    /// `name = value`, and perhaps options
    fn set(
        &mut self,
        (Bind { name, value }, options): (&'a Bind, &'a [Arg]),
        settings: &mut Training,
        seen: &mut HashMap<&'a str, Span>,
    ) {
        if let Some(first) = seen.get(name.name.as_str()) {
            let message = format!("`{}` is set already", name.name);
            let error = Diagnostic::error("duplicate-name", name.span, message);
            self.report(error.label(*first, "this is the first one"));
            return;
        }
        seen.insert(&name.name, name.span);
        let Some(entry) = find(SETTINGS, &name.name) else {
            let error = |message| Diagnostic::error("unknown-key", name.span, message);
            let error = match find(HOLDS, &name.name) {
                Some(_) => error(format!("`{}` is of parameters", name.name))
                    .help(format!("name them: `{}(h.w) = ...`", name.name)),
                None => {
                    let error = error(format!("unknown setting `{}`", name.name));
                    names::suggest(error, &name.name, built(SETTINGS))
                }
            };
            return self.report(error);
        };
        let known = match entry.built {
            Some(Setting::Held) => valid::OPTIONS,
            _ => &[],
        };
        for option in options.iter().filter_map(|option| option.name.as_ref()) {
            if !known.contains(&option.name.as_str()) {
                let message = format!("`{}` has no option `{}`", name.name, option.name);
                let error = Diagnostic::error("unknown-argument", option.span, message);
                self.report(names::suggest(error, &option.name, known.iter().copied()));
            }
        }
        match &entry.built {
            None => self.report(not_yet(&name.name, name.span)),
            Some(Setting::Held) => self.held_out(value, options, settings),
            Some(Setting::Loss) => self.loss(value),
            Some(Setting::Batch) => settings.batch = self.batch(value).unwrap_or(settings.batch),
            Some(Setting::Clip(set)) => {
                let limit = Param::required(entry.name(), Kind::Real(Range::AboveZero));
                if let Some(Argument::Real(most)) = self.argument(&limit, value) {
                    self.builder.graph.enter(Origin { name: entry.name().into(), span: name.span });
                    let origin = self.builder.graph.current;
                    set(&mut self.model.clip, Limit { most, origin });
                }
            }
            Some(Setting::Watch(_)) => {} // after the metrics, by `watch`
            Some(Setting::Value(kind, set)) => {
                if let Some(value) = self.argument(&Param::required(entry.name(), *kind), value) {
                    set(settings, value);
                }
            }
        }
    }

    /// `stop = early_stop(patience: 10)`, then `keep = last`, wherever they stand.
    fn watch(&mut self, train: &'a Train) -> Option<Watch> {
        let mut watch = Watch::default();
        let mut figure: Option<(Watched, Span)> = None;
        let mut is_known = true;
        for (name, entries) in SETTINGS.iter().filter_map(watching) {
            let written = train.body.iter().find_map(|item| match item {
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
                let error = Diagnostic::error("wrong-argument", span, message);
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
            self.report(Diagnostic::error("bad-value", value.span, message));
            return None;
        };
        let what = format!("value of `{what}`:");
        let (signature, found) = self.look_up(&what, entries, built(entries), (name, span))?;
        let matched = self.arguments(signature, written, value.span, None)?;
        Some((found, matched.args))
    }

    /// `full` or a number of rows
    fn batch(&mut self, value: &'a Expr) -> Option<Batch> {
        if value.kind == ExprKind::Name("full".into()) {
            return Some(Batch::Full);
        }
        let rows = Param::required("batch", Kind::count(1));
        match self.argument(&rows, value)? {
            Argument::Count(rows) => Some(Batch::Rows(rows)),
            _ => None,
        }
    }

    /// `loss = mse(y, t)`
    fn loss(&mut self, value: &'a Expr) {
        let params = self.layer_params();
        let operand = self.named("loss", value);
        self.no_new_params(params, value.span);
        self.model.loss = self.single_number(&operand, "the loss");
        self.model.terms =
            self.model.loss.map_or(Vec::new(), |loss| terms(&mut self.builder, loss));
    }

    /// The number of parameters, but for those that a loss may have.
    fn layer_params(&self) -> usize {
        let Builder { params, balances, fits, .. } = &self.builder;
        params.len() - balances.len() - fits.of_targets()
    }

    /// Takes the targets that are declared now for what the net has named before.
    fn fit_targets(&mut self) {
        for TargetFit { target, params } in std::mem::take(&mut self.builder.fits.targets) {
            if let Some(port) = self.model.targets.iter().find(|port| port.name == target) {
                let (of, statistic) = (port.node, Statistic::Deviation);
                self.builder.fits.fits.push(Fit { params, of, statistic, level: 0 });
            }
        }
    }

    fn no_new_params(&mut self, before: usize, span: Span) {
        if self.layer_params() > before {
            let message = "layers with parameters belong inside `net`, not inside `train`";
            self.report(Diagnostic::error("wrong-place", span, message));
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
        let error = Diagnostic::error("type-mismatch", operand.span, message);
        self.report(error.help("a loss such as `mse(y, t)`, or `mean`, makes a single number"));
        None
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
        let found = self.look_up("metric", layer::entries(), known, (name, call.function.span));
        let (signature, function) = found?;
        self.builder.graph.enter(Origin { name: name.into(), span: call.span });
        let params = self.layer_params();
        let matched = self.arguments(signature, &call.args, call.span, None)?;
        let figure = function.figure(&mut self.builder, &matched.args);
        self.no_new_params(params, call.span);
        let result = figure.as_ref().map(|figure| figure.values[0]).map_err(Problem::clone);
        let value = self.call_result((name, function), result, &matched, call.span);
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
        let error = Diagnostic::error("type-mismatch", span, message);
        self.report(error.help("declare it as a `target` inside `train`"));
        None
    }

    /// `sgd(lr: 0.1)`, or `sgd` alone for its defaults
    fn optimizer(&mut self, value: &'a Expr) -> Option<Optimizer> {
        let Some((name, span, written)) = named(value) else {
            let message = "an optimizer is expected here";
            let error = Diagnostic::error("type-mismatch", value.span, message);
            self.report(error.help("write `optimizer = sgd(lr: 0.1)`"));
            return None;
        };
        let (signature, rule) =
            self.look_up("optimizer", OPTIMIZERS, built(OPTIMIZERS), (name, span))?;
        let mut args = self.arguments(signature, written, value.span, None)?.args;
        self.move_momentum(&mut args, written);
        let result = Optimizer::new(rule, args.clone());
        self.settled(result, &args, value.span)
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
            let mut names = settings.iter().filter_map(|setting| setting.name.as_ref());
            if let Some(asked) = names.find(|name| OF_MOMENTUM.contains(&name.name.as_str())) {
                let message = format!("`{}` has no momentum to move", args.signature.name);
                let error = Diagnostic::error("no-momentum", asked.span, message);
                self.report(error.help("leave it out, or train with `sgd` or `adam`"));
            }
            return;
        };
        if let Some(span) = args.span(own) {
            let message = format!("`{own}` has no effect, because `{name}` moves it");
            let lint = Diagnostic::warning("moved-momentum", span, message);
            let help = format!("leave it out, or say `cycle_momentum: false` in `{name}`");
            self.report(lint.help(help));
        }
    }

    /// Gives every parameter that is not frozen its optimizer.
    fn group(&mut self, groups: Vec<Group<'a>>, span: Span, settings: &mut Training) {
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
                let error = Diagnostic::error("duplicate-optimizer", group.span, message);
                self.report(error.label(spans[other], "this is the first one"));
            }
        }
        if self.model.optimizers.len() > usize::from(u16::MAX) {
            let message = format!("there are more than {} optimizers", u16::MAX);
            self.report(Diagnostic::error("too-many-optimizers", span, message));
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
            let error = Diagnostic::error("missing-optimizer", span, message);
            let error = error.label(self.builder.params[param].span, "it is made here");
            self.report(error.help("write `optimizer = sgd(lr: 0.1)`, or `freeze` it"));
        }
    }

    /// Checks that training changes something, and that batches can be added up where they are.
    fn check_loss(&mut self, span: Span, settings: &Training) {
        let Some(loss) = self.model.loss.filter(|_| !self.failed()) else { return };
        let reached = reached(&self.builder.graph, loss);
        let trained = self.builder.params.iter().filter(|param| param.optimizer.is_some());
        if !trained.into_iter().any(|param| reached[param.node.index()]) {
            let message = "the loss depends on no parameter that is trained";
            self.report(Diagnostic::error("nothing-to-train", span, message));
        }
        if settings.accumulates()
            && let Err(error) = accumulate::reduction(&self.builder.graph, loss)
        {
            self.report(error);
        }
    }
}

/// The settings about what is watched, with what each may be.
fn watching(entry: &Entry<Setting>) -> Option<(&'static str, &'static [Entry<Set>])> {
    match entry.built {
        Some(Setting::Watch(entries)) => Some((entry.name(), entries)),
        _ => None,
    }
}

/// What a figure is called.
fn name_of(call: &Call, several: bool) -> String {
    if several { full_name(call) } else { call.function.name.clone() }
}

/// Whether an expression adds something up.
fn is_sum(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(op, a, b) => {
            matches!(op, BinaryOp::Add | BinaryOp::Sub) || is_sum(a) || is_sum(b)
        }
        ExprKind::Neg(a) => is_sum(a),
        _ => false,
    }
}

/// The losses among the operands of an expression.
fn losses<'a>(expr: &'a Expr, found: &mut Vec<&'a Call>) {
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

/// Which nodes a node depends on.
fn reached(graph: &Graph, from: NodeId) -> Vec<bool> {
    let mut reached = vec![false; graph.nodes.len()];
    reached[from.index()] = true;
    for id in graph.ids().rev() {
        if reached[id.index()] {
            graph.node(id).inputs.iter().for_each(|input| reached[input.index()] = true);
        }
    }
    reached
}
