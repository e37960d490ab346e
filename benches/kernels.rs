//! Single kernels on one thread, beside what the machine can do: `cargo bench --bench kernels`.
//!
//! The throughput of `machine/fma peak` and of the products is in FLOP/s (criterion writes elem/s),
//! that of `machine/read` in bytes. A kernel runs as the one step of a program made by hand.

mod shared;

use arenet::runtime::exec::{EntryPoint, Executor};
use arenet::runtime::program::verify::verify;
use arenet::runtime::program::{
    Buffer, BufferId, DType, Distribution, Entry, Expr, Gemm, Instr, Kernel, Layout, Load, Opcode,
    Origin, Param, Program, Random, Rows, Spread, Step, Value,
};
use arenet::runtime::simd::{Isa, LANES, Simd, Task};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// A program with one step, of operands that hold random numbers.
#[derive(Default)]
struct Single {
    program: Program,
}

impl Single {
    fn buffer(&mut self, layout: Layout) -> BufferId {
        let program = &mut self.program;
        let id = BufferId(program.buffers.len() as u32);
        let offset = program.arena_bytes;
        program.arena_bytes += layout.bytes(1).expect("it is small");
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        id
    }

    fn operand(&mut self, layout: Layout) -> BufferId {
        let id = self.buffer(layout);
        let (rows, cols) = layout.size(1).expect("it is small");
        let (name, shape) = (format!("p{}", id.0), vec![rows, cols]);
        self.program.params.push(Param { name, shape, buffer: id, states: Vec::new() });
        let (distribution, stream) = (Distribution::Uniform(-1.0, 1.0), id.0);
        let kernel = Kernel::Random(Random { y: id, distribution, stream });
        self.program.init.steps.push(step(kernel));
        id
    }

    /// What runs the kernel.
    fn ready(mut self, kernel: Kernel) -> impl FnMut() {
        self.program.batch = 1;
        self.program.predict = Entry { steps: vec![step(kernel)], ..Entry::default() };
        let program = verify(self.program).expect("the program is correct");
        let mut executor = Executor::new(Arc::new(program), shared::ALONE).expect("it is small");
        executor.run(EntryPoint::Init, 1).expect("it can be initialised");
        move || executor.run(EntryPoint::Predict, 1).expect("it has a row")
    }
}

fn step(kernel: Kernel) -> Step {
    Step { kernel, origin: Origin::default(), flops: 0 }
}

fn matrix(rows: u64, cols: u64) -> Layout {
    Layout::matrix(Rows { count: rows, batched: false }, cols)
}

/// The products of a dense layer of `k` inputs and `n` outputs over `m` rows.
#[derive(Clone, Copy)]
enum Product {
    /// Y = X W + b
    Forward,
    /// dX = dY Wᵀ
    Dx,
    /// dW = Xᵀ dY
    Dw,
}

fn product(product: Product, m: u64, n: u64, k: u64) -> impl FnMut() {
    let mut single = Single::default();
    let weights = Layout::Panels { rows: k, cols: n };
    let [x, w, y] = match product {
        Product::Forward => [matrix(m, k), weights, matrix(m, n)],
        Product::Dx => [matrix(m, n), weights, matrix(m, k)],
        Product::Dw => [matrix(m, k), matrix(m, n), weights],
    };
    let (a, b, c) = (single.operand(x), single.operand(w), single.buffer(y));
    let bias = matches!(product, Product::Forward).then(|| single.operand(matrix(1, n)));
    single.ready(Kernel::Gemm(Gemm {
        a,
        a_transposed: matches!(product, Product::Dw),
        b,
        b_transposed: matches!(product, Product::Dx),
        bias,
        tail: Expr { stores: vec![(Value::Result, c)], ..Expr::default() },
    }))
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("products");
    for (m, n, k) in [(64, 128, 784), (128, 512, 784), (256, 1024, 1024)] {
        group.throughput(Throughput::Elements(2 * m * n * k));
        let forms = [("forward", Product::Forward), ("dX", Product::Dx), ("dW", Product::Dw)];
        for (name, form) in forms {
            let mut run = product(form, m, n, k);
            let id = BenchmarkId::new(name, format!("{m}x{n}x{k}"));
            group.bench_function(id, |bencher| bencher.iter(&mut run));
        }
    }
}

/// The elements of an elementwise kernel.
const ELEMENTS: u64 = 16 << 10;

