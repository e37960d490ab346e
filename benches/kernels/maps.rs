//! Elementwise kernels, beside the same written by hand over the same [`Simd`], which shows what it
//! costs to decode an expression.

use crate::single::{Single, matrix};
use arenet::internals::prelude::{CompileOptions, compile};
use arenet::internals::runtime::machine::Rewrite;
use arenet::internals::runtime::program::{
    Distribution, EntryPoint, Expr, Instr, Kernel, Load, Opcode, Random, Spread, StreamId, Value,
};
use arenet::internals::runtime::simd::{Isa, LANES, Simd, Task, math};
use criterion::{Criterion, Throughput};
use std::hint::black_box;

/// The elements of a map: a first-level cache does not hold them, a second does.
const ELEMENTS: u64 = 16 << 10;

/// The parameters of an update: no cache holds them.
const PARAMS: u64 = 10_000_000;

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

const RATE: f32 = 1e-3;
const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// The update of a weight as the compiler writes it, as a map whose gradient is in memory.
fn update(optimizer: &str) -> impl FnMut() + use<> {
    let source = format!(
        "net n {{ input x: [N, 16]  output y = x |> dense(16, bias: false) }}
        train {{ target t: [N, 16]  loss = mse(y, t)  optimizer = {optimizer} }}"
    );
    let program = compile(&source, &CompileOptions::default()).expect("it is correct").program;
    let steps = &program.routines[EntryPoint::Train].steps;
    let tail = steps.iter().find_map(|step| match &step.kernel {
        Kernel::Gemm(gemm) if gemm.a_transposed => Some(gemm.tail.clone()),
        _ => None,
    });
    let Expr { loads, consts, code, stores } = tail.expect("the gradient is a product");
    let mut single = Single::default();
    let own = loads.iter().map(|load| {
        let (len, most) = if load.spread == Spread::Full { (PARAMS, 1.0) } else { (1, RATE) };
        // Not below 0, as the mean of squares is not.
        single.filled(matrix(1, len), Distribution::Uniform(0.0, most))
    });
    let own: Vec<_> = own.collect();
    let place = |id| own[loads.iter().position(|load| load.buffer == id).expect("it is in place")];
    let stores = stores.iter().map(|&(value, id)| (value, place(id))).collect();
    let gradient = Value::Load(loads.len() as u16);
    let of_memory = |value| if value == Value::Result { gradient } else { value };
    let code = code.iter().map(|instr| Instr { args: instr.args.map(of_memory), ..*instr });
    let code = code.collect();
    let full = Load { buffer: single.operand(matrix(1, PARAMS)), spread: Spread::Full };
    let loads = loads.iter().zip(&own).map(|(load, &buffer)| Load { buffer, ..*load });
    let loads = loads.chain([full]).collect();
    single.ready(Kernel::Map(Expr { loads, consts, code, stores }))
}

/// Adam, the loop written by hand.
struct AdamByHand<'a> {
    g: &'a [f32],
    p: &'a mut [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
}

impl Task for AdamByHand<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let g = self.g.as_chunks::<LANES>().0;
        let [p, m, v] = [self.p, self.m, self.v].map(|list| list.as_chunks_mut::<LANES>().0);
        let [beta1, beta2] = BETA.map(|beta| s.splat(beta));
        let [rest1, rest2] = BETA.map(|beta| s.splat(1.0 - beta));
        for (((g, p), m), v) in g.iter().zip(p).zip(m).zip(v) {
            let g = s.from_array(*g);
            let mean = s.mul_add(s.from_array(*m), beta1, s.mul(g, rest1));
            let square = s.mul_add(s.from_array(*v), beta2, s.mul(s.mul(g, g), rest2));
            let divisor = s.add(s.sqrt(square), s.splat(EPSILON));
            let step = s.div(s.mul(mean, s.splat(RATE)), divisor);
            *p = s.to_array(s.sub(s.from_array(*p), step));
            *m = s.to_array(mean);
            *v = s.to_array(square);
        }
    }
}

/// Measures updates over data in memory, beside the speed of reading and writing the same bytes.
pub fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("updates");
    let (isa, len) = (Isa::detect(), PARAMS as usize);
    // Lists that are read, and written.
    let bytes = |lists: u64| Throughput::Bytes(lists * 4 * PARAMS);

    for (name, lists, optimizer) in [
        ("momentum", 3 + 2, "sgd(lr: 0.1, momentum: 0.9)"),
        ("rmsprop", 3 + 2, "rmsprop"),
        ("adam", 4 + 3, "adam"),
        ("adamw, amsgrad", 5 + 4, "adamw(amsgrad: true)"),
    ] {
        let mut run = None;
        group.throughput(bytes(lists));
        group.bench_function(name, |bencher| {
            bencher.iter(run.get_or_insert_with(|| update(optimizer)));
        });
    }
    group.throughput(bytes(3 + 2));
    let [mut p, mut m, mut v] = [1.0, 0.0, 0.0].map(|value| vec![value; len]);
    let g: Vec<f32> = (0..len).map(|i| (i % 64) as f32 / 32.0 - 1.0).collect();
    group.bench_function("momentum, same bytes", |bencher| {
        bencher.iter(|| isa.dispatch(Rewrite { source: &g, lists: [&mut p, &mut m] }));
    });

    group.throughput(bytes(4 + 3));
    group.bench_function("adam, same bytes", |bencher| {
        bencher.iter(|| isa.dispatch(Rewrite { source: &g, lists: [&mut p, &mut m, &mut v] }));
    });
    v.fill(0.0);
    group.bench_function("adam by hand", |bencher| {
        bencher.iter(|| {
            isa.dispatch(AdamByHand { g: &g, p: &mut p, m: &mut m, v: &mut v });
        });
    });
}
