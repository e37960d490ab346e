//! Activations, losses, optimizers and whole trainings against PyTorch's results in float64.

use crate::common::oracle::{Oracle, lowered};
use crate::optimizer::optimizer;
use arenet_compiler::entry::built;
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::{Leaf, Source};
use arenet_compiler::graph::{Formula, Graph, NodeId, Shape, Tensor};
use arenet_compiler::layer;
use arenet_compiler::optim::OPTIMIZERS;
use arenet_compiler::pass::differentiate::differentiate;
use arenet_compiler::pass::simplify::{simplify, simplify_model};
use serde_json::Value;

/// The cases of a file, and how many of them belong to the language of this version.
pub fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/../tests/reference/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(json["cases"].take()).unwrap()
}

fn is_function(name: &str) -> bool {
    built(layer::entries()).any(|function| function == name)
}

/// Numbers, or rows of numbers, as one list.
pub fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        Value::String(text) => vec![text.parse().unwrap()],
        number => vec![number.as_f64().unwrap()],
    }
}

/// The rows of a batch, or of a matrix, with the row length that they have.
pub fn tensor(value: &Value, batch: bool) -> Tensor {
    let rows = value.as_array().unwrap();
    let row: Vec<usize> = rows[0].as_array().map(Vec::len).into_iter().collect();
    let shape = match batch {
        true => Shape::batched(&row),
        false => Shape::fixed(&[[rows.len()].as_slice(), &row].concat()),
    };
    Tensor { shape, data: flat(value) }
}

#[track_caller]
pub fn close(what: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let error = (a - e).abs() / e.abs().max(1.0);
        assert!(error <= tolerance, "{what}: element {i} is {a}, not {e} (off by {error:e})");
    }
}

/// The value of a node and the gradient of the sum of `dy` times it, before and after
/// simplification.
fn value_and_grad(
    mut graph: Graph,
    [x, dy, y]: [NodeId; 3],
    leaves: impl Fn(&Leaf) -> Tensor,
    rows: usize,
) -> [[Tensor; 2]; 2] {
    let f = Formula::new(&mut graph);
    let loss = (f.term(y) * f.term(dy)).sum().id;
    let grad = differentiate(&mut graph, loss, &[x])[0].expect("x has a gradient");
    graph.roots = vec![y, grad];
    let simple = simplify(&graph);
    [&graph, &simple].map(|graph| {
        let values = evaluate(graph, &leaves, rows);
        [0, 1].map(|root| values[graph.roots[root].index()].clone())
    })
}

#[test]
fn activations() {
    let mut count = 0;
    for case in cases("activations.json") {
        let name = case["activation"].as_str().unwrap();
        if !is_function(name) {
            continue;
        }
        count += 1;
        let x = tensor(&case["x"], true);
        let (rows, shape) = (case["x"].as_array().unwrap().len(), x.shape);
        let dy = match case.get("dy") {
            Some(dy) => tensor(dy, true),
            None => Tensor::from_fn(shape, rows, |_| 1.0),
        };
        let source = format!(
            "net a {{ input x: {shape}  input dy: {shape}
                output y = x |> {name}  output _dy = dy }}"
        );
        let model = lowered(&source);
        let nodes = [model.inputs[0].node, model.inputs[1].node, model.outputs[0].1];
        let leaves = |leaf: &Leaf| match leaf.source {
            Source::Input(0) => x.clone(),
            _ => dy.clone(),
        };
        for [y, dx] in value_and_grad(model.graph, nodes, leaves, rows) {
            // PyTorch takes the sixth of hardsigmoid's gradient in 32 bits.
            let tolerance = if name == "hardsigmoid" { 1e-8 } else { 1e-12 };
            close(name, &y.data, &flat(&case["y"]), 1e-12);
            let expected = case.get("dy_dx").or(case.get("dx")).unwrap();
            close(&format!("the gradient of {name}"), &dx.data, &flat(expected), tolerance);
        }
    }
    assert_eq!(count, 19);
}

