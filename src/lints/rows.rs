//! Inputs that are the target in other words, and rows that are both trained on and held out.

use super::line::is_part;
use super::{FEW_ROWS, Look, count, listed, short};
use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{Diagnostic, Span};
use arenet_compiler::graph::DType;
use arenet_compiler::model::Port;
use arenet_runtime::data::twin::{is_linear, is_renamed};
use arenet_runtime::program::Split;
use arenet_runtime::program::text::quoted;
use std::collections::{HashMap, HashSet};

/// Targets of more columns than this are compared with no input: they may well be a picture of it.
const MOST_TARGETS: usize = 8;
/// Rows held out that are trained on as well, from which share on that is told.
const COPIES: f64 = 0.01;
/// Of those copies, the most that may be equal by chance.
const BY_CHANCE: f64 = 0.01;
/// Two rows have the same value in a column of measured numbers as rarely as this. Tables of a few
/// words have equal rows that are no copies.
const MEASURED: f64 = 0.05;

impl Look<'_> {
    /// At most one for each input.
    pub(super) fn twins(&self) -> Vec<Diagnostic> {
        let widths = self.model.inputs.iter().map(|port| port.shape.fixed_elements());
        // A net of one column may well have to learn a line.
        if widths.sum::<usize>() < 2 || self.rows < FEW_ROWS {
            return Vec::new();
        }
        let inputs = self.model.inputs.iter().enumerate();
        inputs.filter_map(|(index, port)| self.twin(index, port)).collect()
    }

    fn twin(&self, index: usize, port: &Port) -> Option<Diagnostic> {
        let width = port.shape.fixed_elements();
        let mut found: Vec<(usize, String)> = Vec::new();
        for (place, target) in self.model.targets.iter().enumerate() {
            let wide = target.shape.fixed_elements();
            for at in (0..wide).filter(|_| wide <= MOST_TARGETS) {
                let goal = self.values(self.model.inputs.len() + place, wide, at);
                let is_twin = |column: &usize| {
                    is_alike((port, &self.values(index, width, *column)), (target, &goal))
                };
                let title = self.title(target, at);
                found.extend((0..width).filter(is_twin).map(|column| (column, title.clone())));
            }
        }
        found.sort_by_key(|(column, _)| *column); // a stable sort
        found.dedup_by_key(|(column, _)| *column);
        let (_, goal) = found.first()?;
        let columns = found.iter().map(|(column, _)| self.title(port, *column)).collect();
        let verb = if found.len() > 1 { "are" } else { "is" };
        let (columns, rows) = (listed(columns), self.looked_at());
        let of = if width > 1 { format!(" of `{}`", port.name) } else { String::new() };
        let text = format!("{columns}{of} {verb} the target {goal} in other words{rows}");
        let left: Vec<usize> =
            (0..width).filter(|column| !found.iter().any(|(own, _)| own == column)).collect();
        let help = self.narrower(port, &left);
        Some(self.warn(Code::TargetAmongInputs, port, text).help(help))
    }

    /// What to write so that an input has these columns alone.
    fn narrower(&self, port: &Port, columns: &[usize]) -> String {
        const MOST: usize = 8;
        let (name, count) = (&port.name, columns.len());
        if count == 0 {
            return format!("remove the input `{name}`");
        }
        let Some(names) = self.named(port).filter(|_| count <= MOST && port.shape.rank() == 2)
        else {
            return format!(
                "leave it out of the table, or choose the columns of `{name}` by `from`"
            );
        };
        let names: Vec<String> = columns.iter().map(|&at| quoted(&names[at])).collect();
        let mut help =
            format!("leave it out: `input {name}: [N, {count}] from [{}]`", names.join(", "));
        let ports = self.model.inputs.iter().chain(&self.model.targets);
        for other in ports.filter(|other| other.name != *name) {
            if let Some(from) = self.by_place(other) {
                help.push_str(&format!(", and `from {from}` behind the type of `{}`", other.name));
            }
        }
        help
    }

    /// The columns of a port that only their places give it: not those that it would take beside
    /// others that are chosen.
    fn by_place(&self, port: &Port) -> Option<String> {
        let names = self.named(port).filter(|_| port.from.is_empty())?;
        let is_own = |(at, name): (usize, &String)| match names.len() {
            1 => *name == port.name,
            _ => *name == format!("{}.{at}", port.name),
        };
        if names.iter().enumerate().all(is_own) {
            return None;
        }
        let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        Some(match &quoted[..] {
            [one] => one.clone(),
            all => format!("[{}]", all.join(", ")),
        })
    }

    /// Rows on both sides.
    pub(super) fn copies(&self) -> Vec<Diagnostic> {
        let (copies, [trained, held]) = (self.survey.copies as f64, self.all.map(|n| n as f64));
        let measured = copies >= 2.0 && copies >= COPIES * held && self.rows >= FEW_ROWS;
        let Some(finest) = measured.then(|| self.finest()).flatten() else { return Vec::new() };
        let expected = trained * held * finest.all_equal;
        if finest.equal > MEASURED || expected > BY_CHANCE * copies {
            return Vec::new();
        }
        let text = format!(
            "{} of the {} rows held out are trained on as well, with the same inputs and targets: \
             figures of them are better than those of new rows",
            count(self.survey.copies),
            count(held as u64),
        );
        let remove = "remove copies from the table";
        let by = self.model.training.as_ref().map(|training| (&training.split, training.valid));
        let help = match (self.named(finest.port), by) {
            _ if self.is_apart => "remove them from one of the two tables".to_string(),
            (Some(names), Some((split, share))) => {
                let column = &names[finest.index];
                let is_plain = !column.is_empty()
                    && column.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !column.starts_with(|c: char| c.is_ascii_digit())
                    && !["class", "last"].contains(&column.as_str());
                let by = if is_plain { column.clone() } else { quoted(column) };
                let share = if share > 0.0 { short(share) } else { "0.2".to_string() };
                match *split == Split::Column(column.clone()) {
                    true => remove.to_string(),
                    false => format!(
                        "{remove}, or write `valid = {share}, by: {by}`, which keeps them together"
                    ),
                }
            }
            _ => format!("{remove}, or hold rows out by a column that they have in common"),
        };
        vec![Diagnostic::warning(Code::CopiedRows, self.held_out_by(), text).help(help)]
    }

    /// The setting that holds rows out, or what stands for it.
    fn held_out_by(&self) -> Span {
        let is_setting = |&(at, word): &(usize, &str)| {
            let (before, after) = (&self.text[..at], &self.text[at + word.len()..]);
            let line = before.rsplit('\n').next().unwrap_or_default();
            !before.ends_with(is_part)
                && after.trim_start().starts_with('=')
                && !line.contains("//")
        };
        let found = self.text.match_indices("valid").filter(is_setting).last();
        match found {
            Some((at, word)) => Span::of(at..at + word.len()),
            None => self.model.inputs.first().map_or_else(Span::default, |port| self.span(port)),
        }
    }

    /// The column of an input in which rows differ most.
    fn finest(&self) -> Option<Finest<'_>> {
        let (mut all_equal, mut finest) = (1.0, None::<(f64, &Port, usize)>);
        let distinct = self.distinct();
        let ports = self.model.inputs.iter().chain(&self.model.targets);
        for (index, port) in ports.enumerate() {
            let width = port.shape.fixed_elements();
            for column in 0..width {
                let value = |row: &usize| self.ports[index][row * width + column];
                let equal = equal(distinct.iter().map(value));
                all_equal *= equal;
                let is_finer = finest.as_ref().is_none_or(|(least, ..)| equal < *least);
                if index < self.model.inputs.len() && is_finer {
                    finest = Some((equal, port, column));
                }
            }
        }
        finest.map(|(equal, port, index)| Finest { port, index, equal, all_equal })
    }

    /// Of the rows looked at those that differ.
    fn distinct(&self) -> Vec<usize> {
        let ports = self.model.inputs.iter().chain(&self.model.targets).zip(&self.ports);
        let bits = |row: usize| -> Vec<u64> {
            let own = ports.clone().flat_map(|(port, values)| {
                let width = port.shape.fixed_elements();
                &values[row * width..(row + 1) * width]
            });
            own.map(|value| value.to_bits()).collect()
        };
        let mut known = HashSet::new();
        (0..self.rows).filter(|row| known.insert(bits(*row))).collect()
    }
}

/// The column of an input in which rows differ most.
struct Finest<'a> {
    port: &'a Port,
    index: usize,
    /// The share of all pairs of rows that have the same value there.
    equal: f64,
    /// The share that would be equal in all columns, if each were drawn for itself.
    all_equal: f64,
}

/// Whether a column of an input is one of a target in other words. Two values are the same in any.
fn is_alike(input: (&Port, &[f64]), target: (&Port, &[f64])) -> bool {
    match [input.0, target.0].iter().any(|port| port.dtype == DType::I32) {
        true => is_renamed(input.1, target.1),
        false => is_linear(input.1, target.1),
    }
}

/// The share of the pairs of rows that have the same value.
fn equal(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let pairs = |n: f64| n * (n - 1.0) / 2.0;
    let all = pairs(values.len() as f64);
    let mut counts: HashMap<u64, f64> = HashMap::new();
    values.for_each(|value| *counts.entry(value.to_bits()).or_default() += 1.0);
    let same: f64 = counts.values().map(|count| pairs(*count)).sum();
    // One pair at least: a smaller share cannot be seen in so few rows.
    same.max(1.0) / all.max(1.0)
}
