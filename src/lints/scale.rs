//! Columns that reach a layer at scales that hold learning up.

use super::{FEW_ROWS, Look, line, short};
use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::Diagnostic;
use arenet_compiler::entrance::{Column, entrances};
use arenet_compiler::graph::op::{Leaf, Source};
use arenet_compiler::graph::{NodeId, Tensor};
use arenet_compiler::model::Port;
use std::collections::BTreeMap;

/// Numbers of this size are large for a layer, whose weights are made for those around 1.
const LARGE: f64 = 100.0;
/// A column this many times as narrow as others, or as its distance from 0, is hardly seen.
const APART: f64 = 100.0;
/// From here on, columns of whole numbers from 0 to 255 are the pixels of an image.
const PIXELS: usize = 16;
const WHITE: f64 = 255.0;

/// How the values of a column lie.
#[derive(Clone, Copy, Debug)]
struct Spread {
    low: f64,
    high: f64,
    mean: f64,
    /// Whether more than a quarter of the values differ from the others: a column that is nearly
    /// always the same, as a pixel at the edge, says nothing by being narrow.
    varies: bool,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let count = sorted.len();
        if count < FEW_ROWS {
            return None;
        }
        let mean = sorted.iter().sum::<f64>() / count as f64;
        let varies = sorted[count / 4] < sorted[3 * count / 4];
        Some(Spread { low: sorted[0], high: sorted[count - 1], mean, varies })
    }

    fn size(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// Half of the distance between its ends.
    fn width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    fn is_large(&self) -> bool {
        self.size() > LARGE
    }

    /// Whether it is narrow beside columns of this width, or far away from 0.
    fn is_narrow(&self, other: f64) -> bool {
        self.varies && self.width() * APART < other.max(self.mean.abs())
    }

    fn text(&self) -> String {
        format!("from {} to {}", short(self.low), short(self.high))
    }
}

