//! Buffers in columns: what verification lets through, and what it refuses with which sentence.

use arenet_program::verify::verify;
use arenet_program::*;
use pretty_assertions::assert_eq;

use crate::refuse::{check, cross_entropy, fresh, gemm, kernel, reduce, set_layout, tail};
use crate::sample::*;

/// The step of the sample's training whose result is in columns.
const PRODUCT: usize = 12;

/// Columns of the sample's batch.
fn columns(cols: u64) -> Layout {
    Layout::columns(N, cols, BATCH).unwrap()
}

/// A new buffer in columns, written before training's last step.
fn filled(p: &mut Program, cols: u64) -> BufferId {
    let buffer = fresh(p, columns(cols));
    let last = p.routines[EntryPoint::Train].steps.len() - 1;
    p.routines[EntryPoint::Train].steps.insert(last, fill(buffer));
    buffer
}

/// Puts a kernel in place of training's last step.
fn end_with(p: &mut Program, kernel: Kernel) {
    p.routines[EntryPoint::Train].steps.last_mut().unwrap().kernel = kernel;
}

fn product(a: BufferId, b: BufferId, y: BufferId) -> Gemm {
    let (bias, tail, column_sums) = (None, keep(y), None);
    Gemm { a, a_transposed: false, b, b_transposed: false, bias, tail, column_sums }
}

#[test]
fn a_column_holds_a_full_batch_in_whole_vectors() {
    let stride = |batch| match Layout::columns(N, 3, batch) {
        Some(Layout::Columns { stride, .. }) => stride,
        other => panic!("{other:?}"),
    };
    // Up to the next multiple of 16, but to none of 256, which would crowd few sets of the cache.
    let cases = [(1, 16), (16, 16), (17, 32), (240, 240), (241, 272), (256, 272), (512, 528)];
    assert_eq!(cases.map(|(batch, _)| stride(batch)), cases.map(|(_, stride)| stride));
    let double = Rows { count: 2, batched: true };
    assert_eq!(
        Layout::columns(double, 3, 20),
        Some(Layout::Columns { rows: double, cols: 3, stride: 48 })
    );
    assert_eq!(Layout::columns(N, 3, u64::MAX), None);
    assert_eq!(Layout::columns(double, 3, 1 << 63), None);
    // Fewer rows take as much: the columns stay where they are.
    assert_eq!([1, 4, 16].map(|n| columns(3).elements(n)), [Some(48); 3]);
    assert_eq!((columns(3).size(2), columns(3).position(1, 2)), (Some((2, 3)), 33));
}

#[test]
fn refuses_bad_columns() {
    check(&[
        (|p| set_layout(p, SCORES, columns(0)), "buffer 23 has no elements"),
        (
            |p| {
                let rows = Rows { count: 0, batched: true };
                set_layout(p, SCORES, Layout::Columns { rows, cols: 2, stride: 16 });
            },
            "buffer 23 has no elements",
        ),
        (
            |p| set_layout(p, SCORES, Layout::Columns { rows: fixed(4), cols: 2, stride: 16 }),
            "buffer 23 is in columns, which are for the rows of a batch",
        ),
        (
            |p| set_layout(p, SCORES, Layout::Columns { rows: N, cols: 2, stride: 12 }),
            "buffer 23 has columns at a stride of 12, which must be a multiple of 16 that holds \
             the rows of a full batch",
        ),
        (
            |p| set_layout(p, SCORES, Layout::Columns { rows: N, cols: 2, stride: 0 }),
            "buffer 23 has columns at a stride of 0, which must be a multiple of 16 that holds \
             the rows of a full batch",
        ),
        (
            |p| {
                let rows = Rows { count: 5, batched: true };
                set_layout(p, SCORES, Layout::Columns { rows, cols: 2, stride: 16 });
            },
            "buffer 23 has columns at a stride of 16, which must be a multiple of 16 that holds \
             the rows of a full batch",
        ),
        (
            |p| {
                let rows = Rows { count: u64::MAX, batched: true };
                set_layout(p, SCORES, Layout::Columns { rows, cols: 2, stride: 16 });
            },
            "buffer 23 has columns at a stride of 16, which must be a multiple of 16 that holds \
             the rows of a full batch",
        ),
        (
            |p| set_layout(p, SCORES, Layout::Columns { rows: N, cols: u64::MAX, stride: 16 }),
            "buffer 23 has more than 2^40 elements",
        ),
        (
            |p| set_layout(p, SCORES, columns(3)),
            "buffer 23 starts at byte 3200 and ends beyond the arena of 3328 bytes",
        ),
    ]);
}

