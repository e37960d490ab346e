//! Loss and metrics, as every command prints them.

use arenet::internals::runtime::program::Program;
use serde_json::{Map, Value, json};

use super::units;

/// The metrics as a JSON object.
pub fn metrics_json(metrics: &[(String, f64)]) -> Value {
    let entries = metrics.iter().map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(Map::from_iter(entries))
}

/// Which metrics are shown in percent.
pub fn percent(program: &Program) -> Vec<bool> {
    program.metrics.iter().map(|metric| metric.finish.percent).collect()
}

/// The metrics and the loss on one line, the metrics first.
pub fn figures(loss: f64, metrics: &[(String, f64)], program: &Program) -> String {
    let metrics = metrics.iter().zip(percent(program));
    let mut parts: Vec<String> =
        metrics.map(|((name, value), percent)| units::metric(name, *value, percent)).collect();
    parts.push(format!("loss {}", units::figure(loss)));
    parts.join(", ")
}
