//! Look-ups in tables and sums by indices: what of them is accepted, and what is refused.

use arenet_program::verify::verify;
use arenet_program::*;
use pretty_assertions::assert_eq;

use crate::refuse::{buffer, check, fresh};
use crate::sample::*;

/// Ends the training step with a look-up in a table of this layout, which is there.
fn gather(p: &mut Program, table: Layout, index: BufferId, y: BufferId) {
    let table = fresh(p, table);
    p.routines[EntryPoint::Train].steps.push(fill(table));
    p.routines[EntryPoint::Train].steps.push(step(Kernel::Gather(Gather { table, index, y })));
}

/// Ends the training step with sums of a layout.
fn scatter(p: &mut Program, x: BufferId, index: BufferId, sums: Layout) {
    let y = fresh(p, sums);
    p.routines[EntryPoint::Train].steps.push(step(Kernel::ScatterAdd(ScatterAdd { x, index, y })));
}

/// A matrix that does not depend on the batch.
fn table(rows: u64, cols: u64) -> Layout {
    Layout::matrix(fixed(rows), cols)
}

#[test]
fn accepts_tables_with_a_row_for_each_index() {
    let accepts = |make: fn(&mut Program)| {
        let mut program = sample();
        make(&mut program);
        assert_eq!(verify(program).err(), None);
    };
    accepts(|p| gather(p, table(2, 3), SPECIES, D_H));
    accepts(|p| gather(p, table(4, 3), CODE, D_H));
    accepts(|p| gather(p, Layout::Rows { rows: fixed(7), cols: 3, stride: 32 }, CODE, D_H));
    accepts(|p| scatter(p, D_H, CODE, table(4, 3)));
    accepts(|p| scatter(p, NORMS, CODE, table(9, 1)));
    accepts(|p| {
        // Two rows a row of the batch, with their indices in rows of two.
        let rows = Rows { count: 2, batched: true };
        let y = fresh(p, Layout::matrix(rows, 3));
        buffer(p, CODE).layout = Layout::matrix(N, 2);
        let (offset, bytes) = (p.arena_bytes, Layout::matrix(N, 2).bytes(BATCH).unwrap());
        buffer(p, CODE).offset = offset;
        p.arena_bytes += bytes;
        p.inputs[1].width = 2;
        gather(p, table(4, 3), CODE, y);
        scatter(p, y, CODE, table(4, 3));
    });
}

#[test]
fn refuses_indices_that_may_have_no_row() {
    check(&[
        (
            |p| gather(p, table(3, 3), CODE, D_H),
            "train, step 14 (gather): the index may be outside the 3 rows of the table",
        ),
        (
            |p| scatter(p, D_H, CODE, table(3, 3)),
            "train, step 13 (scatter_add): the index may be outside the 3 rows of the table",
        ),
        (
            |p| gather(p, Layout::matrix(N, 3), SPECIES, D_H),
            "train, step 14 (gather): the table may not have the batch as its rows",
        ),
        (
            |p| gather(p, table(4, 3), NORMS, D_H),
            "train, step 14 (gather): the index must be a buffer of i32, not of f32",
        ),
    ]);
}

#[test]
fn refuses_operands_that_do_not_fit() {
    check(&[
        (
            |p| gather(p, table(4, 2), CODE, D_H),
            "train, step 14 (gather): the rows of the table have 2 elements, and those of y 3",
        ),
        (
            |p| scatter(p, D_H, CODE, table(4, 5)),
            "train, step 13 (scatter_add): the rows of the table have 5 elements, and those of x 3",
        ),
        (
            |p| gather(p, Layout::Panels { rows: 4, cols: 3 }, CODE, D_H),
            "train, step 14 (gather): the table must be in rows of whole vectors",
        ),
        (
            |p| gather(p, table(4, 2), CODE, SCORES),
            "train, step 14 (gather): y must be in rows of whole vectors",
        ),
        (
            |p| {
                let rows = Rows { count: 2, batched: true };
                let y = fresh(p, Layout::matrix(rows, 3));
                gather(p, table(4, 3), CODE, y);
            },
            "train, step 14 (gather): the index must be a list of [2N, 1]",
        ),
        (
            |p| {
                gather(p, table(4, 3), CODE, D_H);
                let over = p.buffers.len() - 1;
                p.buffers[over].offset = p.buffers[D_H.0 as usize].offset;
            },
            "train, step 14 (gather): writes buffer 16 over 24, which it reads",
        ),
    ]);
}
