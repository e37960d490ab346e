//! One product with a narrow weight, of random shapes, on every instruction set: bit for bit as the
//! plain formula, and as near to the product in 64 bits as the rounding allows.

use crate::common::Numbers;
use arenet_runtime::exec::{EntryPoint, Executor, Options};
use arenet_runtime::program::verify::{Verified, verify};
use arenet_runtime::program::{
    Buffer, BufferId, DType, Distribution, Expr, Gemm, Instr, Kernel, Layout, Opcode, Origin,
    Param, Program, Random, Routine, Rows, Step, StreamId, Value,
};
use arenet_runtime::simd::Isa;
use std::sync::Arc;

const A: BufferId = BufferId(0);
const B: BufferId = BufferId(1);
const BIAS: BufferId = BufferId(2);
const C: BufferId = BufferId(3);
const D: BufferId = BufferId(4);

#[derive(Clone, Copy, Debug)]
struct Size {
    m: usize,
    n: usize,
    k: usize,
}

/// A program whose prediction is C = A B + bias and D = max(C, 0), with such a B; the product is
/// shared between threads if there are several.
fn program(Size { m, n, k }: Size, dtype: DType, flops: u64) -> Arc<Verified> {
    let [m, n, k] = [m, n, k].map(|size| size as u64);
    let rows = |count, cols| Layout::matrix(Rows { count, batched: false }, cols);
    let weight = match dtype {
        DType::I8 => Layout::Quads { rows: k, cols: n },
        _ => Layout::Panels { rows: k, cols: n },
    };
    let f32s = |layout| (layout, DType::F32);
    let buffers =
        [f32s(rows(m, k)), (weight, dtype), f32s(rows(1, n)), f32s(rows(m, n)), f32s(rows(m, n))];
    let mut program = Program { batch: 1, ..Program::default() };
    for (layout, dtype) in buffers {
        let buffer = Buffer { offset: program.arena_bytes, layout, dtype };
        program.arena_bytes += buffer.bytes(1).unwrap();
        program.buffers.push(buffer);
    }
    let step = |kernel| Step { kernel, origin: Origin::default(), flops };
    let zero = |y| Random { y, distribution: Distribution::Constant(0.0), stream: StreamId(0) };
    let shapes = [(A, m, k), (B, k, n), (BIAS, 1, n), (C, m, n), (D, m, n)];
    for (buffer, rows, cols) in shapes {
        let (name, shape, states) = (buffer.0.to_string(), vec![rows, cols], vec![]);
        program.params.push(Param { name, shape, buffer, states });
        if buffer != B || dtype == DType::F32 {
            program.routines[EntryPoint::Init].steps.push(step(Kernel::Random(zero(buffer))));
        }
    }
    let tail = Expr {
        code: vec![Instr { op: Opcode::Relu, args: [Value::Result; 3] }],
        stores: vec![(Value::Result, C), (Value::Instr(0), D)],
        ..Expr::default()
    };
    let (a_transposed, b_transposed, bias) = (false, false, Some(BIAS));
    let gemm = Gemm { a: A, a_transposed, b: B, b_transposed, bias, tail, column_sums: None };
    program.routines[EntryPoint::Predict] =
        Routine { steps: vec![step(Kernel::Gemm(gemm))], ..Routine::default() };
    Arc::new(verify(program).unwrap_or_else(|error| panic!("{error}")))
}

/// The operands, row after row.
struct Operands {
    a: Vec<f32>,
    b: Vec<f32>,
    bias: Vec<f32>,
}

impl Operands {
    fn random(Size { m, n, k }: Size) -> Operands {
        let mut numbers = Numbers::new((m * 10_000 + n * 100 + k) as u64);
        let mut floats = |count| numbers.floats(count);
        Operands { a: floats(m * k), b: floats(k * n), bias: floats(n) }
    }
}

/// C, D, and what B is after the rounding.
fn run(size: Size, dtype: DType, x: &Operands, isa: Isa, threads: usize) -> [Vec<f32>; 3] {
    // Whatever claims enough work is shared between all threads.
    let flops = if threads > 1 { 1 << 30 } else { 0 };
    let options = Options { isa: Some(isa), threads: Some(threads), max_memory: None };
    let mut executor = Executor::new(program(size, dtype, flops), options).unwrap();
    executor.run(EntryPoint::Init, 1).unwrap();
    for (id, values) in [(A, &x.a), (B, &x.b), (BIAS, &x.bias)] {
        executor.write(id, values).unwrap();
    }
    executor.run(EntryPoint::Predict, 1).unwrap();
    [executor.read(C), executor.read(D), executor.read(B)]
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect()
}