#[test]
fn refuses_products_that_columns_cannot_hold() {
    check(&[
        (
            |p| {
                let (a, b) = (X, D_LOGITS);
                gemm(p, PRODUCT).a_transposed = true;
                (gemm(p, PRODUCT).a, gemm(p, PRODUCT).b) = (a, b);
            },
            "train, step 12 (gemm): for a result in columns, A must be in columns or in rows of \
             whole vectors, and not transposed",
        ),
        (
            |p| (gemm(p, PRODUCT).a, gemm(p, PRODUCT).b) = (LOSSES, B2),
            "train, step 12 (gemm): for a result in columns, A must be in columns or in rows of \
             whole vectors, and not transposed",
        ),
        (
            |p| {
                let b = fresh(p, Layout::Panels { rows: 3, cols: 17 });
                *gemm(p, PRODUCT) = product(H, b, SCORES);
            },
            "train, step 12 (gemm): for a result in columns, B must be in a single panel or in \
             rows",
        ),
        (
            |p| *gemm(p, PRODUCT) = product(H, W1, SCORES),
            "train, step 12 (gemm): store 0 is [N, 2], and does not have the layout of its \
             region [N, 3]",
        ),
        (
            // The rows of one operand of the tail, and the columns of the other.
            |p| tail(p, PRODUCT).loads.push(full(D_LOGITS)),
            "train, step 12 (gemm): load 0 is [N, 2], and does not have the layout of all of its \
             region [N, 2]",
        ),
        (
            |p| tail(p, PRODUCT).stores.push((Value::Result, PROBS)),
            "train, step 12 (gemm): store 1 is [N, 2], and does not have the layout of its \
             region [N, 2]",
        ),
        (
            |p| tail(p, PRODUCT).loads.push(load(NORMS, Spread::Column)),
            "train, step 12 (gemm): load 0 is [N, 1], and does not have the layout of one column \
             of its region [N, 2]",
        ),
        (
            |p| {
                let b = filled(p, 2);
                end_with(p, Kernel::Gemm(product(H, b, SCORES)));
            },
            "train, step 13 (gemm): A is [N, 3] and B is [N, 2]: their inner sizes differ",
        ),
        (
            |p| {
                let b = filled(p, 3);
                let gemm = Gemm { b_transposed: true, ..product(H, b, SCORES) };
                end_with(p, Kernel::Gemm(gemm));
            },
            "train, step 13 (gemm): a transposed B may not have the batch as its rows",
        ),
    ]);
}

#[test]
fn refuses_kernels_that_cannot_read_columns() {
    check(&[
        (
            |p| {
                let x = filled(p, 17);
                end_with(p, Kernel::Softmax(Softmax { x, y: x, log: false }));
            },
            "train, step 13 (softmax): x is in 17 columns, more than 16",
        ),
        (
            |p| {
                let x = filled(p, 2);
                end_with(p, Kernel::Softmax(Softmax { x, y: PROBS, log: true }));
            },
            "train, step 13 (log_softmax): x and y differ in layout",
        ),
        (
            |p| cross_entropy(p).x = filled(p, 17),
            "train, step 3 (cross_entropy): x is in 17 columns, more than 16",
        ),
        (
            |p| {
                let ce = CrossEntropy { x: SCORES, ..cross_entropy(p).clone() };
                end_with(p, Kernel::CrossEntropy(ce));
            },
            "train, step 12 (cross_entropy): x and the gradient differ in layout",
        ),
        (
            |p| {
                let loss = Some(NORMS);
                let ce = CrossEntropy { x: SCORES, target: SPECIES, loss, grad: None };
                end_with(p, Kernel::CrossEntropy(ce));
            },
            "train, step 12 (cross_entropy): beside logits in columns, a list must lie without \
             gaps",
        ),
        (
            |p| {
                let grad = Some((SCORES, NORMS));
                let ce = CrossEntropy { x: SCORES, target: SPECIES, loss: None, grad };
                end_with(p, Kernel::CrossEntropy(ce));
            },
            "train, step 12 (cross_entropy): beside logits in columns, a list must lie without \
             gaps",
        ),
        (
            |p| {
                set_layout(p, SPECIES, Layout::matrix(N, 1));
                p.buffers[SPECIES.0 as usize].offset = p.arena_bytes;
                p.arena_bytes += Layout::matrix(N, 1).bytes(BATCH).unwrap();
                let loss = Some(LOSSES);
                let ce = CrossEntropy { x: SCORES, target: SPECIES, loss, grad: None };
                end_with(p, Kernel::CrossEntropy(ce));
            },
            "train, step 12 (cross_entropy): beside logits in columns, a list must lie without \
             gaps",
        ),
        (
            |p| {
                let (target, y) = (SPECIES, CORRECT);
                end_with(p, Kernel::Correct(Correct { x: SCORES, target, y }));
            },
            "train, step 12 (correct): x must be in rows of whole vectors",
        ),
        (
            |p| {
                reduce(p, 10).body.loads[0].buffer = SCORES;
                reduce(p, 10).over = SCORES;
            },
            "train, step 10 (reduce): what it sums over must be in rows of whole vectors",
        ),
        (
            |p| {
                let loads = vec![load(NORMS, Spread::Column)];
                let stores = vec![(Value::Load(0), SCORES)];
                *kernel(p, PRODUCT) = Kernel::Map(Expr { loads, stores, ..Expr::default() });
            },
            "train, step 12 (map): load 0 is [N, 1], and does not have the layout of one column \
             of its region [N, 2]",
        ),
        (
            |p| {
                // Expressions alone run over the buffers from end to end.
                let x = fresh(p, Layout::Columns { rows: N, cols: 2, stride: 32 });
                let stores = vec![(Value::Load(0), SCORES)];
                end_with(p, Kernel::Map(Expr { loads: vec![full(x)], stores, ..Expr::default() }));
            },
            "train, step 12 (map): load 0 is [N, 2], and does not have the layout of all of its \
             region [N, 2]",
        ),
        (
            |p| p.inputs[0].buffer = SCORES,
            "input `x` has 3 elements a row, but its buffer is [N, 2]",
        ),
        (
            |p| p.outputs[0].buffer = W2,
            "output `probs` must have a number of rows for each row of the batch",
        ),
    ]);
}