/// A map of one instruction after the other, each over the result of the one before; what takes
/// two operands takes the second input too.
fn map(code: &[Opcode]) -> impl FnMut() {
    let mut single = Single::default();
    let layout = matrix(1, ELEMENTS);
    let loads = [single.operand(layout), single.operand(layout)];
    let store = single.buffer(layout);
    let instr = |(index, &op): (usize, &Opcode)| {
        let before = if index == 0 { Value::Load(0) } else { Value::Instr(index as u16 - 1) };
        let args = match op.arity() {
            1 => [before; 3],
            _ => [before, Value::Load(1), before],
        };
        Instr { op, args }
    };
    let used = if code.iter().any(|op| op.arity() > 1) { 2 } else { 1 };
    let loads = loads[..used].iter().map(|&buffer| Load { buffer, spread: Spread::Full });
    single.ready(Kernel::Map(Expr {
        loads: loads.collect(),
        code: code.iter().enumerate().map(instr).collect(),
        stores: vec![(Value::Instr(code.len() as u16 - 1), store)],
        ..Expr::default()
    }))
}

/// `|(x + y) y|` written by hand, to see what it costs to decode a fused expression.
struct ByHand<'a> {
    x: &'a [f32],
    y: &'a [f32],
    z: &'a mut [f32],
}

impl Task for ByHand<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (x, y) = (self.x.as_chunks::<LANES>().0, self.y.as_chunks::<LANES>().0);
        for ((x, y), z) in x.iter().zip(y).zip(self.z.as_chunks_mut::<LANES>().0) {
            let (x, y) = (s.from_array(*x), s.from_array(*y));
            *z = s.to_array(s.abs(s.mul(s.add(x, y), y)));
        }
    }
}

fn maps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("maps");
    group.throughput(Throughput::Elements(ELEMENTS));
    let codes: [(&str, &[Opcode]); 4] = [
        ("sigmoid", &[Opcode::Sigmoid]),
        ("tanh", &[Opcode::Tanh]),
        ("exp", &[Opcode::Exp]),
        ("fused |(x+y)y|", &[Opcode::Add, Opcode::Mul, Opcode::Abs]),
    ];
    for (name, code) in codes {
        let mut run = map(code);
        group.bench_function(name, |bencher| bencher.iter(&mut run));
    }
    let (isa, len) = (Isa::detect(), ELEMENTS as usize);
    let (x, y, mut z) = (vec![0.5; len], vec![-0.5; len], vec![0.0; len]);
    group.bench_function("by hand |(x+y)y|", |bencher| {
        bencher.iter(|| {
            isa.dispatch(ByHand { x: black_box(&x), y: &y, z: &mut z });
            black_box(&mut z);
        });
    });
}

/// Independent chains of fused multiply-adds, enough to hide their latency.
struct Chains;

const CHAIN_ROUNDS: usize = 1_000;

impl Task for Chains {
    /// The operations done.
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> u64 {
        // As many as the matrix product keeps in registers.
        match S::TILE_VECTORS {
            1 => chains::<S, 6>(s),
            _ => chains::<S, 24>(s),
        }
    }
}

#[inline(always)]
fn chains<S: Simd, const N: usize>(s: S) -> u64 {
    let x = s.splat(black_box(0.5));
    let mut sums = [s.splat(black_box(1.0)); N];
    for _ in 0..CHAIN_ROUNDS {
        for sum in &mut sums {
            *sum = s.mul_add(*sum, x, x);
        }
    }
    for sum in sums {
        black_box(s.to_array(sum));
    }
    (2 * LANES * N * CHAIN_ROUNDS) as u64
}

/// Reads all of a block, adding it up in eight vectors.
struct Read<'a>(&'a [f32]);

impl Task for Read<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let mut sums = [s.splat(0.0); 8];
        let vectors = self.0.as_chunks::<LANES>().0;
        for block in vectors.as_chunks::<8>().0 {
            for (sum, vector) in sums.iter_mut().zip(block) {
                *sum = s.add(*sum, s.from_array(*vector));
            }
        }
        sums.into_iter().map(|sum| s.sum(sum)).sum()
    }
}

/// More than the caches hold.
const READ_BYTES: usize = 128 << 20;

fn machine(criterion: &mut Criterion) {
    let isa = Isa::detect();
    let mut group = criterion.benchmark_group("machine");
    group.throughput(Throughput::Elements(isa.dispatch(Chains)));
    group.bench_function("fma peak", |bencher| bencher.iter(|| isa.dispatch(Chains)));
    group.throughput(Throughput::Bytes(READ_BYTES as u64));
    let mut block = Vec::new();
    group.bench_function("read", |bencher| {
        block.resize(READ_BYTES / 4, 1.0);
        bencher.iter(|| isa.dispatch(Read(black_box(&block))));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = machine, products, maps
}
criterion_main!(benches);
