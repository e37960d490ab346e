//! Loss and metrics, as every command prints them.

use arenet::Table;
use arenet::internals::runtime::program::Program;
use serde_json::{Map, Value, json};

use super::classes::told::matrix;
use super::{table, units};

/// The metrics as a JSON object.
pub fn metrics_json(metrics: &[(String, f64)]) -> Value {
    let entries = metrics.iter().map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(Map::from_iter(entries))
}

/// Which metrics are shown in percent.
pub fn percent(program: &Program) -> Vec<bool> {
    let figures = program.metrics.iter().filter(|metric| !metric.figure.finish.is_table());
    figures.map(|metric| metric.figure.finish.percent).collect()
}

/// The metrics that are tables as a JSON object.
pub fn tables_json(tables: &[Table]) -> Value {
    let entry = |table: &Table| {
        let rows: Vec<&[u64]> = table.counts.chunks(table.classes.len()).collect();
        (table.name.clone(), json!({ "classes": table.classes, "counts": rows }))
    };
    Value::Object(Map::from_iter(tables.iter().map(entry)))
}

/// A table as lines that fit the terminal.
pub fn table_text(table: &Table) -> String {
    let width = table.classes.len();
    let counts = table.counts.iter().enumerate();
    let counts: Vec<(usize, usize, u64)> =
        counts.map(|(at, &rows)| (at / width, at % width, rows)).collect();
    matrix(&table.name, &table.classes, &counts, table::width())
}

/// The metrics and the loss on one line, the metrics first.
pub fn figures(loss: f64, metrics: &[(String, f64)], program: &Program) -> String {
    let metrics = metrics.iter().zip(percent(program));
    let mut parts: Vec<String> =
        metrics.map(|((name, value), percent)| units::metric(name, *value, percent)).collect();
    parts.push(format!("loss {}", units::figure(loss)));
    parts.join(", ")
}
