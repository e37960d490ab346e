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
        for batch in [1, 7, 23, 64] {
            let found = evaluated(&net, &data, batch);
            if let Some(rows) = case.get("table") {
                let counts: Vec<u64> =
                    numbers(rows.as_array().unwrap()).map(|n| n as u64).collect();
                assert_eq!((&found.tables[0].counts, found.metrics.len()), (&counts, 0), "{case}");
                continue;
            }
            let expected = case.get("values").map(|values| values.as_array().unwrap().as_slice());
            let expected = expected.unwrap_or(std::slice::from_ref(&case["value"]));
            assert_eq!(found.metrics.len(), expected.len(), "{case}");
            for ((_, found), expected) in found.metrics.iter().zip(expected) {
                let expected = expected.as_f64().unwrap();
                let error = (found - expected).abs() / expected.abs().max(1.0);
                assert!(error <= 1e-6, "{call}, batch {batch}: {found}, not {expected}\n{case}");
            }
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
    assert_eq!(evaluated(net, &data, 3).metrics[0].1, 0.5);
}

/// The figures of a net whose parameters start at zero, over batches of so many rows.
fn evaluated(net: &str, data: &Dataset, batch: u64) -> Evaluation {
    let program = program_for(net, Some(batch));
    let settings = Settings::default();
    let trainer = Trainer::validated(program, data.clone(), data.clone(), &settings);
    trainer.unwrap().evaluate().unwrap().unwrap()
}

fn classes(classes: &[i32]) -> Vec<Array> {
    vec![Array { width: 1, data: Values::I32(classes.to_vec()) }]
}

#[test]
fn rows_that_do_not_count_are_in_no_metric() {
    let net = "
        net n { input x: [N, 2]  output y = x + dense(x, 2, init: zeros) }
        train {
            target t: i32[N] in [\"no\", \"yes\"]
            target u: i32[N] in 0..2
            loss = cross_entropy(y, u, ignore_index: -1)
            metric accuracy(y, u)
            metric cross_entropy(y, u, ignore_index: -1, class_weight: [1, 3])
            metric f1(y, u, average: none)
            metric f1(y, t, average: none)
            metric confusion_matrix(y, u)
            metric confusion_matrix(y, t)
            optimizer = sgd
        }";
    // Found are 0, 1, 1, 0, 1.
    let x = vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
    let targets = [classes(&[0, 1, 0, 1, 1]), classes(&[0, 1, 0, -1, -1])].concat();
    let data = Dataset { rows: 5, inputs: vec![floats(2, x)], targets, ..Dataset::default() };
    for batch in [1, 3, 5] {
        let found = evaluated(net, &data, batch);
        let metrics: Vec<(&str, f64)> =
            found.metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let third = 2.0 / 3.0;
        // Right, right for three, and wrong by 1.
        let weighed = found.metric("cross_entropy").unwrap();
        let right = (-1f64).exp().ln_1p();
        let error = weighed - (right + 3.0 * right + right + 1.0) / 5.0;
        assert!(error.abs() < 1e-7, "batch {batch}: off by {error:e}");
        let expected = [
            ("accuracy", third),
            ("cross_entropy", weighed),
            ("f1(y, 0)", third),
            ("f1(y, 1)", third),
            ("f1(y, no)", 0.5),
            ("f1(y, yes)", third),
        ];
        assert_eq!(metrics, expected);
        let tables = found.tables.iter().map(|table| (table.classes.join(" "), &table.counts[..]));
        let [of_u, of_t] = [&[1, 1, 0, 1][..], &[1, 1, 1, 2]];
        let expected = [("0 1".to_string(), of_u), ("no yes".to_string(), of_t)];
        assert_eq!(tables.collect::<Vec<_>>(), expected);
    }
}

/// Where all rows are on one side, there is no pair to rank.
#[test]
fn one_side_alone_has_no_area_under_its_curve() {
    let net = "
        net n { input x: [N]  param p: [] = zeros()  output y = x + p }
        train { target t: [N]  loss = mse(y, t)  metric auc(y, t)  optimizer = sgd }";
    let side = |t: Vec<f32>| {
        let inputs = vec![floats(1, vec![0.0, 0.5, -0.0])];
        let data = Dataset { rows: 3, inputs, targets: vec![floats(1, t)], ..Dataset::default() };
        evaluated(net, &data, 2).metrics[0].1
    };
    assert!(side(vec![1.0, 1.0, 1.0]).is_nan());
    assert_eq!(side(vec![1.0, 1.0, 0.0]), 0.75);
}

fn width(rows: &[Value]) -> usize {
    rows[0].as_array().unwrap().len()
}

fn numbers(rows: &[Value]) -> impl Iterator<Item = f64> {
    rows.iter().flat_map(|row| row.as_array().unwrap()).map(|number| number.as_f64().unwrap())
}