/// Checks C and D on every instruction set and with these numbers of threads.
fn check(size: Size, dtype: DType, x: &Operands, expected: &[f32], threads: &[usize]) {
    // Where the vector instruction gives zero for NaN, so does this.
    let relu: Vec<f32> = expected.iter().map(|&c| if 0.0 > c { 0.0 } else { c }).collect();
    for isa in Isa::available() {
        for &threads in threads {
            let [c, d, _] = run(size, dtype, x, isa, threads);
            assert!(bits(&c) == bits(expected), "{size:?} {dtype:?}, {isa}, {threads} threads");
            assert!(bits(&d) == bits(&relu), "{size:?} {dtype:?}, {isa}, {threads} threads");
        }
    }
}

/// The product in 64 bits, and what it may be away from: `bound` of the operands of each term.
fn near(size: Size, x: &Operands, c: &[f32], bound: impl Fn(f64, f64, usize, usize) -> f64) {
    for (i, row) in c.chunks_exact(size.n).enumerate() {
        for (j, &found) in row.iter().enumerate() {
            let bias = f64::from(x.bias[j]);
            let (mut exact, mut within) = (bias, f64::from(f32::EPSILON) * bias.abs());
            for k in 0..size.k {
                let (a, b) = (f64::from(x.a[i * size.k + k]), f64::from(x.b[k * size.n + j]));
                exact += a * b;
                within += bound(a, b, i, j) + f64::from(f32::EPSILON) * (a * b).abs() * 8.0;
            }
            let within = within * (1.0 + size.k as f64 * f64::from(f32::EPSILON));
            assert!((f64::from(found) - exact).abs() <= within, "{size:?} ({i}, {j})");
        }
    }
}

/// The largest magnitude of each row and of each column of a matrix.
fn largest(values: &[f32], cols: usize) -> (Vec<f32>, Vec<f32>) {
    let max = |largest: f32, x: &f32| largest.max(x.abs());
    let rows = values.chunks_exact(cols).map(|row| row.iter().fold(0.0, max)).collect();
    let column = |col: usize| values.iter().skip(col).step_by(cols).fold(0.0, max);
    (rows, (0..cols).map(column).collect())
}

/// C by the plain formula: integers of 64 bits, and four operations in f32.
fn int8_product(size: Size, x: &Operands) -> Vec<f32> {
    let (rows, cols) = (largest(&x.a, size.k).0, largest(&x.b, size.n).1);
    let scales: Vec<f32> = cols.iter().map(|largest| largest / 127.0).collect();
    let weight = |k: usize, j: usize| {
        let w = x.b[k * size.n + j] / scales[j];
        if w.is_nan() { 0 } else { w.round_ties_even() as i64 }
    };
    let mut c = Vec::with_capacity(size.m * size.n);
    for (i, &largest) in rows.iter().enumerate() {
        let inverse = 127.0 / largest;
        let row = &x.a[i * size.k..][..size.k];
        let row: Vec<i64> = row.iter().map(|a| (a * inverse).round_ties_even() as i64).collect();
        for (j, (scale, bias)) in scales.iter().zip(&x.bias).enumerate() {
            let sum: i64 = row.iter().enumerate().map(|(k, q)| q * weight(k, j)).sum();
            let sum = i32::try_from(sum).expect("it fits into 32 bits");
            c.push((sum as f32).mul_add(largest / 127.0 * scale, *bias));
        }
    }
    c
}

fn check_int8(size: Size, threads: &[usize]) {
    let x = Operands::random(size);
    let c = int8_product(size, &x);
    check(size, DType::I8, &x, &c, threads);
    // Each operand is rounded by half a step at most.
    let (rows, cols) = (largest(&x.a, size.k).0, largest(&x.b, size.n).1);
    let steps = |i: usize, j: usize| [rows[i], cols[j]].map(|max| f64::from(max) / 254.0 * 1.0001);
    near(size, &x, &c, |a, b, i, j| {
        let [da, db] = steps(i, j);
        a.abs() * db + b.abs() * da + da * db
    });
}

