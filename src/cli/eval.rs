//! `arenet eval`: loss and metrics of weights on a table.

use std::path::{Path, PathBuf};

use arenet::internals::compiler::Purpose;
use clap::Args;
use serde_json::json;

use super::args::{DataArgs, WeightsArgs};
use super::failure::{Failure, Kind};
use super::figures::{figures, metrics_json, table_text, tables_json};
use super::source::Source;
use super::{Context, console, data, units};

/// What to evaluate, and on what.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet eval models/digits.net --data more-digits.csv")]
pub struct EvalArgs {
    /// The model, .net or .netc
    model: PathBuf,
    #[command(flatten)]
    weights: WeightsArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Only the rows that were held out when this table was trained on
    #[arg(long)]
    held_out: bool,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// Evaluates and prints.
pub fn run(cx: &Context, args: &EvalArgs) -> Result<(), Failure> {
    let (file, weights) = args.weights.split()?;
    let source = Source::read(cx, &args.model)?.with_weights(weights)?;
    let built = source.build(cx, None, Purpose::Train)?;
    let program = built.program();
    if program.loss.is_none() {
        return Err(Failure::without_train(&source.name(), ", so no loss to measure"));
    }
    let weights = data::locate_weights(&source, file)?;
    let mut predictor = data::predictor(cx, &source, &built, &weights)?;
    let path = data::locate(&source, &args.data)?;
    let (reader, folder) = (predictor.reader().with_targets(), Path::new("."));
    let rows = data::read_or_spill(cx, &path, &args.data, reader, folder)?;
    let result = match (predictor.held_out(&rows)?, args.held_out) {
        (Some(held_out), true) if !held_out.is_empty() => {
            predictor.evaluate_rows(&rows, &held_out)?
        }
        (Some(_), true) => {
            let text = format!("{path}: no rows were held out: all of them were trained on");
            return Err(Failure::new(Kind::Data, text).help("evaluate on other rows with --data"));
        }
        (None, true) => {
            let file = weights.display();
            let text = format!("{path}: {file} does not say that it was trained on this");
            let help = "without --held-out all rows are evaluated";
            return Err(Failure::new(Kind::Data, text).help(help));
        }
        (held_out, false) => {
            if let Some(held_out) = held_out {
                cx.console.note(seen(&path.to_string(), rows.rows(), held_out.len()));
            }
            predictor.evaluate(&rows)?
        }
    };
    if args.json {
        let mut line = json!({
            "rows": result.rows,
            "loss": result.loss,
            "metrics": metrics_json(&result.metrics),
        });
        if !result.tables.is_empty() {
            line["tables"] = tables_json(&result.tables);
        }
        return console::print_json(&line);
    }
    let tables: String = result.tables.iter().map(table_text).collect();
    console::print(format!(
        "{tables}{} on {}\n",
        figures(result.loss, &result.metrics, program),
        units::plural(result.rows, "row")
    ))
}

/// Says that training saw the rows.
fn seen(table: &str, rows: usize, held_out: usize) -> String {
    let trained = units::plural((rows - held_out) as u64, "row");
    let text = format!("{table}: the weights were trained on {trained} of it");
    match held_out {
        0 => text,
        _ => format!("{text}; --held-out evaluates only the other {held_out}"),
    }
}
