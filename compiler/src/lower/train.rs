//! Lowers the `train` section: its targets, its settings, and what other files lower of it.

use super::figure::{is_sum, losses};
use super::fix::at_end;
use super::names::not_yet;
use super::optimizer::Group;
use super::{Lowering, names, valid};
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::entry::{Entry, built, find};
use crate::graph::{DType, Graph, NodeId, Origin};
use crate::layer::loss::LOSSES;
use crate::layer::{TargetFit, functions};
use crate::model::Fit;
use crate::optim::OPTIMIZERS;
use crate::pass::accumulate;
use crate::pass::clip::{Clip, Limit};
use crate::pass::hold::HOLDS;
use crate::signature::Value as Argument;
use crate::signature::{Kind, Param, Range, Signature};
use crate::syntax::ast::{Arg, Bind, Call, Expr, ExprKind, Train, TrainItem};
use crate::watch::{KEEPS, STOPS, Set};
use arenet_program::{Batch, MAX_EPOCHS, Statistic, Training};
use std::collections::HashMap;

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
    Entry::plain("loss", "what is made small", Setting::Loss),
    Entry::plain("batch", "rows of a batch, or `full` for all", Setting::Batch),
    Entry::plain(
        "epochs",
        "passes over the rows",
        Setting::Value(Kind::Count { least: 1, most: MAX_EPOCHS }, |to, value| {
            if let Argument::Count(epochs) = value {
                to.epochs = epochs;
            }
        }),
    ),
    Entry::plain(
        "seed",
        "of initial values, held-out rows and the order of rows",
        Setting::Value(Kind::count(0), |to, value| {
            if let Argument::Count(seed) = value {
                to.seed = seed;
            }
        }),
    ),
    Entry::plain(
        "valid",
        "the share of rows that are held out: any, without `by`, or the last ones of the table; \
            with `by: class` that share of each class of the targets; with a column of the \
            table, `by: patient` or `by: \"patient id\"`, that share of its values, so that rows \
            with the same value stay together. No input need be that column",
        Setting::Held,
    ),
    Entry::plain(
        "shuffle",
        "whether each epoch has an order of its own",
        Setting::Value(Kind::Flag, |to, value| {
            if let Argument::Flag(shuffle) = value {
                to.shuffle = shuffle;
            }
        }),
    ),
    Entry::plain(
        "validate",
        "the steps between two validations within an epoch; one is always at its end",
        Setting::Value(Kind::count(1), |to, value| {
            if let Argument::Count(steps) = value {
                to.validate = Some(steps);
            }
        }),
    ),
    Entry::plain("stop", "when the run ends before its last epoch", Setting::Watch(STOPS)),
    Entry::plain("keep", "which weights are saved", Setting::Watch(KEEPS)),
    Entry::plain(
        "clip_norm",
        "the largest norm of all gradients together",
        Setting::Clip(|clip, norm| clip.norm = Some(norm)),
    ),
    Entry::plain(
        "clip_value",
        "the largest absolute value of a gradient's element",
        Setting::Clip(|clip, value| clip.value = Some(value)),
    ),
    Entry::plain(
        "accumulate",
        "batches whose gradients make one step of the optimizers",
        Setting::Value(Kind::count(1), |to, value| {
            if let Argument::Count(batches) = value {
                to.accumulate = batches;
            }
        }),
    ),
];

/// The settings, for the reference.
pub(crate) fn settings() -> Vec<Signature> {
    SETTINGS.iter().map(|entry| entry.signature).collect()
}

