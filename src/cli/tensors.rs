//! What a file of weights holds: a line for each tensor, and the values where they are few.

use std::path::Path;

use arenet::internals::runtime::train::is_checkpoint;
use arenet::internals::runtime::weights::WeightsFile;

use super::failure::Failure;
use super::table::{PAGE, cut};
use super::units::{columns, count, figure, plural};

/// The most values of a file that are printed.
const FEW: usize = 64;
/// The most of a vector that are printed in any case, such as the means of columns.
const SHORT: usize = 12;
/// How many values are read at once.
const PIECE: usize = 1 << 14;

/// What is said of the values of a tensor.
#[derive(Default)]
struct Spread {
    count: usize,
    sum: f64,
    squares: f64,
    least: f64,
    largest: f64,
}

impl Spread {
    fn add(&mut self, value: f32) {
        let value = f64::from(value);
        let first = self.count == 0;
        self.least = if first { value } else { self.least.min(value) };
        self.largest = if first { value } else { self.largest.max(value) };
        self.sum += value;
        self.squares += value * value;
        self.count += 1;
    }

    /// Mean, deviation, least and largest.
    fn cells(&self) -> [String; 4] {
        let n = self.count as f64;
        let mean = self.sum / n;
        let deviation = (self.squares / n - mean * mean).max(0.0).sqrt();
        [mean, deviation, self.least, self.largest].map(number)
    }
}

/// A value, of which zeros are seen at once.
fn number(value: f64) -> String {
    if value == 0.0 { "0".to_string() } else { figure(value) }
}

/// Whether a file is one of weights, by its name or by what it says.
pub fn is_weights(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "safetensors") || is_checkpoint(path)
}

/// The text about a file.
pub fn describe(path: &Path) -> Result<String, Failure> {
    let mut file = WeightsFile::open(path)?;
    let heads = file.heads().to_vec();
    let size = |shape: &[usize]| shape.iter().product::<usize>();
    let total: usize = heads.iter().map(|head| size(&head.shape)).sum();
    let tensors = plural(heads.len() as u64, "tensor");
    let mut text = format!("{}: {tensors}, {}\n", path.display(), plural(total as u64, "value"));
    for (key, value) in file.metadata() {
        text.push_str(&format!("{}\n", cut(&format!("  {key}: {value}"), PAGE)));
    }
    let titles = ["tensor", "shape", "values", "mean", "deviation", "least", "largest"];
    let mut lines = vec![titles.map(String::from).to_vec()];
    let mut values = String::new();
    for (index, head) in heads.iter().enumerate() {
        let (mut spread, all) = (Spread::default(), size(&head.shape));
        for start in (0..all).step_by(PIECE) {
            let mut piece = Vec::new();
            file.read(index, start..all.min(start + PIECE), &mut piece)?;
            piece.iter().for_each(|value| spread.add(*value));
            if total <= FEW || head.shape.len() < 2 && all <= SHORT {
                values.push_str(&format!("\n{}\n{}", head.name, rows(&head.shape, &piece)));
            }
        }
        let mut line = vec![head.name.clone(), format!("{:?}", head.shape), count(all as u64)];
        line.extend(if all == 0 { Default::default() } else { spread.cells() });
        lines.push(line);
    }
    text.push('\n');
    text.push_str(&columns(&lines, &[false, false, true, true, true, true, true]));
    Ok(text + &values)
}

/// Values in rows of the last dimension.
fn rows(shape: &[usize], values: &[f32]) -> String {
    let width = shape.last().copied().unwrap_or(1).max(1);
    let cells = |row: &[f32]| row.iter().map(|value| number(f64::from(*value))).collect();
    let lines: Vec<Vec<String>> = values.chunks(width).map(cells).collect();
    let text = columns(&lines, &vec![true; width]);
    text.lines().map(|line| format!("  {line}\n")).collect()
}
