//! What verification lets through.

use arenet_program::verify::verify;
use arenet_program::*;
use pretty_assertions::assert_eq;

use crate::sample::*;

#[test]
fn accepts_the_sample() {
    let program = sample();
    assert_eq!(verify(program.clone()).map(|verified| verified.program().clone()), Ok(program));
}

/// Checks that a kernel may follow the sample's training step. It reads new buffers of the layouts
/// `sources` and writes new ones of the layouts `results`.
fn check(
    sources: &[Layout],
    results: &[Layout],
    kernel: impl FnOnce(&[BufferId], &[BufferId]) -> Kernel,
) {
    let mut program = sample();
    let mut add = |&layout: &Layout| {
        let offset = program.arena_bytes;
        program.arena_bytes += layout.bytes(program.batch).unwrap();
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        BufferId(program.buffers.len() as u32 - 1)
    };
    let sources: Vec<BufferId> = sources.iter().map(&mut add).collect();
    let results: Vec<BufferId> = results.iter().map(&mut add).collect();
    for &source in &sources {
        program.routines[EntryPoint::Train].steps.push(fill(source));
    }
    program.routines[EntryPoint::Train].steps.push(step(kernel(&sources, &results)));
    assert_eq!(verify(program).err(), None);
}

fn gemm(a: BufferId, b: BufferId, tail: Expr) -> Gemm {
    let (bias, column_sums) = (None, None);
    Gemm { a, a_transposed: false, b, b_transposed: false, bias, tail, column_sums }
}

#[test]
fn accepts_products_in_any_layout() {
    let wide = Layout::Rows { rows: N, cols: 3, stride: 32 };
    check(&[], &[wide], |_, y| Kernel::Gemm(gemm(X, W1, keep(y[0]))));
    check(&[], &[Layout::matrix(fixed(3), 2)], |_, y| {
        Kernel::Gemm(Gemm { a_transposed: true, ..gemm(X, D_LOGITS, keep(y[0])) })
    });
    check(&[], &[Layout::matrix(fixed(1), 3)], |_, y| {
        Kernel::Gemm(Gemm { a_transposed: true, ..gemm(NORMS, X, keep(y[0])) })
    });
    let rows = [Layout::matrix(fixed(1), 3), Layout::matrix(fixed(1), 3)];
    check(&[], &rows, |_, y| {
        let column_sums = Some(keep(y[1]));
        Kernel::Gemm(Gemm { a_transposed: true, column_sums, ..gemm(NORMS, X, keep(y[0])) })
    });
    let both = [Layout::Panels { rows: 5, cols: 3 }, Layout::matrix(fixed(5), 3)];
    check(&[Layout::matrix(fixed(3), 5)], &both, |x, y| {
        let stores = vec![(Value::Result, y[0]), (Value::Result, y[1])];
        let tail = Expr { stores, ..Expr::default() };
        Kernel::Gemm(Gemm { a_transposed: true, b_transposed: true, ..gemm(x[0], W1, tail) })
    });
    let sums = [Layout::Panels { rows: 5, cols: 3 }, Layout::matrix(fixed(1), 3)];
    check(&[Layout::matrix(fixed(3), 5)], &sums, |x, y| {
        let column_sums = Some(keep(y[1]));
        let product = Gemm { a_transposed: true, column_sums, ..gemm(x[0], W1, keep(y[0])) };
        Kernel::Gemm(Gemm { b_transposed: true, ..product })
    });
    check(&[], &[Layout::matrix(N, 3)], |_, y| {
        let loads = vec![load(B1, Spread::Row), load(NORMS, Spread::Column), full(D_H)];
        Kernel::Gemm(gemm(X, W1, Expr { loads, ..keep(y[0]) }))
    });
}

#[test]
fn accepts_maps_and_sums_of_any_layout() {
    let first = |x, y| Expr { loads: vec![x], stores: vec![(Value::Load(0), y)], ..keep(y) };
    check(&[], &[], |_, _| {
        let scaled = first(full(W1), W1);
        let loads = vec![full(W1), load(RATE, Spread::Scalar)];
        Kernel::Map(Expr { loads, ..scaled })
    });
    check(&[], &[], |_, _| Kernel::Map(first(full(LOSSES), LOSSES)));
    let body = |x| Expr { loads: vec![full(x)], ..Expr::default() };
    check(&[], &[Layout::scalar()], |_, y| {
        let (body, tail) = (body(W1), keep(y[0]));
        Kernel::Reduce(Reduce { body, over: W1, span: Span::All, tail })
    });
    check(&[], &[Layout::matrix(N, 1)], |_, y| {
        let (body, tail) = (body(H), keep(y[0]));
        Kernel::Reduce(Reduce { body, over: H, span: Span::Row, tail })
    });
}

#[test]
fn accepts_cross_entropy_in_place() {
    check(&[Layout::matrix(N, 2), Layout::list(N)], &[], |x, _| {
        let grad = Some((x[0], x[1]));
        Kernel::CrossEntropy(CrossEntropy { x: x[0], target: SPECIES, loss: None, grad })
    });
}

#[test]
fn accepts_a_net_that_only_predicts() {
    let mut program = sample();
    program.routines[EntryPoint::Eval] = Routine::default();
    program.routines[EntryPoint::Train] = Routine::default();
    (program.training, program.loss) = (None, None);
    program.metrics.clear();
    program.terms.clear();
    program.scalars.clear();
    assert_eq!(verify(program).err(), None);
}

#[test]
fn accepts_ten_thousand_steps() {
    let mut program = sample();
    program.routines[EntryPoint::Train].steps.extend((0..10_000).map(|_| copy(H, D_H)));
    assert_eq!(verify(program).err(), None);
}