impl Look<'_> {
    /// At most one for each input.
    pub(super) fn scales(&self) -> Vec<Diagnostic> {
        if self.rows < FEW_ROWS {
            return Vec::new();
        }
        let mut found: BTreeMap<usize, Diagnostic> = BTreeMap::new();
        for entrance in entrances(self.model) {
            let values = entrance.values(self.model, |leaf| self.leaf(leaf), self.rows);
            let spread =
                |(column, values): (&Column, &Vec<f64>)| Some((*column, Spread::of(values)?));
            let spreads: BTreeMap<Column, Spread> = values.iter().filter_map(spread).collect();
            let widths = spreads.values().filter(|own| !own.is_large()).map(Spread::width);
            let widest = widths.fold(1.0, f64::max);
            for (input, port) in self.model.inputs.iter().enumerate() {
                let own: Vec<(Column, Spread)> = (spreads.iter())
                    .filter(|(column, _)| column.input == input)
                    .map(|(column, spread)| (*column, *spread))
                    .collect();
                let as_is = self.is_raw(input, &values);
                let is_image = as_is && self.is_image(input, &own);
                let told = self.scale(port, &own, widest, is_image);
                if let Some(told) = told {
                    let (name, layer, rows) =
                        (&port.name, self.name(entrance.layer), self.looked_at());
                    let text =
                        format!("`{name}` is not brought to scale before `{layer}`: {told}{rows}");
                    let help = match as_is {
                        true => self.scaled(port, is_image),
                        // What is done to it may need its numbers as they are.
                        false => format!(
                            "put `standardize` behind what is done to `{name}`, before `{layer}` \
                             takes it"
                        ),
                    };
                    let lint = || self.warn(Code::UnscaledInput, port, text).help(help);
                    found.entry(input).or_insert_with(lint);
                }
            }
        }
        found.into_values().collect()
    }

    fn name(&self, id: NodeId) -> &str {
        self.model.graph.origin(id).map_or("the layer", |origin| &origin.name)
    }

    /// The values that leaves have in the rows looked at.
    fn leaf(&self, leaf: &Leaf) -> Tensor {
        let data = match leaf.source {
            Source::Input(input) => self.ports.get(input as usize),
            Source::Param(param) => self.params.get(param.index()),
            _ => None,
        };
        match data {
            Some(data) => Tensor { shape: leaf.shape, data: data.clone() },
            None => Tensor::from_fn(leaf.shape, self.rows, |_| 0.0),
        }
    }

    /// Whether the columns of an input reach a layer as they are in the table.
    fn is_raw(&self, input: usize, values: &BTreeMap<Column, Vec<f64>>) -> bool {
        let width = self.model.inputs[input].shape.fixed_elements();
        let is_same = |(column, values): (&Column, &Vec<f64>)| {
            let raw = self.values(input, width, column.index);
            values.iter().zip(&raw).all(|(a, b)| a == b || b.is_nan())
        };
        values.iter().filter(|(column, _)| column.input == input).all(is_same)
    }

    /// Whether an input is the pixels of an image.
    fn is_image(&self, input: usize, columns: &[(Column, Spread)]) -> bool {
        columns.len() >= PIXELS
            && columns.iter().all(|(_, own)| own.low >= 0.0 && own.high <= WHITE)
            && self.ports[input].iter().all(|value| value.is_nan() || value.fract() == 0.0)
    }

    /// What is to be said of the columns of an input, beside others of this width.
    fn scale(
        &self,
        port: &Port,
        columns: &[(Column, Spread)],
        widest: f64,
        is_image: bool,
    ) -> Option<String> {
        if is_image {
            let large = columns.iter().any(|(_, own)| own.is_large());
            return large.then(|| "its numbers go from 0 to 255".to_string());
        }
        let by = |of: fn(&Spread) -> f64| {
            move |a: &&(Column, Spread), b: &&(Column, Spread)| of(&a.1).total_cmp(&of(&b.1))
        };
        let varying = || columns.iter().filter(|(_, own)| own.varies);
        let largest = columns.iter().filter(|(_, own)| own.is_large()).max_by(by(Spread::size));
        let narrowest = varying().min_by(by(Spread::width));
        let narrow = columns.iter().filter(|(_, own)| own.is_narrow(widest));
        let (first, other) = match largest {
            Some(largest) => (largest, narrowest),
            None => (narrow.min_by(by(Spread::width))?, varying().max_by(by(Spread::width))),
        };
        let is_far = |(column, own): &&(Column, Spread)| {
            let [a, b] = [own.width(), first.1.width()];
            *column != first.0 && a.max(b) >= 10.0 * a.min(b)
        };
        let told = |(column, own): &(Column, Spread)| match port.shape.fixed_elements() {
            1 => format!("it goes {}", own.text()),
            _ => format!("{} goes {}", self.title(port, column.index), own.text()),
        };
        Some(match other.filter(is_far) {
            Some(other) => {
                let (title, range) = (self.title(port, other.0.index), other.1.text());
                format!("{}, {title} {range}", told(first))
            }
            None => told(first),
        })
    }

    /// What to write for an input that a layer takes as it is.
    fn scaled(&self, port: &Port, is_image: bool) -> String {
        let (graph, name) = (&self.model.graph, port.name.as_str());
        let by = |before: &str, after: &str| match (is_image, after.starts_with("|>")) {
            (true, true) if before.is_empty() => format!("{name} / 255"),
            (true, _) => format!("({name} / 255)"),
            (false, true) if before.is_empty() => format!("{name} |> standardize"),
            (false, _) => format!("standardize({name})"),
        };
        let reads = |id: &NodeId| graph.node(*id).inputs.contains(&port.node);
        let mut spans: Vec<_> = graph.ids().filter(reads).map(|id| graph.span(id)).collect();
        spans.dedup();
        let line = match spans[..] {
            [span] => line::changed(self.text, span, |own| line::replaced(own, name, by)),
            _ => None,
        };
        match line {
            Some(line) => format!("write `{line}`"),
            None => {
                let what = match is_image {
                    true => format!("{name} / 255"),
                    false => format!("standardize({name})"),
                };
                let mut new = format!("{name}_scaled");
                while self.text.contains(&new) {
                    new.push('_');
                }
                format!("add `{new} = {what}`, and use `{new}` in place of `{name}`")
            }
        }
    }
}
