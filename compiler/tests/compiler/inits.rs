//! The initial values of parameters.

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
    let rule = build(&Args { signature, values: vec![], spans: vec![] });
    rule.unwrap().init(&[3, 5])
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
}

#[test]
fn vectors_start_at_zero_and_weights_at_glorot() {
    assert_eq!(Rule::default_for(&[5]).init(&[5]), Init::Constant(0.0));
    let bound = (6.0f64 / 8.0).sqrt();
    assert_eq!(Rule::default_for(&[3, 5]).init(&[3, 5]), Init::Uniform(-bound, bound));
}
