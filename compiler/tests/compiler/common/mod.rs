//! What the tests of the compiler share: values to try, and numeric gradients.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod nets;
pub mod oracle;

use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::{Leaf, Operand, Source};
use arenet_compiler::graph::{DType, Graph, NodeId, Shape, Tensor};

/// The rows of a batch: odd, and more than one.
pub const BATCH: usize = 3;

/// A fixed sequence of numbers in [0, 1), so that a failure repeats.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn tensor(&mut self, operand: &Operand) -> Tensor {
        let Operand { ty, low, high } = *operand;
        Tensor::from_fn(ty.shape, BATCH, |_| {
            let value = low + self.next() * (high - low);
            if ty.dtype == DType::I32 { value.floor() } else { value }
        })
    }
}

/// A graph's value when its inputs and parameters are the given tensors; `1 / rows` is known.
pub fn values(graph: &Graph, inputs: &[Tensor], params: &[Tensor]) -> Vec<Tensor> {
    evaluate(graph, |leaf| leaf_value(leaf, inputs, params), BATCH)
}

fn leaf_value(leaf: &Leaf, inputs: &[Tensor], params: &[Tensor]) -> Tensor {
    match leaf.source {
        Source::Input(i) => inputs[i as usize].clone(),
        Source::Param(i) => params[i.index()].clone(),
        Source::PerRow(factor) => Tensor::scalar(factor / BATCH as f64),
        source => panic!("no value for {source:?}"),
    }
}

/// A leaf for each operand, `Input(i)` for the i-th.
pub fn input_leaves(graph: &mut Graph, operands: &[Operand]) -> Vec<NodeId> {
    let leaf = |(i, operand): (usize, &Operand)| {
        let source = Source::Input(i as u32);
        graph.add(Leaf { source, shape: operand.ty.shape, dtype: operand.ty.dtype }, &[])
    };
    operands.iter().enumerate().map(leaf).collect()
}

/// The gradient of a function by central differences.
pub fn central_differences(at: &Tensor, f: impl Fn(&Tensor) -> f64) -> Tensor {
    let step = 1e-5;
    let mut x = at.clone();
    let mut difference = |i: usize| {
        x.data[i] = at.data[i] + step;
        let above = f(&x);
        x.data[i] = at.data[i] - step;
        let below = f(&x);
        x.data[i] = at.data[i];
        (above - below) / (2.0 * step)
    };
    let data = (0..at.data.len()).map(&mut difference).collect();
    Tensor { shape: at.shape, data }
}

/// Asserts that two tensors are equal, relative to 1 or to their size.
pub fn assert_close(what: &str, actual: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(actual.shape, expected.shape, "{what}");
    for (i, (a, e)) in actual.data.iter().zip(&expected.data).enumerate() {
        let error = (a - e).abs() / e.abs().max(1.0);
        assert!(error <= tolerance, "{what}: element {i} is {a}, not {e} (off by {error:e})");
    }
}

/// A float leaf of a shape.
pub fn f32_input(graph: &mut Graph, i: u32, shape: Shape) -> NodeId {
    graph.add(Leaf::f32(Source::Input(i), shape), &[])
}

/// Compares a text with the file of that name under golden/, or writes it when UPDATE_GOLDEN is
/// set.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    pretty_assertions::assert_eq!(text, expected, "{path} differs; UPDATE_GOLDEN=1 rewrites it");
}

/// The sources of the diagnostics' cases.
pub fn wrong_sources() -> Vec<String> {
    let folder = format!("{}/tests/golden/diagnostics", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
    let source = |case: &str| {
        let (_, rest) = case.split_once('\n').unwrap();
        rest.split("---\n").next().unwrap().to_string()
    };
    texts.flat_map(|text| text.split("=== ").skip(1).map(source).collect::<Vec<_>>()).collect()
}

/// Splits a source into words and signs.
pub fn words(source: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for c in source.chars() {
        let joins = |word: &String| {
            let last = word.chars().last().unwrap();
            (c.is_alphanumeric() || c == '_') && (last.is_alphanumeric() || last == '_')
                || last == '|' && c == '>'
        };
        match words.last_mut().filter(|word| joins(word)) {
            Some(word) => word.push(c),
            None => words.push(c.to_string()),
        }
    }
    words
}
