//! Metrics beside those of scikit-learn, over all rows whatever the batches.

use crate::common::{floats, program_for};
use arenet::internals::prelude::*;
use serde_json::Value;

#[test]
fn metrics_are_those_of_sklearn() {
    let reference: Value =
        serde_json::from_str(include_str!("../reference/metrics.json")).expect("it is JSON");
    for case in reference["cases"].as_array().unwrap() {
        let call = case["metric"].as_str().unwrap();
        let [y, t] = ["y", "t"].map(|name| case[name].as_array().unwrap());
        let is_class = t[0][0].is_i64();
        let (y_width, t_width) = (width(y), width(t));
        let (target, loss) = match is_class {
            true => (format!("i32[N] in 0..{y_width}"), "cross_entropy"),
            false => (format!("[N, {t_width}]"), "mse"),
        };
        let net = format!(
            "net n {{ input x: [N, {y_width}]  output y = x + dense(x, {y_width}, init: zeros) }}
             train {{ target t: {target}  loss = {loss}(y, t)  metric {call}  optimizer = sgd }}"
        );
        let target = match is_class {
            true => Array {
                width: 1,
                data: Values::I32(numbers(t).map(|class| class as i32).collect()),
            },
            false => floats(t_width, numbers(t).map(|number| number as f32).collect()),
        };
        let inputs = vec![floats(y_width, numbers(y).map(|number| number as f32).collect())];
        let data = Dataset { rows: y.len(), inputs, targets: vec![target], ..Dataset::default() };
        let expected = case["value"].as_f64().unwrap();
        for batch in [1, 7, 23, 64] {
            let found = figure(&net, &data, batch);
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(error <= 1e-6, "{call}, batch {batch}: {found}, not {expected}\n{case}");
        }
    }
}

/// A net that gives every class the same logit knows nothing.
#[test]
fn a_tie_is_not_among_the_largest() {
    let net = "
        net n { input x: [N, 3]  output y = x + dense(x, 3, init: zeros) }
        train {
            target t: i32[N] in 0..3  loss = cross_entropy(y, t)
            metric top_k(y, t)  optimizer = sgd
        }";
    // The target's logit is the second, the second again, tied with the third, tied with all.
    let x = vec![3.0, 2.0, 1.0, -1.0, 0.0, 1e9, 2.0, 1.0, 1.0, 0.5, 0.5, 0.5];
    let classes = Array { width: 1, data: Values::I32(vec![1; 4]) };
    let (inputs, targets) = (vec![floats(3, x)], vec![classes]);
    let data = Dataset { rows: 4, inputs, targets, ..Dataset::default() };
    assert_eq!(figure(net, &data, 3), 0.5);
}

/// The first metric of a net whose parameters start at zero, over batches of so many rows.
fn figure(net: &str, data: &Dataset, batch: u64) -> f64 {
    let program = program_for(net, Some(batch));
    let settings = Settings::default();
    let trainer = Trainer::validated(program, data.clone(), data.clone(), &settings);
    trainer.unwrap().evaluate().unwrap().unwrap().metrics[0].1
}

fn width(rows: &[Value]) -> usize {
    rows[0].as_array().unwrap().len()
}

fn numbers(rows: &[Value]) -> impl Iterator<Item = f64> {
    rows.iter().flat_map(|row| row.as_array().unwrap()).map(|number| number.as_f64().unwrap())
}