fn check_bf16(size: Size, threads: &[usize]) {
    let x = Operands::random(size);
    let [c, _, rounded] = run(size, DType::Bf16, &x, Isa::detect(), 1);
    near(size, &x, &c, |a, b, _, _| (a * b).abs() / 256.0);
    // The same program in f32 over the rounded weights.
    let x = Operands { b: rounded, ..x };
    let [same, ..] = run(size, DType::F32, &x, Isa::detect(), 1);
    check(size, DType::Bf16, &x, &same, threads);
    let chain = |i: usize, j: usize| {
        (0..size.k).fold(x.bias[j], |sum, k| x.a[i * size.k + k].mul_add(x.b[k * size.n + j], sum))
    };
    let cells = (0..size.m).flat_map(|i| (0..size.n).map(move |j| (i, j)));
    let chains: Vec<f32> = cells.map(|(i, j)| chain(i, j)).collect();
    assert!(bits(&same) == bits(&chains), "{size:?}");
}

/// Every number of rows of a tile with every remainder of columns and of the inner size in turn.
fn sizes() -> impl Iterator<Item = Size> {
    const COLUMNS: [usize; 9] = [1, 15, 16, 17, 33, 64, 100, 129, 200];
    const INNER: [usize; 8] = [1, 2, 3, 4, 17, 30, 64, 101];
    let rows = (1..=26).flat_map(|m| COLUMNS.map(|n| (m, n)));
    rows.enumerate().map(|(i, (m, n))| Size { m, n, k: INNER[i * 3 % INNER.len()] })
}

#[test]
fn products_with_integers_are_exact_sums() {
    for size in sizes() {
        check_int8(size, &[1]);
    }
}

#[test]
fn products_with_bfloat16_are_chains_over_the_rounded_weights() {
    for size in sizes() {
        check_bf16(size, &[1]);
    }
}

#[test]
fn large_products_are_shared_and_blocked() {
    for size in [
        Size { m: 1, n: 520, k: 130 },
        Size { m: 5, n: 520, k: 33 },
        Size { m: 61, n: 70, k: 33 },
        Size { m: 100, n: 40, k: 67 },
    ] {
        check_int8(size, &[1, 2, 3]);
        check_bf16(size, &[1, 2, 3]);
    }
    // More rows than are made integers at a time.
    check_int8(Size { m: 75, n: 18, k: 9_001 }, &[1, 2]);
}

#[test]
fn the_largest_sums_do_not_overflow() {
    let size = Size { m: 2, n: 3, k: 133_144 };
    let b = [1.0, -1.0, 1.0].repeat(size.k);
    let x = Operands { a: vec![1.0; size.m * size.k], b, bias: vec![0.0; size.n] };
    let expected = int8_product(size, &x);
    assert!((expected[0] - 133_144.0).abs() < 0.1, "{}", expected[0]);
    assert_eq!(expected[1], -expected[0]);
    check(size, DType::I8, &x, &expected, &[1]);
}

#[test]
fn zeros_and_tiny_rows_are_zeros() {
    let size = Size { m: 3, n: 2, k: 5 };
    let mut a = vec![0.0; size.m * size.k];
    a[5..10].fill(1e-40);
    a[12] = 2.0;
    let b = vec![0.0, 1.0, 0.0, -3.0, 0.0, 4.0, 0.0, 1.0, 0.0, 2.0];
    let x = Operands { a, b, bias: vec![0.5, -0.25] };
    let last = 127.0f32 * 127.0 * ((2.0 / 127.0) * (4.0 / 127.0)) - 0.25;
    let [c, ..] = run(size, DType::I8, &x, Isa::detect(), 1);
    assert_eq!(c[..5], [0.5, -0.25, 0.5, -0.25, 0.5]);
    assert!((c[5] - last).abs() <= 1e-6, "{} and not {last}", c[5]);
    check(size, DType::I8, &x, &c, &[1]);
}

#[test]
fn a_value_that_is_not_finite_shows_in_its_row() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, 17, 38] {
            let size = Size { m: 2, n: 20, k: 39 };
            let mut x = Operands::random(size);
            let clean = int8_product(size, &x);
            x.a[size.k + at] = value;
            for isa in Isa::available() {
                let [c, ..] = run(size, DType::I8, &x, isa, 1);
                assert!(bits(&c[..20]) == bits(&clean[..20]), "{isa}: the other row stays");
                assert!(c[20..].iter().all(|c| c.is_nan()), "{isa}: {value} at {at} shows");
            }
        }
    }
}
