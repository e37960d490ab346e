//! Decay, penalties and limits of parameters, as PyTorch computes them with groups of parameters
//! and with penalties that are written out.

use crate::common::oracle::{Oracle, lowered};
use arenet_compiler::graph::{Shape, Tensor};
use serde_json::Value;

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// tests/reference/regularization.json has the parameters of its net after some steps, each of
/// which minimises
///
/// ```text
/// mse + Σ l1 |w| + Σ l2 w²    over the parameters that the case names,
/// ```
///
/// by an optimizer of torch.optim with two groups: parameters of two dimensions, and with
/// `decay: weights` those of fewer with weight_decay=0. After backward() comes clip_grad_norm_,
/// and after step(), where a limit c is named, for a matrix p
///
/// ```text
/// p.mul_((c / p.square().sum(0, keepdim=True).sqrt()).clamp(max=1))
/// ```
///
/// and for a vector or a number the same by the norm of all of it.
#[test]
fn parameters_are_held_as_pytorch_would() {
    let path = format!("{}/../tests/reference/regularization.json", env!("CARGO_MANIFEST_DIR"));
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let about = &reference["about"];
    let batched = |name: &str, dims: &[usize]| Tensor {
        shape: Shape::batched(dims),
        data: flat(&about[name]),
    };
    let (x, word) = (batched("x", &[4]), batched("word", &[]));
    let t = batched("target", &[2]);
    let rows = word.data.len();
    let cases = reference["cases"].as_array().unwrap();
    for case in cases {
        let (net, train) = (about["net"].as_str().unwrap(), case["train"].as_str().unwrap());
        let source = format!("{net} train {{ target t: [N, 2]  loss = mse(y, t)  {train} }}");
        for simplified in [false, true] {
            let model = lowered(&source);
            let starts = model.params.iter().zip(about["start"].as_array().unwrap());
            let starts = starts.map(|(p, start)| Tensor { shape: p.shape, data: flat(start) });
            let mut oracle = Oracle::new(model.clone(), starts.collect(), simplified);
            for _ in 0..about["steps"].as_u64().unwrap() {
                oracle.step(&[x.clone(), word.clone()], std::slice::from_ref(&t), rows);
            }
            let after = case["after"].as_array().unwrap();
            for ((param, found), after) in model.params.iter().zip(&oracle.params).zip(after) {
                for (found, expected) in found.data.iter().zip(flat(after)) {
                    // A step by the sign of next to nothing keeps few digits.
                    let close = (found - expected).abs() <= 1e-8 * expected.abs().max(1.0);
                    assert!(close, "{train}: {} has {found}, not {expected}", param.name);
                }
            }
        }
    }
    assert_eq!(cases.len(), 28);
}
