//! Matrix products of every form and remainder: each element is one chain of fused multiply-adds
//! over ascending k that starts from the bias, or several of a fixed length, whatever the tiles,
//! threads and instruction set.

use crate::common::{Numbers, sums, training};
use arenet_runtime::exec::{EntryPoint, Executor, Options};
use arenet_runtime::program::verify::{Verified, verify};
use arenet_runtime::program::{
    Buffer, BufferId, DType, Distribution, Expr, Gemm, Instr, Kernel, Layout, Load, Opcode, Origin,
    Param, Program, Random, Routine, Rows, Spread, Step, StreamId, Value,
};
use arenet_runtime::simd::Isa;
use std::sync::Arc;

/// What a product is made of.
#[derive(Clone, Copy, Debug)]
struct Form {
    a_transposed: bool,
    b_transposed: bool,
    b_in_panels: bool,
    c_in_panels: bool,
    bias: bool,
    tail: Tail,
}

/// What follows a product; every one is exact in f32, so that the bits are known.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tail {
    /// c = r
    Store,
    /// c = max(r, 0) + d, and e = r
    Relu,
    /// d = d - r s, in place; s is one number
    Update,
    /// c = r column + row
    Spread,
}

const TAILS: [Tail; 4] = [Tail::Store, Tail::Relu, Tail::Update, Tail::Spread];

/// Every combination.
fn forms() -> Vec<Form> {
    let form = |bits: usize| Form {
        a_transposed: bits & 1 != 0,
        b_transposed: bits & 2 != 0,
        b_in_panels: bits & 4 != 0,
        c_in_panels: bits & 8 != 0,
        bias: bits & 16 != 0,
        tail: TAILS[bits >> 5],
    };
    // The operands that a tail spreads are read by rows, and so the result lies in rows.
    let fits = |form: &Form| form.tail != Tail::Spread || !form.c_in_panels;
    (0..128).map(form).filter(fits).collect()
}

#[derive(Clone, Copy, Debug)]
struct Size {
    m: usize,
    n: usize,
    k: usize,
}

/// The operands and results, in the order of the parameters.
#[derive(Clone, Copy)]
enum Operand {
    A,
    B,
    Bias,
    C,
    D,
    E,
    Scale,
    Column,
    Row,
    Sums,
}
use Operand::*;

const OPERANDS: [Operand; 10] = [A, B, Bias, C, D, E, Scale, Column, Row, Sums];

impl Operand {
    fn id(self) -> BufferId {
        BufferId(self as u32)
    }

    /// The logical rows and columns.
    fn size(self, form: Form, Size { m, n, k }: Size) -> (usize, usize) {
        match self {
            A if form.a_transposed => (k, m),
            A => (m, k),
            B if form.b_transposed => (n, k),
            B => (k, n),
            C | D | E => (m, n),
            Bias | Row | Sums => (1, n),
            Scale => (1, 1),
            Column => (m, 1),
        }
    }

    fn layout(self, form: Form, size: Size) -> Layout {
        let (rows, cols) = self.size(form, size);
        let (rows, cols) = (rows as u64, cols as u64);
        match self {
            B if form.b_in_panels => Layout::Panels { rows, cols },
            C | D | E if form.c_in_panels => Layout::Panels { rows, cols },
            _ => Layout::matrix(Rows { count: rows, batched: false }, cols),
        }
    }
}

/// A tail of one instruction or two.
fn tail(tail: Tail) -> Expr {
    let full = |x: Operand| Load { buffer: x.id(), spread: Spread::Full };
    let instr = |op, args| Instr { op, args };
    let (result, load) = (Value::Result, Value::Load);
    match tail {
        Tail::Store => Expr { stores: vec![(result, C.id())], ..Expr::default() },
        Tail::Relu => Expr {
            loads: vec![full(D)],
            code: vec![
                instr(Opcode::Relu, [result; 3]),
                instr(Opcode::Add, [Value::Instr(0), load(0), Value::Instr(0)]),
            ],
            stores: vec![(Value::Instr(1), C.id()), (result, E.id())],
            ..Expr::default()
        },
        Tail::Update => Expr {
            loads: vec![full(D), Load { buffer: Scale.id(), spread: Spread::Scalar }],
            code: vec![instr(Opcode::NegMulAdd, [result, load(1), load(0)])],
            stores: vec![(Value::Instr(0), D.id())],
            ..Expr::default()
        },
        Tail::Spread => Expr {
            loads: vec![
                Load { buffer: Column.id(), spread: Spread::Column },
                Load { buffer: Row.id(), spread: Spread::Row },
            ],
            code: vec![instr(Opcode::MulAdd, [result, load(0), load(1)])],
            stores: vec![(Value::Instr(0), C.id())],
            ..Expr::default()
        },
    }
}