impl<'a> Lowering<'a> {
    pub(super) fn train(&mut self, train: &'a Train) {
        self.in_train = true;
        let mut settings = Training::default();
        // Targets count wherever they stand, since nothing in a section depends on its order.
        for item in &train.body {
            if let TrainItem::Target(port) = &item.node {
                self.statement = item.span;
                self.target(port);
            }
        }
        let mut seen: HashMap<&'a str, Span> = HashMap::new();
        let mut metrics: Vec<&'a Call> = Vec::new();
        let mut terms: Vec<&'a Call> = Vec::new();
        let mut optimizers = Vec::new();
        for item in &train.body {
            match &item.node {
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
        self.figures(terms, metrics);
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
            let error = Diagnostic::error(Code::ConflictingSettings, span, message);
            self.report(error.help("give `batch` a number of rows, or leave `accumulate` out"));
        }
        if !seen.contains_key("loss") {
            let message = "the `train` section has no loss";
            let error = Diagnostic::error(Code::MissingLoss, train.span, message);
            let loss = self.likely_loss().map(|loss| at_end(train.span, &format!("loss = {loss}")));
            self.report(error.help("write `loss = mse(y, t)`").fix(loss));
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
            let error = Diagnostic::error(Code::DuplicateName, name.span, message);
            self.report(error.second_of(*first));
            return;
        }
        seen.insert(&name.name, name.span);
        let Some(entry) = find(SETTINGS, &name.name) else {
            let held = find(HOLDS, &name.name).map(|_| {
                ["is of parameters".into(), format!("name them: `{}(h.w) = ...`", name.name)]
            });
            let elsewhere = held.or_else(|| elsewhere(&name.name));
            let known = built(SETTINGS).chain(built(HOLDS));
            return self.report(names::no_setting("setting", name, elsewhere, known));
        };
        let known = match entry.built {
            Some(Setting::Held) => valid::OPTIONS,
            _ => &[],
        };
        for option in options.iter().filter_map(|option| option.name.as_ref()) {
            if !known.contains(&option.name.as_str()) {
                let message = format!("`{}` has no option `{}`", name.name, option.name);
                let error = Diagnostic::error(Code::UnknownArgument, option.span, message);
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

    /// The usual loss of one output and one target.
    fn likely_loss(&self) -> Option<String> {
        let ([(output, node)], [target]) = (&self.model.outputs[..], &self.model.targets[..])
        else {
            return None;
        };
        let shape = self.builder.graph.shape(*node);
        let loss = match target.dtype {
            DType::F32 if shape == target.shape => "mse",
            DType::I32 if shape.last().is_some() && shape.without_last() == target.shape => {
                "cross_entropy"
            }
            _ => return None,
        };
        Some(format!("{loss}({output}, {})", target.name))
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

    /// Takes the targets that are declared now for what the net has named before.
    fn fit_targets(&mut self) {
        for TargetFit { target, params } in std::mem::take(&mut self.builder.fits.targets) {
            if let Some(port) = self.model.targets.iter().find(|port| port.name == target) {
                let (of, statistic) = (port.node, Statistic::Deviation);
                self.builder.fits.fits.push(Fit { params, of, statistic, level: 0 });
            }
        }
    }

    /// Checks that training changes something, and that batches can be added up where they are.
    fn check_loss(&mut self, span: Span, settings: &Training) {
        let Some(loss) = self.model.loss.filter(|_| !self.failed()) else { return };
        let reached = reached(&self.builder.graph, loss);
        let trained = self.builder.params.iter().filter(|param| param.optimizer.is_some());
        if !trained.into_iter().any(|param| reached[param.node.index()]) {
            let message = "the loss depends on no parameter that is trained";
            let error = Diagnostic::error(Code::NothingToTrain, span, message);
            self.report(error.help("let it compare what a layer such as `dense(3)` gives"));
        }
        if settings.accumulates()
            && let Err(error) = accumulate::reduction(&self.builder.graph, loss)
        {
            self.report(error);
        }
    }
}

/// What a name is that means an argument of an optimizer or a loss, or a layer, and how that is
/// written.
fn elsewhere(name: &str) -> Option<[String; 2]> {
    if let Some((optimizer, own)) = argument(OPTIMIZERS.iter(), 0, name) {
        let write = format!("write it there: `optimizer = {optimizer}({own}: ...)`");
        return Some(["belongs to the optimizer".into(), write]);
    }
    if let Some((loss, own)) = argument(LOSSES.iter().rev(), 2, name) {
        let write = format!("write it there: `loss = {loss}(y, t, {own}: ...)`");
        return Some(["belongs to the loss".into(), write]);
    }
    let is_meant = |own: &&str| aliases::is_for(name, own);
    let own = built(functions()).find(is_meant).filter(|_| aliases::note(name).is_none())?;
    Some(["belongs to the net".into(), format!("write it there: `h = x |> {own}`")])
}

/// The first of some functions with an argument that a name means, behind the first few of its own.
fn argument<T: 'static>(
    mut entries: impl Iterator<Item = &'static Entry<T>>,
    few: usize,
    name: &str,
) -> Option<(&'static str, &'static str)> {
    entries.find_map(|entry| {
        let mut names = entry.signature.params.iter().skip(few).map(|param| param.name);
        Some((entry.name(), names.find(|own| aliases::is_for(name, own))?))
    })
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