/// Checks that a kernel may end the sample's training, given new buffers of so many columns, all of
/// them written before.
fn accept<const COUNT: usize>(
    cols: [u64; COUNT],
    kernel: impl FnOnce(&mut Program, [BufferId; COUNT]) -> Kernel,
) {
    let mut program = sample();
    program.routines[EntryPoint::Train].steps.push(fill(SCORES));
    let buffers = cols.map(|cols| filled(&mut program, cols));
    let kernel = kernel(&mut program, buffers);
    end_with(&mut program, kernel);
    assert_eq!(verify(program).err(), None);
}

#[test]
fn accepts_columns_wherever_they_can_be_read() {
    accept([3], |_, [a]| Kernel::Gemm(product(a, W2, SCORES)));
    accept([3], |_, [a]| Kernel::Gemm(product(a, W2, PROBS)));
    accept([3, 3], |_, [y, d]| {
        let loads = vec![load(B1, Spread::Row), load(LOSSES, Spread::Column), full(d)];
        let tail = Expr { loads, ..keep(y) };
        Kernel::Gemm(Gemm { b_transposed: true, tail, ..product(D_LOGITS, W2, y) })
    });
    accept([3, 2], |p, [x, z]| {
        let y = fresh(p, Layout::Panels { rows: 3, cols: 2 });
        let column_sums = Some(keep(fresh(p, Layout::matrix(fixed(1), 2))));
        Kernel::Gemm(Gemm { a_transposed: true, column_sums, ..product(x, z, y) })
    });
    accept([17], |p, [x]| {
        let tail = keep(fresh(p, Layout::matrix(fixed(1), 17)));
        Kernel::ColumnSum(ColumnSum { x, tail })
    });
    accept([3], |p, [x]| {
        let (span, tail) = (Span::All, keep(fresh(p, Layout::scalar())));
        let body = Expr { loads: vec![full(x), load(B1, Spread::Row)], ..Expr::default() };
        Kernel::Reduce(Reduce { body, over: x, span, tail })
    });
    accept([16], |_, [x]| Kernel::Softmax(Softmax { x, y: x, log: true }));
    accept([16, 16], |_, [x, y]| {
        let grad = Some((y, INVERSE));
        Kernel::CrossEntropy(CrossEntropy { x, target: SPECIES, loss: Some(LOSSES), grad })
    });
    // One element a row is a list, whichever way it lies.
    accept([1, 2], |_, [list, y]| {
        let loads = vec![load(list, Spread::Column)];
        Kernel::Map(Expr { loads, stores: vec![(Value::Load(0), y)], ..Expr::default() })
    });
}

#[test]
fn accepts_ports_in_columns() {
    let mut program = sample();
    for id in [X, PROBS] {
        let (_, cols) = program.buffers[id.0 as usize].layout.size(BATCH).unwrap();
        set_layout(&mut program, id, columns(cols));
    }
    // The logits are read where they lie, the probabilities are a copy.
    let softmax = |step: &mut Step| {
        if matches!(step.kernel, Kernel::Softmax(_)) {
            step.kernel = Kernel::Gemm(product(H, W2, PROBS));
        }
    };
    for entry in [EntryPoint::Predict, EntryPoint::Eval] {
        program.routines[entry].steps.iter_mut().for_each(softmax);
    }
    assert_eq!(verify(program).err(), None);
}