/// The parameters are PyTorch's weight and bias, in that order.
#[test]
fn normalisations() {
    let mut count = 0;
    for case in cases("layers.json") {
        let name = case["layer"].as_str().unwrap();
        if !["layer_norm", "rms_norm"].contains(&name) {
            continue;
        }
        count += 1;
        let [x, dy] = ["x", "dy"].map(|key| tensor(&case[key], true));
        let source = format!(
            "net a {{ input x: {}  input dy: {}
                output y = x |> {name}(eps: {})  output _dy = dy }}",
            x.shape, dy.shape, case["args"]["eps"]
        );
        let model = lowered(&source);
        let state = ["weight", "bias"].map(|key| case["state"].get(key).map(|v| tensor(v, false)));
        let leaves = |leaf: &Leaf| match leaf.source {
            Source::Input(0) => x.clone(),
            Source::Input(_) => dy.clone(),
            Source::Param(id) => state[id.index()].clone().unwrap(),
            other => panic!("no value for {other:?}"),
        };
        let [input, given, y] = [model.inputs[0].node, model.inputs[1].node, model.outputs[0].1];
        let wanted = [(input, &case["dx"])].into_iter().chain(
            (model.params.iter().map(|param| param.node))
                .zip(["weight", "bias"].map(|key| &case["param_grads"][key])),
        );
        for (of, expected) in wanted {
            let rows = case["x"].as_array().unwrap().len();
            for [y, grad] in value_and_grad(model.graph.clone(), [of, given, y], leaves, rows) {
                close(name, &y.data, &flat(&case["y"]), 1e-12);
                close(&format!("a gradient of {name}"), &grad.data, &flat(expected), 1e-12);
            }
        }
    }
    assert_eq!(count, 2);
}

/// Steps from 0 at a rate of 1 are the gradients.
#[test]
fn clipped_gradients() {
    let mut count = 0;
    for case in cases("clip.json") {
        count += 1;
        let grads: Vec<Vec<f64>> = case["grads"].as_array().unwrap().iter().map(flat).collect();
        let input =
            |data: &Vec<f64>| Tensor { shape: Shape::batched(&[data.len()]), data: data.clone() };
        let inputs: Vec<Tensor> = grads.iter().map(input).collect();
        let most = case["clip_norm"].as_f64().unwrap();
        let by_norm: Vec<Vec<f64>> = case["clipped"].as_array().unwrap().iter().map(flat).collect();
        let within = |grad: &Vec<f64>| grad.iter().map(|g| g.clamp(-most, most)).collect();
        let by_value: Vec<Vec<f64>> = grads.iter().map(within).collect();
        for (setting, expected) in [("clip_norm", by_norm), ("clip_value", by_value)] {
            let source = clipped_source(&grads, &format!("{setting} = {most}"));
            for simplified in [false, true] {
                let zeros = |grad: &Vec<f64>| Tensor {
                    shape: Shape::fixed(&[grad.len()]),
                    data: vec![0.0; grad.len()],
                };
                let start = grads.iter().map(zeros).collect();
                let mut oracle = Oracle::new(lowered(&source), start, simplified);
                oracle.step(&inputs, &[], 1);
                for (param, expected) in oracle.params.iter().zip(&expected) {
                    let step: Vec<f64> = param.data.iter().map(|p| -p).collect();
                    close(&format!("{setting} = {most}"), &step, expected, 1e-12);
                }
            }
        }
    }
    assert_eq!(count, 2);
}

/// A net whose parameters have the gradients that are its inputs.
fn clipped_source(grads: &[Vec<f64>], setting: &str) -> String {
    let param = |(i, grad): (usize, &Vec<f64>)| {
        let size = grad.len();
        format!("input g{i}: [N, {size}]  param p{i}: [{size}]  output y{i} = p{i} * g{i}\n")
    };
    let net: String = grads.iter().enumerate().map(param).collect();
    let loss: Vec<String> = (0..grads.len()).map(|i| format!("sum(y{i})")).collect();
    let loss = loss.join(" + ");
    format!("net a {{ {net} }} train {{ loss = {loss}  optimizer = sgd(lr: 1)  {setting} }}")
}

/// A value as the language writes it: a word has no quotes.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