/// s = s - r scale for the sums of B's columns, in place.
fn column_sums() -> Expr {
    let full = Load { buffer: Sums.id(), spread: Spread::Full };
    let args = [Value::Result, Value::Load(1), Value::Load(0)];
    Expr {
        loads: vec![full, Load { buffer: Scale.id(), spread: Spread::Scalar }],
        code: vec![Instr { op: Opcode::NegMulAdd, args }],
        stores: vec![(Value::Instr(0), Sums.id())],
        ..Expr::default()
    }
}

/// A program whose training step is one product; it claims `flops` operations.
fn program(form: Form, size: Size, flops: u64) -> Arc<Verified> {
    let mut program = Program { batch: 1, training: Some(training()), ..Program::default() };
    let mut add = |layout: Layout| {
        let buffer = BufferId(program.buffers.len() as u32);
        let offset = program.arena_bytes;
        program.arena_bytes += layout.bytes(1).unwrap();
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        buffer
    };
    for operand in OPERANDS {
        add(operand.layout(form, size));
    }
    let loss = add(Layout::scalar());
    let step = |kernel, flops| Step { kernel, origin: Origin::default(), flops };
    let entry = |steps| Routine { steps, ..Routine::default() };
    for operand in OPERANDS {
        let (rows, cols) = operand.size(form, size);
        let shape = vec![rows as u64, cols as u64];
        let (name, buffer, states) = (format!("{}", operand as u32), operand.id(), vec![]);
        program.params.push(Param { name, shape, buffer, states });
    }
    let zero = |y| Random { y, distribution: Distribution::Constant(0.0), stream: StreamId(0) };
    let zeros = OPERANDS.map(|operand| step(Kernel::Random(zero(operand.id())), 0));
    let no_loss = step(Kernel::Random(zero(loss)), 0);
    let gemm = Kernel::Gemm(Gemm {
        a: A.id(),
        a_transposed: form.a_transposed,
        b: B.id(),
        b_transposed: form.b_transposed,
        bias: form.bias.then_some(Bias.id()),
        tail: tail(form.tail),
        column_sums: form.a_transposed.then(column_sums),
    });
    program.loss = Some(loss);
    program.routines[EntryPoint::Init] = entry(zeros.to_vec());
    program.routines[EntryPoint::Eval] = entry(vec![no_loss.clone()]);
    program.routines[EntryPoint::Train] = entry(vec![step(gemm, flops), no_loss]);
    Arc::new(verify(program).unwrap_or_else(|error| panic!("{form:?} {size:?}: {error}")))
}

/// The operands' values, row after row; a result starts as NaN.
fn values(form: Form, size: Size) -> Vec<Vec<f32>> {
    let mut numbers = Numbers::new((size.m * 1000 + size.n * 10 + size.k) as u64);
    let mut fill = |operand: Operand| {
        let (rows, cols) = operand.size(form, size);
        match operand {
            C | E => vec![f32::NAN; rows * cols],
            _ => numbers.floats(rows * cols),
        }
    };
    OPERANDS.map(&mut fill).to_vec()
}

/// A matrix with its columns as rows.
fn turned(values: &[f32], (rows, cols): (usize, usize)) -> Vec<f32> {
    (0..cols).flat_map(|j| (0..rows).map(move |i| values[i * cols + j])).collect()
}

