//! What is told of a run that diverges: the first bad value in the order of the text, whatever it
//! has been fused with.

use crate::common::{floats, program_for};
use arenet::internals::prelude::*;
use arenet::internals::runtime::train::Part;
use pretty_assertions::assert_eq;
use std::ops::ControlFlow;

/// The kind of a bad value, its statement's name and text, and the value.
type Bad = (Part, String, String, f32);

/// Trains a net of two statements `h` and `y` on rows of one x and one t until it diverges.
#[track_caller]
fn diverge(body: &str, loss: &str, lr: f64, batch: u64, rows: &[(f32, f32)]) -> Bad {
    let source = format!(
        "net m {{ input x: [N, 1] {body} }}
         train {{ target t: [N, 1] loss = {loss} optimizer = sgd(lr: {lr}) shuffle = false }}"
    );
    let (x, t) = rows.iter().copied().unzip();
    let data = Dataset {
        rows: rows.len(),
        inputs: vec![floats(1, x)],
        targets: vec![floats(1, t)],
        ..Dataset::default()
    };
    let program = program_for(&source, Some(batch));
    let settings = Settings { epochs: Some(100), ..Settings::default() };
    let options = RunOptions { threads: Some(1), ..RunOptions::default() };
    let mut run = Trainer::new(program, data, &Settings { run: options, ..settings }).unwrap();
    while run.epoch() < 100 {
        match run.run_epoch(&mut |_| ControlFlow::Continue(())) {
            Ok(_) => {}
            Err(TrainError::Diverged(found)) => {
                let line = source.lines().nth((found.line as usize).wrapping_sub(1));
                let text = line.map_or("", |line| &line[found.column as usize - 1..]);
                let text = text.split("  ").next().unwrap_or_default().to_string();
                return (found.part, found.name, text, found.number);
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it does not diverge")
}

/// Rows without harm around one that does some, so that it lies in the middle of a batch whose last
/// part is padding.
fn among_others(row: (f32, f32), before: usize, after: usize) -> Vec<(f32, f32)> {
    let mut rows = vec![(0.5, 0.25); before];
    rows.push(row);
    rows.extend(vec![(0.5, 0.25); after]);
    rows
}

/// For one row, and for batches that lie in rows and in columns, the last of them not full.
#[track_caller]
fn check(body: &str, loss: &str, row: (f32, f32), expected: (Part, &str, &str, f32)) {
    for (batch, before, after) in [(1, 0, 0), (4, 2, 0), (4, 5, 0), (32, 0, 3), (32, 36, 2)] {
        let (part, name, text, number) =
            diverge(body, loss, 1e-6, batch, &among_others(row, before, after));
        let found = (part, name.as_str(), text.as_str(), number);
        let (bits, wanted) = (found.3.to_bits(), expected.3.to_bits());
        let found = (found.0, found.1, found.2);
        assert_eq!(
            (found, bits),
            ((expected.0, expected.1, expected.2), wanted),
            "{batch}, {body}"
        );
    }
}

const INF: f32 = f32::INFINITY;

#[test]
fn a_loss_that_overflows_alone_is_the_bad_value() {
    let body = "h = x |> dense(1)  output y = tanh(h)  ";
    check(body, "mse(y, t)  ", (1.0, 1e30), (Part::Value, "loss", "mse(y, t)", INF));
    check(body, "mae(y, t) * 1e10  ", (1.0, 1e38), (Part::Value, "loss", "mae(y, t) * 1e10", INF));
}

#[test]
fn a_value_that_is_only_computed_on_the_way_is_found() {
    let body = "param w: [1, 1] = constant(1e20)  h = x @ w  output y = tanh(h)  ";
    let product = (Part::Value, "h", "x @ w", INF);
    check(body, "mean(h * t) + mse(y, t)  ", (1e30, 1.0), product);
    let body = "h = x |> dense(1, init: ones)  output y = exp(h)  ";
    check(body, "mse(y, t)  ", (100.0, 0.0), (Part::Value, "y", "exp(h)", INF));
    // Infinite on the way, but not in the end: no bad value.
    let body = "h = x |> dense(1, init: ones)  g = 1 / exp(h)  output y = g * h  ";
    check(body, "mse(y, t)  ", (100.0, 1e30), (Part::Value, "loss", "mse(y, t)", INF));
    let body = "h = x |> dense(1, init: ones)  g = 1 / (h - h)  output y = g * h  ";
    check(body, "mse(y, t)  ", (1.0, 0.0), (Part::Value, "g", "1 / (h - h)", INF));
}

#[test]
fn a_bad_gradient_is_at_its_statement() {
    let body = "h = x |> dense(1, bias: false, init: ones)  output y = sqrt(h)  ";
    let (part, name, text, number) = diverge(body, "mean(y + t)  ", 0.1, 1, &[(0.0, 1.0)]);
    let expected = (Part::Gradient, "y", "sqrt(h)", INF);
    assert_eq!((part, name.as_str(), text.as_str(), number), expected);
}

#[test]
fn an_update_that_overflows_is_told_before_what_follows_from_it() {
    let body = "param w: [1, 1] = ones()  h = x @ w  output y = h * 1e19  ";
    let (part, name, _, number) = diverge(body, "mean(y * 1e19 * t)  ", 10.0, 1, &[(1.0, -1.0)]);
    assert_eq!((part, name.as_str(), number), (Part::Update, "w", INF));
}