#[test]
fn losses() {
    let mut count = 0;
    for case in cases("losses.json") {
        let name = case["loss"].as_str().unwrap();
        let args = case["args"].as_object().unwrap();
        // PyTorch has probabilities and class indices under one name.
        let name = name.strip_suffix("_probs").unwrap_or(name);
        let given = |(key, _): &(&String, &Value)| *key != "note";
        // PyTorch's `weight` is of the classes.
        let setting = |(key, value): (&String, &Value)| {
            let key = if key == "weight" { "class_weight" } else { key };
            format!(", {key}: {}", word(value))
        };
        let settings: String = args.iter().filter(given).map(setting).collect();
        count += 1;
        let (y, t) = (tensor(&case["input"], true), tensor(&case["target"], true));
        let is_class = ["cross_entropy", "nll"].contains(&name) && t.shape.rank() == 1;
        let dtype = if is_class { "i32" } else { "" };
        let source = format!(
            "net a {{ input x: {}  param p: [] = zeros()  output y = x + p }}
             train {{ target t: {dtype}{}  loss = {name}(y, t{settings})  optimizer = sgd }}",
            y.shape, t.shape
        );
        let rows = case["input"].as_array().unwrap().len();
        for model in [lowered(&source), simplify_model(lowered(&source))] {
            let mut graph = model.graph.clone();
            let loss = model.loss.unwrap();
            let grad = differentiate(&mut graph, loss, &[model.inputs[0].node])[0].unwrap();
            let values = evaluate(
                &graph,
                |leaf| match leaf.source {
                    Source::Input(_) => y.clone(),
                    Source::Target(_) => t.clone(),
                    Source::Param(_) => Tensor::scalar(0.0),
                    Source::PerRow(factor) => Tensor::scalar(factor / rows as f64),
                    other => panic!("no value for {other:?}"),
                },
                rows,
            );
            let expected = case["value"].as_f64().unwrap();
            close(name, &values[loss.index()].data, &[expected], 1e-12);
            let grad = &values[grad.index()].data;
            close(&format!("the gradient of {name}"), grad, &flat(&case["grad"]), 1e-12);
        }
    }
    assert_eq!(count, 32);
}

/// A parameter after each step along given gradients.
fn stepped(optimizer: &str, start: &Tensor, grads: &[Value], simplified: bool) -> Vec<Vec<f64>> {
    // The gradient of p is the one row of g.
    let source = format!(
        "net a {{ input g: [N, 5]  param p: [5]  output y = p * g }}
         train {{ loss = sum(y)  optimizer = {optimizer} }}"
    );
    let mut oracle = Oracle::new(lowered(&source), vec![start.clone()], simplified);
    let mut step = |grad| {
        let input = Tensor { shape: Shape::batched(&[5]), data: flat(grad) };
        oracle.step(&[input], &[], 1);
        oracle.params[0].data.clone()
    };
    grads.iter().map(&mut step).collect()
}

/// PyTorch has no Lion: this is algorithm 2 of Chen et al. (2023), a number at a time.
#[test]
fn lion_steps_as_its_paper_says() {
    let grads = serde_json::json!([[0.5, -1.0, 0.0, 2.0, 3.0], [-4.0, 0.5, 0.0, 2.0, -0.1]]);
    let start = Tensor { shape: Shape::fixed(&[5]), data: vec![1.0, -2.0, 3.0, 0.5, 0.0] };
    let (lr, beta1, beta2, decay) = (0.1, 0.8, 0.9, 0.01);
    let text = format!("lion(lr: {lr}, beta1: {beta1}, beta2: {beta2}, weight_decay: {decay})");
    let (mut p, mut m) = (start.data.clone(), [0.0; 5]);
    let grads = grads.as_array().unwrap();
    for (found, grad) in stepped(&text, &start, grads, true).iter().zip(grads) {
        for ((p, m), g) in p.iter_mut().zip(&mut m).zip(flat(grad)) {
            let c: f64 = beta1 * *m + (1.0 - beta1) * g;
            let sign = if c == 0.0 { 0.0 } else { c.signum() };
            *p -= lr * (sign + decay * *p);
            *m = beta2 * *m + (1.0 - beta2) * g;
        }
        close(&text, found, &p, 1e-14);
    }
}

