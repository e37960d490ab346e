//! Classes without rows to learn from, and one that has nearly all of them.

use super::{FEW_ROWS, Look, count, line, listed, short};
use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{Diagnostic, Span};
use arenet_compiler::model::{Domain, Port};
use arenet_runtime::program::text::quoted;
use arenet_runtime::train::Counted;

/// From this share on, a class leaves nearly no rows to the others.
const NEARLY_ALL: f64 = 0.99;

impl Look<'_> {
    /// At most one of either kind for each target.
    pub(super) fn classes(&self) -> Vec<Diagnostic> {
        let targets = self.model.targets.iter().zip(&self.survey.values);
        let known = targets.filter_map(|(port, values)| Some((port, values.as_deref()?)));
        known.flat_map(|(port, values)| self.of_target(port, values)).collect()
    }

    fn of_target(&self, port: &Port, values: &[Counted]) -> Vec<Diagnostic> {
        let all: u64 = values.iter().map(|(_, [own, _])| own).sum();
        let Some(most) = values.iter().max_by_key(|(_, [own, _])| own) else { return Vec::new() };
        let share = most.1[0] as f64 / all.max(1) as f64;
        let is_class = port.domain.classes().is_some();
        let is_side = values.iter().all(|(value, _)| [-1.0, 0.0, 1.0].contains(value));
        if all >= FEW_ROWS as u64 && share == 1.0 {
            let (name, rows, value) = (&port.name, count(all), label(port, most.0));
            let text = format!(
                "`{name}` is {value} in all {rows} rows to train on: there is nothing to learn"
            );
            let help = match most.1[1] < self.all[1] as u64 {
                true if !self.is_apart => self.by_class(),
                _ => "train on a table with other values as well".to_string(),
            };
            return vec![self.warn(Code::OneClass, port, text).help(help)];
        }
        let never = if is_class { self.never(port, values, all) } else { None };
        let uneven = (share >= NEARLY_ALL && (is_class || is_side) && !self.is_weighted(port))
            .then(|| self.uneven(port, values, *most, all));
        never.into_iter().chain(uneven).collect()
    }

    /// Classes that no row to train on has.
    fn never(&self, port: &Port, values: &[Counted], all: u64) -> Option<Diagnostic> {
        let missing = || values.iter().filter(|(_, [own, _])| *own == 0);
        let labels: Vec<String> = missing().map(|(value, _)| label(port, *value)).collect();
        let (what, verb) = match labels.len() {
            0 => return None,
            1 => (format!("the class {}", labels[0]), "has"),
            number => (format!("{} classes", count(number as u64)), "have"),
        };
        let held: u64 = missing().map(|(_, [_, held])| held).sum();
        let mut text =
            format!("{what} of `{}` {verb} none of the {} rows to train on", port.name, count(all));
        if held > 0 {
            text.push_str(&format!(", and {} of those held out", count(held)));
        }
        if labels.len() > 1 {
            text.push_str(&format!(": {}", listed(labels)));
        }
        let help = match self.without(port, values) {
            _ if held > 0 && !self.is_apart => self.by_class(),
            Some(domain) => {
                format!("add such rows, or write `target {}: i32[N] {domain}`", port.name)
            }
            None => "add such rows".to_string(),
        };
        Some(self.warn(Code::ClassWithoutRows, port, text).help(help))
    }

    /// The domain of the classes that come, where it can be written.
    fn without(&self, port: &Port, values: &[Counted]) -> Option<String> {
        const MOST: usize = 8;
        let there: Vec<f64> =
            values.iter().filter(|(_, [own, _])| *own > 0).map(|(value, _)| *value).collect();
        let (first, last) = (there.first()?, there.last()?);
        if there.len() < 2 || port.shape.rank() != 1 {
            return None;
        }
        match &port.domain {
            Domain::Names(_) if there.len() <= MOST => {
                let names: Vec<String> = there.iter().map(|value| label(port, *value)).collect();
                Some(format!("in [{}]", names.join(", ")))
            }
            Domain::Range(low, _) if last - first + 1.0 == there.len() as f64 => {
                Some(format!("in {}..{}", *low + *first as i64, *low + *last as i64 + 1))
            }
            _ => None,
        }
    }

    /// How to hold out some rows of each class.
    fn by_class(&self) -> String {
        let share = self.model.training.as_ref().map_or(0.0, |training| training.valid);
        let share = if share > 0.0 { short(share) } else { "0.2".to_string() };
        format!("write `valid = {share}, by: class`, which holds out a share of each class")
    }

    /// One class, or one side, has nearly all rows.
    fn uneven(&self, port: &Port, values: &[Counted], most: Counted, all: u64) -> Diagnostic {
        let others = all - most.1[0];
        let value = label(port, most.0);
        let text = format!(
            "`{}` is {value} in {} of the {} rows to train on: always to say {value} is right in \
             {:.2}% of them",
            port.name,
            count(most.1[0]),
            count(all),
            100.0 * most.1[0] as f64 / all as f64,
        );
        let ratio = if most.0 > 0.0 {
            others as f64 / most.1[0] as f64
        } else {
            most.1[0] as f64 / others as f64
        };
        let ways = [
            ("cross_entropy", "class_weight: balanced".to_string()),
            ("nll", "class_weight: balanced".to_string()),
            ("bce_logits", format!("pos_weight: {}", short(ratio))),
        ];
        let there = values.iter().filter(|(_, [own, _])| *own > 0).count();
        let line = ways.iter().filter(|_| there > 1).find_map(|(loss, argument)| {
            line::changed(self.text, self.loss()?, |own| {
                let place = line::arguments(own, loss, &port.name)?;
                Some(format!("{}, {argument}{}", &own[..place.end], &own[place.end..]))
            })
        });
        let weigh = line.map(|line| format!("write `{line}`"));
        // Of numbers, a threshold would have to suit what the loss takes; ranks need none.
        let metric = if port.domain.classes().is_some() { "balanced_accuracy" } else { "auc" };
        let compared = self.compared(port).map(|(first, name)| {
            format!("`metric {metric}({first}, {name})` says how well the others are found")
        });
        let help: Vec<String> = weigh.into_iter().chain(compared).collect();
        let warning = self.warn(Code::UnevenClasses, port, text);
        match help.is_empty() {
            true => warning.help("look at a metric that counts each class, such as `auc`"),
            false => warning.help(help.join("; ")),
        }
    }

    /// The statement of the loss.
    fn loss(&self) -> Option<Span> {
        let origins = self.model.graph.origins.iter();
        origins.filter(|origin| origin.name == "loss").map(|origin| origin.span).next_back()
    }

    /// Whether the loss of a target weighs its rows already.
    fn is_weighted(&self, port: &Port) -> bool {
        let loss = self.loss().and_then(|span| self.text.get(span.range())).unwrap_or_default();
        let words = ["class_weight", "pos_weight", "weight"];
        words.iter().any(|word| loss.contains(&format!("{word}:"))) && loss.contains(&port.name)
    }

    /// What the loss compares with a target, as it is written, unless a metric counts each class.
    fn compared(&self, port: &Port) -> Option<(String, String)> {
        let counts = ["balanced_accuracy", "f1", "auc", "recall", "precision", "confusion_matrix"];
        let metrics = self.text.split("metric").skip(1);
        let mut names = metrics.filter_map(|rest| rest.trim_start().split('(').next());
        if names.any(|name| counts.contains(&name.trim())) {
            return None;
        }
        let loss = self.text.get(self.loss()?.range())?;
        let calls = ["cross_entropy", "nll", "bce_logits", "bce", "hinge"];
        let place = calls.iter().find_map(|call| line::arguments(loss, call, &port.name))?;
        let (first, _) = loss[place].split_once(',')?;
        let is_name = first.trim().chars().all(line::is_part);
        is_name.then(|| (first.trim().to_string(), port.name.clone()))
    }
}

/// What a message calls a value of a target.
fn label(port: &Port, value: f64) -> String {
    match port.domain.label(value as u64) {
        Some(label) if port.domain.classes().is_some() => match &port.domain {
            Domain::Names(_) => quoted(&label.to_string()),
            _ => label.to_string(),
        },
        _ => short(value),
    }
}
