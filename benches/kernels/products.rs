//! The three products of a dense layer, ours and those of the peers.

use crate::peers::{self, PEERS, Sizes, Strided};
use crate::single::{Single, matrix};
use arenet::internals::runtime::program::{Expr, Gemm, Kernel, Layout, Value};
use arenet::internals::runtime::simd::Isa;
use criterion::{BenchmarkId, Criterion, Throughput};
use std::hint::black_box;

/// A product of a dense layer of `k` inputs and `n` outputs over `m` rows.
#[derive(Clone, Copy)]
enum Form {
    /// Y = X W + b
    Forward,
    /// dX = dY Wᵀ
    Dx,
    /// dW = Xᵀ dY
    Dw,
}

const FORMS: [(&str, Form); 3] = [("forward", Form::Forward), ("dX", Form::Dx), ("dW", Form::Dw)];

/// Rows, outputs, inputs.
const SHAPES: [(u64, u64, u64); 5] =
    [(64, 128, 784), (128, 512, 784), (256, 1024, 1024), (1024, 1024, 1024), (512, 4096, 4096)];

/// Our kernel, over weights in panels.
fn ours(isa: Isa, form: Form, m: u64, n: u64, k: u64) -> Box<dyn FnMut()> {
    let mut single = Single::default();
    let weights = Layout::Panels { rows: k, cols: n };
    let [x, w, y] = match form {
        Form::Forward => [matrix(m, k), weights, matrix(m, n)],
        Form::Dx => [matrix(m, n), weights, matrix(m, k)],
        Form::Dw => [matrix(m, k), matrix(m, n), weights],
    };
    let (a, b, c) = (single.operand(x), single.operand(w), single.buffer(y));
    let bias = matches!(form, Form::Forward).then(|| single.operand(matrix(1, n)));
    let kernel = Kernel::Gemm(Gemm {
        a,
        a_transposed: matches!(form, Form::Dw),
        b,
        b_transposed: matches!(form, Form::Dx),
        bias,
        tail: Expr { stores: vec![(Value::Result, c)], ..Expr::default() },
        column_sums: None,
    });
    Box::new(single.ready_on(isa, kernel))
}

/// A peer's, over rows. It adds no bias.
fn theirs(product: peers::Product, form: Form, m: u64, n: u64, k: u64) -> Box<dyn FnMut()> {
    let [m, n, k] = [m, n, k].map(|size| size as usize);
    // The rows and columns of the result, and what is summed over.
    let sizes = match form {
        Form::Forward => Sizes { m, n, k },
        Form::Dx => Sizes { m, n: k, k: n },
        Form::Dw => Sizes { m: k, n, k: m },
    };
    let number = |i: usize| (i % 64) as f32 / 32.0 - 1.0;
    let list = |len: usize| (0..len).map(number).collect::<Vec<f32>>();
    let (a, b) = (list(sizes.m * sizes.k), list(sizes.k * sizes.n));
    let mut c = vec![0.0; sizes.m * sizes.n];
    Box::new(move || {
        let (a, b) = match form {
            Form::Forward => (Strided::rows(&a, k), Strided::rows(&b, n)),
            Form::Dx => (Strided::rows(&a, n), Strided::rows(&b, n).transposed()),
            Form::Dw => (Strided::rows(&a, k).transposed(), Strided::rows(&b, n)),
        };
        product(sizes, a, b, black_box(&mut c));
    })
}

/// Measures them: a group a shape, so that what is compared stands beside each other.
pub fn products(criterion: &mut Criterion) {
    peers::check();
    let mut group = criterion.benchmark_group("products");
    for ((m, n, k), (form_name, form)) in
        SHAPES.into_iter().flat_map(|shape| FORMS.map(|form| (shape, form)))
    {
        group.throughput(Throughput::Elements(2 * m * n * k));
        let mut measure = |name: &str, make: &dyn Fn() -> Box<dyn FnMut()>| {
            // Made when it is measured, so that nothing is made which is filtered out.
            let mut run = None;
            let id = BenchmarkId::new(name, format!("{form_name} {m}x{n}x{k}"));
            group.bench_function(id, |bencher| bencher.iter(run.get_or_insert_with(make)));
        };
        measure("arenet", &|| ours(Isa::detect(), form, m, n, k));
        if Isa::detect() > Isa::Avx2 {
            measure("arenet avx2", &|| ours(Isa::Avx2, form, m, n, k));
        }
        for (name, product) in PEERS {
            measure(name, &|| theirs(product, form, m, n, k));
        }
    }
}
