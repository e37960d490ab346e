//! The optimizer of a case as the language writes it: PyTorch's pairs are two settings.

use serde_json::Value;

/// PyTorch's cycle of a case.
pub fn one_cycle(case: &Value) -> String {
    let setting = |(name, value): (&String, &Value)| match name.as_str() {
        "anneal_strategy" => format!(", anneal: {}", value.as_str().unwrap()),
        _ => format!(", {name}: {value}"),
    };
    let settings: String = case["cycle"].as_object().unwrap().iter().map(setting).collect();
    format!("one_cycle({}{settings})", case["max_lr"])
}

/// The name with its settings, in their order.
pub fn optimizer(case: &Value) -> String {
    let setting = |(name, value): (&String, &Value)| {
        let pair = match name.as_str() {
            "betas" => ["beta1", "beta2"],
            "etas" => ["eta_minus", "eta_plus"],
            "step_sizes" => ["step_min", "step_max"],
            _ => return format!("{name}: {value}"),
        };
        format!("{}: {}, {}: {}", pair[0], value[0], pair[1], value[1])
    };
    let settings: Vec<_> = case["args"].as_object().unwrap().iter().map(setting).collect();
    format!("{}({})", case["optimizer"].as_str().unwrap(), settings.join(", "))
}
