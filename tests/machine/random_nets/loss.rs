//! Losses of random nets: each with a prediction in its domain and the target that it asks for.

use super::calls::{Dice, number, options};
use super::grow::{Fill, Grown, Port, Value, with_last};
use arenet_compiler::entry::Entry;
use arenet_compiler::layer::{Function, Make, functions};

/// The losses of the language.
pub fn losses() -> Vec<&'static Entry<Function>> {
    let is_loss = |entry: &&Entry<Function>| {
        matches!(entry.built, Some(Function { make: Make::Loss(_), .. }))
    };
    functions().filter(is_loss).collect()
}

/// A loss of a value, with an output and a target of its own.
pub fn term(grown: &mut Grown, x: Value, dice: &mut Dice) -> String {
    let entry = dice.pick(&losses());
    let (name, signature) = (entry.name(), &entry.signature);
    let width = x.dims[x.dims.len() - 1];
    let mut args = Vec::new();
    let mut given = vec!["y", "t", "weight", "class_weight", "ignore_index", "reduction"];
    let has = |name: &str| signature.params.iter().any(|param| param.name == name);
    // Rows of the last dimension, of which each has one value of the loss.
    let rows = x.dims[..x.dims.len() - 1].to_vec();
    let mut fill = Fill::Reals(-1.0, 1.0);
    let mut prediction = x.text.clone();
    match name {
        "poisson_nll" => {
            fill = Fill::Counts;
            given.push("log_input");
            if dice.one_in(2) {
                prediction = format!("softplus({prediction}) + 0.1");
                args.push("log_input: false".to_string());
            }
        }
        "hinge" | "hinge_embedding" => fill = Fill::Signs,
        "bce" => {
            fill = Fill::Reals(0.0, 1.0);
            prediction = match dice.below(3) {
                0 => format!("sigmoid({prediction})"),
                1 => format!("sigmoid({prediction}) * 0.9 + 0.05"),
                _ => format!("softmax({prediction}) * 0.9 + 0.05"),
            };
        }
        "bce_logits" => fill = Fill::Reals(0.0, 1.0),
        "cross_entropy" if dice.one_in(3) => {
            fill = Fill::Shares { log: false };
        }
        "cross_entropy" | "nll" => {
            if name == "nll" {
                prediction = format!("log_softmax({prediction})");
            }
            fill = classes(width, dice, &mut args);
        }
        "kl_div" => {
            prediction = format!("log_softmax({prediction})");
            let log = dice.one_in(2);
            given.push("log_target");
            fill = Fill::Shares { log };
            args.extend(log.then(|| "log_target: true".to_string()));
        }
        _ => {}
    }
    let by_class = matches!(fill, Fill::Classes { .. });
    if has("class_weight") && dice.one_in(3) {
        let weights: Vec<String> = (0..width).map(|_| number(dice.real(0.2, 2.0))).collect();
        args.push(match by_class && dice.one_in(2) {
            true => "class_weight: balanced".to_string(),
            false => format!("class_weight: [{}]", weights.join(", ")),
        });
    }
    if has("weight") && dice.one_in(4) {
        let dims = if by_class { rows.clone() } else { with_last(&x.dims, 1) };
        let weight = target(grown, "w", dims, Fill::Reals(0.1, 2.0));
        args.push(format!("weight: {weight}"));
    }
    args.extend(options(signature, dice, &given));
    args.extend((grown.sums == Some(true)).then(|| "reduction: sum".to_string()));
    if grown.sums == Some(false) && name == "kl_div" && dice.one_in(2) {
        args.push("reduction: batchmean".into());
    }
    let y = grown.name("y");
    grown.declare(&format!("output {y} = {prediction}"));
    let scaled = matches!(fill, Fill::Reals(low, _) if low < 0.0) && dice.one_in(3);
    let t = target(grown, "t", if by_class { rows } else { x.dims }, fill);
    if scaled {
        let u = grown.name("u");
        grown.declare(&format!("output {u} = unstandardize({y}, {t})"));
    }
    if dice.one_in(3) {
        let metric = if by_class { dice.pick(&["accuracy", "f1"]) } else { "rmse" };
        let metric = format!("metric {metric}({y}, {t})");
        grown.train(&metric);
    }
    let t = if scaled { format!("standardize({t})") } else { t };
    format!("{name}({})", [vec![y, t], args].concat().join(", "))
}

/// As many classes as there are logits, of which one, or a number that is none, may not count.
fn classes(count: usize, dice: &mut Dice, args: &mut Vec<String>) -> Fill {
    let named = dice.one_in(4);
    let first = if named { 0 } else { dice.pick(&[0, 1, 4]) };
    let mut ignored = None;
    match dice.below(5) {
        3 => args.push(format!("ignore_index: {}", first + dice.below(count) as i64)),
        4 if !named => {
            ignored = Some(-100);
            args.push("ignore_index: -100".into());
        }
        _ => {}
    }
    Fill::Classes { first, count, ignored, named }
}

fn target(grown: &mut Grown, letter: &str, dims: Vec<usize>, fill: Fill) -> String {
    let name = grown.name(letter);
    grown.targets.push(Port { name: name.clone(), dims, fill });
    name
}
