//! The names of parameters.

use arenet_compiler::init::Init;
use arenet_compiler::layer::{Builder, Sharing};
use pretty_assertions::assert_eq;

fn dense(b: &mut Builder) {
    b.param("w", &[2, 2], Init::Constant(0.0)).unwrap();
    b.param("b", &[2], Init::Constant(0.0)).unwrap();
    b.end_call();
}

fn names(b: &Builder) -> Vec<&str> {
    b.params.iter().map(|param| param.name.as_str()).collect()
}

#[test]
fn one_call_needs_no_number() {
    let mut b = Builder::default();
    b.enter();
    b.end_call(); // an activation has no parameters and does not count
    dense(&mut b);
    b.leave(Some("h"));
    assert_eq!(names(&b), ["h.w", "h.b"]);
}

#[test]
fn several_calls_are_numbered() {
    let mut b = Builder::default();
    b.enter();
    dense(&mut b);
    dense(&mut b);
    b.leave(Some("h"));
    assert_eq!(names(&b), ["h.0.w", "h.0.b", "h.1.w", "h.1.b"]);
}

#[test]
fn a_block_is_one_call_and_its_statements_are_named_within() {
    let block = |b: &mut Builder| {
        b.enter();
        dense(b);
        b.leave(Some("a"));
        b.enter();
        dense(b);
        b.leave(None);
        b.end_call();
    };
    let mut b = Builder::default();
    b.enter();
    block(&mut b);
    b.leave(Some("h"));
    assert_eq!(names(&b), ["h.a.w", "h.a.b", "h.w", "h.b"]);

    let mut b = Builder::default();
    b.enter();
    block(&mut b);
    dense(&mut b);
    b.leave(Some("h"));
    assert_eq!(names(&b)[..3], ["h.0.a.w", "h.0.a.b", "h.0.w"]);
    assert_eq!(names(&b)[4..], ["h.1.w", "h.1.b"]);
}

#[test]
fn a_layer_has_one_set_of_parameters() {
    let mut b = Builder::default();
    b.enter();
    let outside = b.begin_shared(Sharing::Record(vec![]));
    dense(&mut b);
    let Sharing::Record(params) = b.end_shared("encode", outside) else {
        panic!("the first call records")
    };
    let outside = b.begin_shared(Sharing::Replay(params, 0));
    dense(&mut b);
    b.end_shared("encode", outside);
    b.leave(Some("h"));
    assert_eq!(names(&b), ["encode.w", "encode.b"]);
}