#[test]
fn optimizers() {
    let path = format!("{}/../tests/reference/optimizers.json", env!("CARGO_MANIFEST_DIR"));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let start = tensor(&json["about"]["params"], false);
    let grads = json["about"]["grads"].as_array().unwrap();
    let mut count = 0;
    for case in cases("optimizers.json") {
        let name = case["optimizer"].as_str().unwrap();
        if !built(OPTIMIZERS).any(|known| known == name) {
            continue;
        }
        count += 1;
        let text = optimizer(&case);
        for simplified in [false, true] {
            let after = case["params_after_step"].as_array().unwrap();
            for (i, (found, expected)) in
                stepped(&text, &start, grads, simplified).iter().zip(after).enumerate()
            {
                close(&format!("{text} after step {i}"), found, &flat(expected), 1e-12);
            }
        }
    }
    assert_eq!(count, 38);
}

/// The text of a training run: dense layers, with the activation that the run's name tells.
fn training_source(case: &Value) -> String {
    let run = case["run"].as_str().unwrap();
    let activation = ["sigmoid", "tanh", "relu"].into_iter().find(|name| run.contains(name));
    let activation = activation.unwrap();
    let sizes: Vec<u64> =
        case["sizes"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).collect();
    let loss = case["loss"].as_str().unwrap();
    let mut text = format!("net run {{ input x: [N, {}]  h0 = x\n", sizes[0]);
    for (i, size) in sizes[1..].iter().enumerate() {
        let last = i + 2 == sizes.len();
        // The run over the seed's sizes has sigmoids on its outputs too.
        let linear = last && !run.contains("3-3-2");
        let activation = if linear { String::new() } else { format!("|> {activation}") };
        text += &format!("h{} = h{i} |> dense({size}, init: he) {activation}\n", i + 1);
    }
    let target = match loss {
        "cross_entropy" => "i32[N]".to_string(),
        _ => format!("[N, {}]", sizes[sizes.len() - 1]),
    };
    let last = sizes.len() - 1;
    let optimizer = optimizer(case);
    text + &format!(
        "output y = h{last} }}
         train {{ target t: {target}  loss = {loss}(y, t)  optimizer = {optimizer} }}"
    )
}

#[test]
fn trainings() {
    for case in cases("training.json") {
        let run = case["run"].as_str().unwrap();
        let weights = case["weights"].as_array().unwrap();
        let biases = case["biases"].as_array().unwrap();
        let pairs = |w: &[Value], b: &[Value]| -> Vec<Tensor> {
            w.iter().zip(b).flat_map(|(w, b)| [tensor(w, false), tensor(b, false)]).collect()
        };
        let model = lowered(&training_source(&case));
        let mut oracle = Oracle::new(model, pairs(weights, biases), true);
        let (x, t) = (tensor(&case["x"], true), tensor(&case["target"], true));
        let rows = case["x"].as_array().unwrap().len();
        let batch = case["batch"].as_u64().unwrap() as usize;
        let starts: Vec<usize> = (0..rows).step_by(batch).collect();
        let part = |tensor: &Tensor, start: usize, end: usize| {
            let row = tensor.shape.fixed_elements();
            Tensor { shape: tensor.shape, data: tensor.data[start * row..end * row].to_vec() }
        };
        for (step, expected) in flat(&case["losses"]).into_iter().enumerate() {
            let start = starts[step % starts.len()];
            let end = (start + batch).min(rows);
            let (x, t) = (part(&x, start, end), part(&t, start, end));
            let loss = oracle.step(&[x], &[t], end - start);
            close(&format!("the loss of {run} at step {step}"), &[loss], &[expected], 1e-9);
        }
        let last = pairs(
            case["final_weights"].as_array().unwrap(),
            case["final_biases"].as_array().unwrap(),
        );
        for (param, expected) in oracle.params.iter().zip(&last) {
            close(run, &param.data, &expected.data, 1e-9);
        }
    }
}