/// The sum of products of a row of op(A) and a column of op(B), as the machine adds it up. It is
/// checked against the sum in 64 bits.
fn element(chains: sums::Chains, start: f32, a: &[f32], b: &[f32]) -> f32 {
    let sum = sums::sum(chains, start, a.len(), |sum, k| a[k].mul_add(b[k], sum));
    let (mut exact, mut magnitude) = (f64::from(start), f64::from(start).abs());
    for (a, b) in a.iter().zip(b) {
        let product = f64::from(*a) * f64::from(*b);
        exact += product;
        magnitude += product.abs();
    }
    let bound = f64::from(f32::EPSILON) * magnitude * (a.len() + 1) as f64;
    assert!((f64::from(sum) - exact).abs() <= bound, "the chain itself is the product");
    sum
}

/// C, D, E and the sums after the step.
fn expected(form: Form, size: Size, x: &[Vec<f32>]) -> [Vec<f32>; 4] {
    let [mut c, mut d, mut e, mut sums] = [C, D, E, Sums].map(|it| x[it as usize].clone());
    let in_order = |operand: Operand, turn: bool| match turn {
        true => turned(&x[operand as usize], operand.size(form, size)),
        false => x[operand as usize].clone(),
    };
    let rows = in_order(A, form.a_transposed);
    let columns = in_order(B, !form.b_transposed);
    let column = |j: usize| &columns[j * size.k..][..size.k];
    let chains = if form.a_transposed { sums::OVER_ROWS } else { sums::ALONG_ROWS };
    for i in 0..size.m {
        let row = &rows[i * size.k..][..size.k];
        for j in 0..size.n {
            let start = if form.bias { x[Bias as usize][j] } else { 0.0 };
            let r = element(chains, start, row, column(j));
            let at = i * size.n + j;
            match form.tail {
                Tail::Store => c[at] = r,
                Tail::Relu => (c[at], e[at]) = (r.max(0.0) + d[at], r),
                Tail::Update => d[at] = (-r).mul_add(x[Scale as usize][0], d[at]),
                Tail::Spread => c[at] = r.mul_add(x[Column as usize][i], x[Row as usize][j]),
            }
        }
    }
    for (j, sum) in sums.iter_mut().enumerate().filter(|_| form.a_transposed) {
        let all = sums::sum(sums::COLUMN, 0.0, size.k, |sum, k| sum + column(j)[k]);
        *sum = (-all).mul_add(x[Scale as usize][0], *sum);
    }
    [c, d, e, sums]
}

fn bits(values: &[f32]) -> Vec<u32> {
    // Every NaN is the same, an untouched result.
    values.iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect()
}

fn check(form: Form, size: Size, threads: &[usize]) {
    let x = values(form, size);
    let expected = expected(form, size, &x);
    for isa in Isa::available() {
        for &threads in threads {
            // Whatever claims enough work is shared between all threads.
            let flops = if threads > 1 { 1 << 30 } else { 0 };
            let options = Options { isa: Some(isa), threads: Some(threads), max_memory: None };
            let mut executor = Executor::new(program(form, size, flops), options).unwrap();
            for (operand, values) in OPERANDS.iter().zip(&x) {
                executor.write(operand.id(), values).unwrap();
            }
            executor.run(EntryPoint::Train, 1).unwrap();
            for (result, expected) in [C, D, E, Sums].into_iter().zip(&expected) {
                let actual = executor.read(result.id());
                let same = bits(&actual) == bits(expected);
                let which = result as u32;
                assert!(same, "{form:?} {size:?}, {isa}, {threads} threads, result {which}");
            }
        }
    }
}

const COLUMNS: [usize; 14] = [1, 2, 15, 16, 17, 31, 32, 33, 45, 46, 48, 64, 100, 130];
const INNER: [usize; 7] = [1, 2, 3, 16, 17, 64, 100];

/// All sizes, each with some of the forms, so that every form meets every remainder.
fn sizes() -> impl Iterator<Item = Size> {
    let rows = (1..=25).flat_map(|m| COLUMNS.map(|n| (m, n)));
    rows.flat_map(|(m, n)| INNER.map(|k| Size { m, n, k }))
}

#[test]
fn every_remainder_is_the_chain() {
    let forms = forms();
    for (i, size) in sizes().enumerate() {
        // 37 has no factor in common with the number of forms: all of them come in turn.
        check(forms[i * 37 % forms.len()], size, &[1]);
    }
}

