//! The elementary functions against f64, and the same bits on every instruction set.

use crate::reference::{Apply, Function};
use arenet_runtime::simd::{Isa, LANES};

/// Every 2999th bit pattern and some edges, 16 at a time.
fn sample() -> impl Iterator<Item = [f32; LANES]> {
    const STEP: u32 = 2999;
    let [min, max, inf, nan] = [f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NAN];
    let edges = [0.0, 1.0, min, max, inf, nan, 88.0, 104.0];
    let edges = std::array::from_fn(|i| if i < 8 { edges[i] } else { -edges[i - 8] });
    let lane = |first: u32, i: usize| f32::from_bits(first.wrapping_add(i as u32 * STEP));
    let firsts = (0..=u32::MAX).step_by(STEP as usize * LANES);
    firsts.map(move |first| std::array::from_fn(|i| lane(first, i))).chain([edges])
}

fn check(function: Function) {
    for x in sample() {
        let y = Isa::detect().dispatch(Apply(function, x));
        for (x, y) in x.into_iter().zip(y) {
            let error = function.error(x, y);
            assert!(error <= function.limit(), "{function:?}({x:e}) = {y:e} is off by {error} ULP");
        }
    }
}

#[test]
fn exp() {
    check(Function::Exp);
}

#[test]
fn log() {
    check(Function::Log);
}

#[test]
fn sigmoid() {
    check(Function::Sigmoid);
}

#[test]
fn tanh() {
    check(Function::Tanh);
}

#[test]
fn softplus() {
    check(Function::Softplus);
}

#[test]
fn normal_cdf() {
    check(Function::NormalCdf);
}

#[test]
fn erf() {
    check(Function::Erf);
}

#[test]
fn gelu() {
    check(Function::Gelu);
}

#[test]
fn saturates_at_the_ends() {
    let ends = |function| {
        let x = std::array::from_fn(|i| [f32::NEG_INFINITY, 0.0, f32::INFINITY][i % 3]);
        let [low, middle, high, ..] = Isa::detect().dispatch(Apply(function, x));
        [low, middle, high]
    };
    assert_eq!(ends(Function::Exp), [0.0, 1.0, f32::INFINITY]);
    assert_eq!(ends(Function::Sigmoid), [0.0, 0.5, 1.0]);
    assert_eq!(ends(Function::Tanh), [-1.0, 0.0, 1.0]);
    assert_eq!(ends(Function::NormalCdf), [0.0, 0.5, 1.0]);
    assert_eq!(ends(Function::Erf), [-1.0, 0.0, 1.0]);
    assert_eq!(ends(Function::Gelu), [0.0, 0.0, f32::INFINITY]);
}

#[test]
fn tanh_and_erf_are_odd() {
    let functions = [Function::Tanh, Function::Erf];
    for (function, x) in functions.into_iter().flat_map(|f| sample().map(move |x| (f, x))) {
        let [y, minus_y] = [x, x.map(|x| -x)].map(|x| Isa::detect().dispatch(Apply(function, x)));
        assert!(y.iter().zip(minus_y).all(|(a, b)| a.is_nan() || a.to_bits() == (-b).to_bits()));
    }
}

#[test]
fn every_isa_gives_the_same_bits() {
    let bits = |y: f32| if y.is_nan() { f32::NAN.to_bits() } else { y.to_bits() };
    for (function, x) in Function::ALL.into_iter().flat_map(|f| sample().map(move |x| (f, x))) {
        let [first, others @ ..] = &Isa::available()[..] else { unreachable!() };
        let y = first.dispatch(Apply(function, x)).map(bits);
        for isa in others {
            assert_eq!(
                isa.dispatch(Apply(function, x)).map(bits),
                y,
                "{isa} {function:?} of {x:?}"
            );
        }
    }
}
