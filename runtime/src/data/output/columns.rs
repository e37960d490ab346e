//! The columns of what is written, and what they are called.

use std::collections::HashSet;

use super::form::{Form, Misfit};
use super::judge::Judge;
use crate::data::choice::Choice;
use crate::data::error::{meant_or_listed, quoted};
use crate::program::Program;

/// One value, or several that are a list in JSON.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// What it is called.
    pub name: String,
    /// The number of its values.
    pub width: usize,
    /// What they are called, where that is not their number.
    pub labels: Vec<String>,
    /// Where they come from.
    pub source: Source,
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A column of the table.
    Kept(usize),
    /// An output.
    Output(usize),
    /// A class that a judge found, the first of all in the column by its place.
    Class(usize, usize),
    /// The probability of such a class.
    Probability(usize, usize),
}

impl Column {
    /// Whether it is an output itself.
    pub fn is_output(&self) -> bool {
        matches!(self.source, Source::Output(_))
    }

    /// What each of its values is called in a table: `y`; or `y.0`, `y.1` and so on; or, where it
    /// tells classes, `probs.setosa`.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let name = |index| match (self.width, self.labels.get(index)) {
            (1, _) => self.name.clone(),
            (_, Some(label)) => format!("{}.{label}", self.name),
            (_, None) => format!("{}.{index}", self.name),
        };
        (0..self.width).map(name)
    }
}

/// The columns that the outputs and the judges give: all of them in the order of the outputs, or
/// those that the form names, in its order.
pub(super) fn columns(
    program: &Program,
    form: &Form,
    judges: &[Judge],
) -> Result<Vec<Column>, Misfit> {
    let output = |index: usize| {
        let own = &program.outputs[index];
        let (name, width) = (own.name.clone(), own.width as usize);
        let domain = own.scores.map(|scores| &program.targets[scores.target as usize].domain);
        let domain = domain.filter(|domain| domain.classes() == Some(own.width));
        let label = |class| Some(domain?.label(class)?.to_string());
        let labels = (0..own.width).map_while(label).collect();
        Column { name, width, labels, source: Source::Output(index) }
    };
    let mut columns = Vec::new();
    if form.only.is_empty() {
        for index in 0..program.outputs.len() {
            columns.push(output(index));
            let own = judges.iter().enumerate().filter(|(_, judge)| judge.output == index);
            own.for_each(|(place, judge)| push_classes(place, judge, &mut columns));
        }
    }
    for name in &form.only {
        let of_target = judges.iter().position(|judge| judge.name == *name);
        match (program.outputs.iter().position(|output| output.name == *name), of_target) {
            (Some(index), _) => columns.push(output(index)),
            (None, Some(place)) => push_classes(place, &judges[place], &mut columns),
            (None, None) => return Err(unknown(name, program, form)),
        }
    }
    if form.is_npy() && !columns.iter().all(Column::is_output) && form.chooses_classes() {
        let message = "npy holds numbers, and classes may be words";
        return Err(Misfit::new(message, "write csv, json or jsonl"));
    }
    Ok(columns)
}

/// The classes that a judge finds, each with its probability where that is known.
fn push_classes(place: usize, judge: &Judge, columns: &mut Vec<Column>) {
    let width = judge.elements.unwrap_or(1);
    for rank in 0..judge.top {
        let name = match rank {
            0 => judge.name.clone(),
            _ => format!("{}.{}", judge.name, rank + 1),
        };
        let probability = format!("{name}.probability");
        let labels = Vec::new();
        columns.push(Column { name, width, labels, source: Source::Class(place, rank) });
        if judge.has_probabilities() {
            let source = Source::Probability(place, rank);
            columns.push(Column { name: probability, width, labels: Vec::new(), source });
        }
    }
}

fn unknown(name: &str, program: &Program, form: &Form) -> Misfit {
    let outputs = program.outputs.iter().map(|output| output.name.as_str());
    let scored = program.outputs.iter().filter_map(|output| output.scores);
    let targets = scored.map(|scores| program.targets[scores.target as usize].name.as_str());
    if targets.clone().any(|target| target == name) {
        let threshold = form.say(Choice::Threshold(None));
        let message = format!("{} is a share from 0 to 1, and no class", quoted(name));
        return Misfit::new(message, format!("{threshold} says from where on it is 1"));
    }
    let mut names: Vec<&str> = Vec::new();
    for name in outputs.chain(targets) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let message = format!(
        "{} names {}, which the net does not predict",
        form.say(Choice::Only),
        quoted(name)
    );
    Misfit::new(message, meant_or_listed(name, "its outputs and classes", names.iter().copied()))
}

/// Puts columns of the table in front. One whose name is taken gets another: `table.species` beside
/// the class that is predicted.
pub(super) fn put_in_front(kept: &[String], columns: &mut Vec<Column>) {
    let names = columns.iter().flat_map(|column| column.names().chain([column.name.clone()]));
    let mut taken: HashSet<String> = names.collect();
    let kept = kept.iter().enumerate().map(|(place, name)| {
        let mut name = name.clone();
        while !taken.insert(name.clone()) {
            name.insert_str(0, "table.");
        }
        Column { name, width: 1, labels: Vec::new(), source: Source::Kept(place) }
    });
    let kept: Vec<Column> = kept.collect();
    columns.splice(..0, kept);
}