#[test]
fn every_form_is_the_chain_with_several_threads() {
    let sizes: Vec<Size> = sizes().collect();
    for (i, form) in forms().into_iter().enumerate() {
        for part in 0..3 {
            check(form, sizes[(i * 3 + part) * 53 % sizes.len()], &[2, 3]);
        }
    }
}

#[test]
fn a_product_that_is_worth_it_is_shared_by_columns_and_by_rows() {
    let wide = Size { m: 5, n: 520, k: 33 };
    let high = Size { m: 61, n: 70, k: 33 };
    for (i, form) in forms().into_iter().enumerate() {
        if i % 7 == 0 {
            check(form, wide, &[1, 2, 3]);
            check(form, high, &[1, 2, 3]);
        }
    }
}

/// The forms with these operands transposed.
fn transposed(a: bool, b: bool) -> impl Iterator<Item = Form> {
    forms().into_iter().filter(move |form| (form.a_transposed, form.b_transposed) == (a, b))
}

#[test]
fn a_long_product_with_a_transposed_operand_is_packed() {
    for (i, form) in transposed(true, false).enumerate() {
        // Column blocks of op(B) alone, then both operands.
        check(form, Size { m: 48 + i, n: 45, k: 96 + i }, &[1, 2]);
        check(form, Size { m: 48 + i, n: 129 + i, k: 128 }, &[1, 2]);
    }
    // Beyond 2^20 elements the rows are packed in several blocks, here of 1,020 and of four rows:
    // for so few wide tiles would be chosen.
    let form = transposed(true, false).next().unwrap();
    check(form, Size { m: 1_024, n: 128, k: 1_024 }, &[1]);
}

#[test]
fn sums_of_many_terms_from_a_transposed_operand_are_kept_between_blocks() {
    for (i, form) in transposed(true, false).enumerate() {
        // Blocks of 256 terms with op(A) as it lies, of 512 with op(A) packed, and what is left.
        check(form, Size { m: 48 + i, n: 45, k: [513, 767, 769][i % 3] }, &[1, 2]);
        if i % 5 == 0 {
            check(form, Size { m: 49, n: 131, k: 1_025 + 100 * i }, &[1, 2]);
        }
    }
    // Several blocks of rows, too.
    let form = transposed(true, false).next().unwrap();
    check(form, Size { m: 514, n: 33, k: 700 }, &[1]);
}

#[test]
fn the_rows_of_a_large_batch_go_through_all_columns_in_blocks() {
    for (i, form) in transposed(false, false).enumerate() {
        // Blocks of 24 rows, and what is left, from one row on.
        check(form, Size { m: 145 + i, n: 45, k: 1_300 }, &[1, 2]);
        // Columns enough that the rows that follow are fetched.
        if i % 5 == 0 {
            check(form, Size { m: 145 + i, n: 129, k: 1_000 }, &[1, 2]);
        }
        // Longer blocks where so many terms leave no room for op(B) in the cache.
        if i % 7 == 0 {
            check(form, Size { m: 515, n: 20, k: 1_400 }, &[1, 2]);
        }
    }
    for form in transposed(false, true).step_by(7) {
        check(form, Size { m: 515, n: 20, k: 1_040 }, &[1, 2]);
    }
}

#[test]
fn a_sum_of_many_terms_is_chains_of_a_fixed_length() {
    // One term too many for a single chain, whole chains, and one term more; a few rows of C, and
    // so many that tiles of several heights follow each other.
    for (i, form) in forms().into_iter().enumerate() {
        let chains = if form.a_transposed { [257, 512, 769] } else { [4_097, 4_352, 4_353] };
        let m = [1, 3, 5, 14, 31][i % 5];
        check(form, Size { m, n: [1, 17, 47][i % 3], k: chains[i % 3] }, &[1, 2]);
    }
}

#[test]
fn a_high_product_of_few_terms_is_the_chain() {
    for (i, form) in forms().into_iter().enumerate() {
        let size = Size { m: 48 + i * 7 % 100, n: COLUMNS[i % COLUMNS.len()], k: 1 + i % 5 };
        check(form, size, &[1, 2, 3]);
    }
}
