//! What the rows of a training say before its first step: columns of very different scale, classes
//! without rows or with nearly all of them, held-out rows that are trained on as well, and inputs
//! that are the target in other words. Each comes with what to write.
//!
//! Classes and rows are counted over all of the data, in one pass; the rest is seen on some rows.

mod classes;
mod line;
mod rows;
mod scale;

use crate::error::Diagnostics;
use crate::trainer::Trainer;
use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{Diagnostic, Span};
use arenet_compiler::model::{Column, Model, Port};
use arenet_runtime::data::ColumnNames;
use arenet_runtime::program::text::shown;
use arenet_runtime::train::Survey;
use std::sync::Arc;

/// The most rows that are looked at, and the most values of them.
const MOST_ROWS: usize = 4096;
const MOST_VALUES: usize = 1 << 20;
/// Fewer rows than this say nothing of what is usual.
const FEW_ROWS: usize = 10;

/// A training that is about to begin.
struct Look<'a> {
    model: &'a Model,
    text: &'a str,
    columns: &'a ColumnNames,
    /// The values of some rows to train on: of each input, then of each target.
    ports: Vec<Vec<f64>>,
    /// How many these are.
    rows: usize,
    /// All rows to train on, and those held out.
    all: [usize; 2],
    /// Whether those held out are other data.
    is_apart: bool,
    survey: Survey,
    /// The parameters as they are.
    params: Vec<Vec<f64>>,
}

impl Trainer {
    /// Looks at the data before the first step: whether columns reach the first layer at very
    /// different scales, a class has no rows or nearly all of them, rows are both trained on and
    /// held out, or an input is the target in other words. It takes a pass over the rows. Nothing
    /// is found in most data, nor for nets that were compiled, which have no text.
    ///
    /// ```
    /// let net = arenet::Net::parse(
    ///     "net n { input x: [N, 1]  output y = x |> dense(1) }
    ///      train { target t: [N, 1]  loss = mse(y, t)  optimizer = adam }",
    /// )?;
    /// let x: Vec<f32> = (0..100).map(|i| 50.0 * i as f32).collect();
    /// let t: Vec<f32> = x.iter().map(|x| (x / 1000.0).sin()).collect();
    /// let lints = net.trainer(net.data(&x, &t)?).build()?.lints();
    /// assert!(lints.to_string().contains("`output y = x |> standardize |> dense(1)`"));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn lints(&self) -> Diagnostics {
        let none = || Diagnostics { found: vec![], file: String::new(), text: Arc::from("") };
        let Some(text) = self.text.as_ref().filter(|_| !self.by_gradients) else { return none() };
        let all = [self.inner.training_rows(), self.inner.validation_rows()];
        let model = &*text.model;
        let ports = model.inputs.iter().chain(&model.targets);
        let width: usize = ports.map(|port| port.shape.fixed_elements()).sum();
        let rows = all[0].min(MOST_ROWS).min(MOST_VALUES / width.max(1));
        let executor = self.inner.executor();
        let floats = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
        let params = executor.program().params.iter();
        let look = Look {
            model,
            text: &text.text,
            columns: self.inner.columns(),
            ports: self.inner.some_rows(rows),
            rows,
            all,
            is_apart: self.inner.has_other_validation(),
            survey: self.inner.survey(),
            params: params.map(|param| floats(executor.read(param.buffer))).collect(),
        };
        let lints = [Look::scales, Look::classes, Look::twins, Look::copies];
        let found = lints.into_iter().flat_map(|lint| lint(&look)).collect();
        Diagnostics { found, file: text.file.clone(), text: text.text.clone() }
    }
}

impl Look<'_> {
    /// Where a port is declared.
    fn span(&self, port: &Port) -> Span {
        self.model.graph.span(port.node)
    }

    fn warn(&self, code: Code, port: &Port, text: String) -> Diagnostic {
        Diagnostic::warning(code, self.span(port), text)
    }

    /// The columns of a port with what the table calls them, where it has names.
    fn named(&self, port: &Port) -> Option<Vec<String>> {
        let width = port.shape.fixed_elements();
        let named = |column: &Column| match column {
            Column::Named(name) => Some(name.clone()),
            Column::At(_) => None,
        };
        let known = self.columns.get(&port.name).map(<[String]>::to_vec);
        let names = known.or_else(|| port.from.iter().map(named).collect());
        names.filter(|names| names.len() == width && !names.iter().any(String::is_empty))
    }

    /// What messages call a column of a port.
    fn title(&self, port: &Port, index: usize) -> String {
        match (self.named(port), port.from.get(index)) {
            (Some(names), _) => format!("`{}`", shown(&names[index])),
            (None, Some(Column::At(place))) => format!("column {place}"),
            _ if port.shape.fixed_elements() == 1 => format!("`{}`", port.name),
            _ => format!("`{}.{index}`", port.name),
        }
    }

    /// The values of a column in the rows looked at, of the port with this index.
    fn values(&self, port: usize, width: usize, index: usize) -> Vec<f64> {
        self.ports[port].iter().skip(index).step_by(width).copied().collect()
    }

    /// In how many rows something was seen, where these are not all.
    fn looked_at(&self) -> String {
        match self.rows == self.all[0] {
            true => String::new(),
            false => format!(", in {} rows looked at", count(self.rows as u64)),
        }
    }
}

/// A number with its thousands apart.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let apart = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    apart.collect::<Vec<_>>().join(",")
}

/// A number in few digits.
fn short(value: f64) -> String {
    let few: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match few.abs() {
        0.0 | 1e-4..1e9 => few.to_string(),
        _ => format!("{few:e}"),
    }
}

/// The first few of some things, and how many more there are.
fn listed(mut things: Vec<String>) -> String {
    const SHOWN: usize = 4;
    let more = things.len().saturating_sub(SHOWN);
    things.truncate(SHOWN);
    match (more, things.pop()) {
        (0, Some(last)) if !things.is_empty() => format!("{} and {last}", things.join(", ")),
        (0, last) => last.unwrap_or_default(),
        (_, last) => {
            things.extend(last);
            format!("{} and {} more", things.join(", "), count(more as u64))
        }
    }
}
