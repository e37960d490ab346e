//! The initial values of parameters.

use crate::common::oracle::lowered;
use arenet_compiler::entry::{Entry, find};
use arenet_compiler::init::{Init, Rule};
use arenet_compiler::layer::init::INITS;
use arenet_compiler::signature::Args;
use pretty_assertions::assert_eq;

/// The initializer of a name for a weight [3, 5].
fn init(name: &str) -> Init {
    let Entry { signature, built: Some(build) } = find(INITS, name).expect("it exists") else {
        panic!("it is planned");
    };
    let defaults = signature.params.iter().map(|param| param.default.clone().unwrap());
    let (values, spans) = (defaults.collect(), vec![None; signature.params.len()]);
    build(&Args { signature, values, spans }).unwrap().init(&[3, 5]).unwrap()
}

#[test]
fn distributions_are_those_of_torch_nn_init() {
    let uniform = |bound: f64| Init::Uniform(-bound, bound);
    assert_eq!(init("glorot"), uniform((6.0f64 / 8.0).sqrt()));
    assert_eq!(init("glorot_normal"), Init::Normal(0.0, (2.0f64 / 8.0).sqrt()));
    assert_eq!(init("he"), uniform((6.0f64 / 3.0).sqrt()));
    assert_eq!(init("he_normal"), Init::Normal(0.0, (2.0f64 / 3.0).sqrt()));
    assert_eq!(init("lecun"), uniform(1.0));
    assert_eq!(init("lecun_normal"), Init::Normal(0.0, (1.0f64 / 3.0).sqrt()));
    assert_eq!(init("ones"), Init::Constant(1.0));
    assert_eq!(init("truncated_normal"), Init::Truncated(0.0, 1.0, -2.0, 2.0));
    assert_eq!(init("orthogonal"), Init::Orthogonal(1.0));
}

#[test]
fn vectors_start_at_zero_and_weights_at_glorot() {
    assert_eq!(Rule::default_for(&[5]).init(&[5]), Some(Init::Constant(0.0)));
    let bound = (6.0f64 / 8.0).sqrt();
    assert_eq!(Rule::default_for(&[3, 5]).init(&[3, 5]), Some(Init::Uniform(-bound, bound)));
}

/// torch.nn.Linear.reset_parameters draws both from ±1 / √in, torch.nn.Embedding's from N(0, 1).
#[test]
fn a_layer_starts_as_that_of_torch() {
    let model = lowered(
        "net m { input x: [N, 4]  input word: i32[N] in 0..7
                 h = x |> dense(3, init: torch)
                 e = word |> embedding(3, init: torch)
                 output y = h + e |> dense(2, init: orthogonal) }",
    );
    let inits: Vec<Init> = model.params.iter().map(|param| param.init).collect();
    let linear = Init::Uniform(-0.5, 0.5);
    let [embedding, zero] = [Init::Normal(0.0, 1.0), Init::Constant(0.0)];
    assert_eq!(inits, [linear, linear, embedding, Init::Orthogonal(1.0), zero]);
}
