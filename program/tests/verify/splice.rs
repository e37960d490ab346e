//! Rows put together, whole numbers and places of the largest: what is accepted, and what refused.

use arenet_program::verify::verify;
use arenet_program::*;
use pretty_assertions::assert_eq;

use crate::refuse::{check, fresh};
use crate::sample::*;

fn add(p: &mut Program, kernel: Kernel) {
    p.routines[EntryPoint::Train].steps.push(step(kernel));
}

fn piece(x: BufferId, from: u64, len: u64) -> Piece {
    Piece { x: Some(x), from, len }
}

/// Fills a buffer of this layout, a row for each row of the batch, with pieces.
fn splice(p: &mut Program, y: Layout, pieces: Vec<Piece>) {
    let y = fresh(p, y);
    add(p, Kernel::Splice(Splice { groups: N, pieces, y }));
}

fn whole(p: &mut Program, index: Option<BufferId>, y: Layout) {
    let y = fresh(p, y);
    add(p, Kernel::Whole(Whole { index, y }));
}

fn argmax(p: &mut Program, x: BufferId, y: Layout) {
    let y = fresh(p, y);
    add(p, Kernel::Argmax(Argmax { x, y }));
}

#[test]
fn accepts_what_fits() {
    let accepts = |make: fn(&mut Program)| {
        let mut program = sample();
        make(&mut program);
        assert_eq!(verify(program.clone()).err(), None);
        assert_eq!(codec::decode(&codec::encode(&program)), Ok(program));
    };
    let zeros = |len| Piece { x: None, from: 0, len };
    accepts(|p| splice(p, Layout::matrix(N, 5), vec![piece(D_H, 0, 3), piece(D_LOGITS, 0, 2)]));
    accepts(|p| splice(p, Layout::matrix(N, 2), vec![piece(D_H, 1, 2)]));
    accepts(|p| splice(p, Layout::list(N), vec![piece(NORMS, 0, 1)]));
    accepts(|p| splice(p, Layout::matrix(N, 1), vec![piece(LOSSES, 0, 1)]));
    accepts(|p| {
        let rows = Rows { count: 3, batched: true };
        splice(p, Layout::matrix(rows, 1), vec![piece(D_H, 0, 3)]);
    });
    let mut program = sample();
    splice(&mut program, Layout::matrix(N, 4), vec![zeros(1), piece(D_H, 0, 3)]);
    assert_eq!(verify(program).err(), None);
    accepts(|p| whole(p, Some(CODE), Layout::matrix(N, 1)));
    accepts(|p| whole(p, None, Layout::matrix(fixed(1), 40)));
    accepts(|p| argmax(p, D_H, Layout::list(N)));
    accepts(|p| argmax(p, D_H, Layout::matrix(N, 1)));
}

#[test]
fn refuses_what_does_not_fit() {
    check(&[
        (
            |p| splice(p, Layout::matrix(N, 4), vec![piece(D_H, 0, 3)]),
            "train, step 13 (splice): fills 3 elements of a group that has 4",
        ),
        (
            |p| splice(p, Layout::matrix(N, 3), vec![piece(D_H, 1, 3)]),
            "train, step 13 (splice): takes 3 elements from 1 of a group that has 3",
        ),
        (
            |p| splice(p, Layout::matrix(N, 3), vec![piece(D_H, u64::MAX, 3)]),
            "train, step 13 (splice): takes 3 elements from 18446744073709551615 of a group that \
             has 3",
        ),
        (
            |p| splice(p, Layout::matrix(fixed(1), 3), vec![piece(D_H, 0, 3)]),
            "train, step 13 (splice): y is [1, 3], which is not 1N groups alike",
        ),
        (
            |p| splice(p, Layout::matrix(N, 3), vec![piece(B1, 0, 3)]),
            "train, step 13 (splice): x is [1, 3], which is not 1N groups alike",
        ),
        (
            |p| splice(p, Layout::Panels { rows: 3, cols: 1 }, vec![piece(D_H, 0, 3)]),
            "train, step 13 (splice): y must be in rows",
        ),
        (
            |p| {
                let y = fresh(p, Layout::matrix(N, 3));
                let groups = Rows { count: 0, batched: true };
                add(p, Kernel::Splice(Splice { groups, pieces: vec![piece(D_H, 0, 3)], y }));
            },
            "train, step 13 (splice): y is [N, 3], which is not 0N groups alike",
        ),
        (
            |p| whole(p, Some(D_H), Layout::matrix(N, 1)),
            "train, step 13 (whole): the index must be a buffer of i32, not of f32",
        ),
        (
            |p| whole(p, Some(CODE), Layout::matrix(N, 2)),
            "train, step 13 (whole): y is [N, 2], and must have one element a row",
        ),
        (
            |p| whole(p, None, Layout::matrix(N, 2)),
            "train, step 13 (whole): y is [N, 2], and must be one row",
        ),
        (
            |p| argmax(p, D_H, Layout::matrix(N, 2)),
            "train, step 13 (argmax): y must be a list of [N, 1]",
        ),
        (
            |p| argmax(p, SCORES, Layout::list(N)),
            "train, step 13 (argmax): x must be in rows of whole vectors",
        ),
    ]);
}

/// A class that does not count is stored as one more.
#[test]
fn an_ignored_class_has_an_index_of_its_own() {
    let ignoring = |ignored| {
        let mut program = sample();
        program.inputs[1].domain = Domain::RangeOr(0, 4, ignored);
        program
    };
    let found = |ignored| verify(ignoring(ignored)).err().map(|error| error.to_string());
    let domain = Domain::RangeOr(1, 4, -100);
    assert_eq!((domain.classes(), domain.indices()), (Some(3), Some(4)));
    assert_eq!([1, 3, -100].map(|class| domain.index(class)), [0, 2, 3]);
    assert_eq!([0.0, 1.0, 4.0, -100.0].map(|v| domain.contains(v)), [false, true, false, true]);
    assert_eq!(domain.to_string(), "1..4 and -100");
    assert_eq!(found(-100), None);
    let empty = "the domain of `code` is empty";
    assert_eq!(found(3), Some(empty.to_string()));
    assert_eq!(found(1 << 40), Some(empty.to_string()));
}
