//! Elementwise kernels, beside the same written by hand over the same [`Simd`], which shows what it
//! costs to decode an expression.

use crate::single::{Single, matrix};
use arenet::internals::runtime::program::{
    Distribution, Expr, Instr, Kernel, Load, Opcode, Random, Spread, StreamId, Value,
};
use arenet::internals::runtime::simd::{Isa, LANES, Simd, Task, math};
use criterion::{Criterion, Throughput};
use std::hint::black_box;

/// The elements of a map: a first-level cache does not hold them, a second does.
const ELEMENTS: u64 = 16 << 10;

/// Maps of one or two operands to one result.
const MAPS: [(&str, &[Opcode]); 5] = [
    ("sigmoid", &[Opcode::Sigmoid]),
    ("tanh", &[Opcode::Tanh]),
    ("exp", &[Opcode::Exp]),
    ("|(x+y)y|", &[Opcode::Add, Opcode::Mul, Opcode::Abs]),
    ("dh h (1-h)", &[Opcode::SigmoidGrad]),
];

/// An instruction with the operands it has.
fn instr(op: Opcode, args: &[Value]) -> Instr {
    let arg = |i: usize| args.get(i).copied().unwrap_or(args[0]);
    Instr { op, args: [arg(0), arg(1), arg(2)] }
}

/// A map of one instruction after the other, each over the result of the one before; what takes
/// two operands takes the second input too.
fn map(code: &[Opcode]) -> impl FnMut() {
    let mut single = Single::default();
    let layout = matrix(1, ELEMENTS);
    let loads = [single.operand(layout), single.operand(layout)];
    let store = single.buffer(layout);
    let chained = |(index, &op): (usize, &Opcode)| {
        let before = if index == 0 { Value::Load(0) } else { Value::Instr(index as u16 - 1) };
        instr(op, &[before, Value::Load(1)][..op.arity()])
    };
    let used = code.iter().map(|op| op.arity()).max().unwrap_or(1);
    let loads = loads[..used].iter().map(|&buffer| Load { buffer, spread: Spread::Full });
    single.ready(Kernel::Map(Expr {
        loads: loads.collect(),
        code: code.iter().enumerate().map(chained).collect(),
        stores: vec![(Value::Instr(code.len() as u16 - 1), store)],
        ..Expr::default()
    }))
}

/// A mask of dropout.
fn mask(isa: Isa) -> impl FnMut() {
    let mut single = Single::default();
    let y = single.buffer(matrix(ELEMENTS / 512, 512));
    let distribution = Distribution::Mask(0.2, 1.25);
    single.ready_on(isa, Kernel::Random(Random { y, distribution, stream: StreamId(0) }))
}

/// A formula of two operands.
trait Formula: Copy {
    fn of<S: Simd>(self, s: S, x: S::F, y: S::F) -> S::F;
}

/// 1 / (1 + e⁻ˣ)
#[derive(Clone, Copy)]
struct Sigmoid;

impl Formula for Sigmoid {
    #[inline(always)]
    fn of<S: Simd>(self, s: S, x: S::F, _: S::F) -> S::F {
        math::sigmoid(s, x)
    }
}

/// |(x + y) y|
#[derive(Clone, Copy)]
struct Distance;

impl Formula for Distance {
    #[inline(always)]
    fn of<S: Simd>(self, s: S, x: S::F, y: S::F) -> S::F {
        s.abs(s.mul(s.add(x, y), y))
    }
}

/// x y (1 - y)
#[derive(Clone, Copy)]
struct SigmoidGrad;

impl Formula for SigmoidGrad {
    #[inline(always)]
    fn of<S: Simd>(self, s: S, x: S::F, y: S::F) -> S::F {
        s.mul(x, s.neg_mul_add(y, y, y))
    }
}

/// z = f(x, y), the loop written by hand.
struct ByHand<'a, F> {
    formula: F,
    x: &'a [f32],
    y: &'a [f32],
    z: &'a mut [f32],
}

impl<F: Formula> Task for ByHand<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (x, y) = (self.x.as_chunks::<LANES>().0, self.y.as_chunks::<LANES>().0);
        for ((x, y), z) in x.iter().zip(y).zip(self.z.as_chunks_mut::<LANES>().0) {
            *z = s.to_array(self.formula.of(s, s.from_array(*x), s.from_array(*y)));
        }
    }
}

fn by_hand(formula: impl Formula) -> impl FnMut() {
    let (isa, len) = (Isa::detect(), ELEMENTS as usize);
    let (x, y, mut z) = (vec![0.5; len], vec![-0.5; len], vec![0.0; len]);
    move || {
        let (x, y) = (black_box(&x[..]), &y[..]);
        isa.dispatch(ByHand { formula, x, y, z: &mut z });
        black_box(&mut z);
    }
}

/// Measures maps over data in a cache.
pub fn maps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("maps");
    group.throughput(Throughput::Elements(ELEMENTS));
    for (name, code) in MAPS {
        let mut run = map(code);
        group.bench_function(name, |bencher| bencher.iter(&mut run));
    }
    let mut measure = |name: &str, run: &mut dyn FnMut()| {
        group.bench_function(name, |bencher| bencher.iter(&mut *run));
    };
    for isa in Isa::available() {
        measure(&format!("mask {isa}"), &mut mask(isa));
    }
    measure("by hand sigmoid", &mut by_hand(Sigmoid));
    measure("by hand |(x+y)y|", &mut by_hand(Distance));
    measure("by hand dh h (1-h)", &mut by_hand(SigmoidGrad));
}
