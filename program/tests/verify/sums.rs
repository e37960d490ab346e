//! Sums of columns beside a product: what verification refuses, and with which sentence.

use arenet_program::*;

use crate::refuse::{buffer, check, fresh, gemm, tail};
use crate::sample::*;

/// What the training step's one product that sums columns does with the sums.
fn sums(p: &mut Program) -> &mut Expr {
    gemm(p, 8).column_sums.as_mut().unwrap()
}

#[test]
fn refuses_bad_sums_of_columns_beside_a_product() {
    check(&[
        (
            |p| gemm(p, 12).column_sums = Some(keep(B2)),
            "train, step 12 (gemm): columns are summed beside a product whose A is not transposed",
        ),
        (
            |p| sums(p).stores[0].1 = B2,
            "train, step 8 (gemm): store 0 is [1, 2], and does not have the layout of its region \
             [1, 3]",
        ),
        (
            |p| {
                let panel = fresh(p, Layout::Panels { rows: 1, cols: 3 });
                sums(p).stores[0].1 = panel;
            },
            "train, step 8 (gemm): store 0 is [1, 3], and does not have the layout of its region \
             [1, 3]",
        ),
        (|p| sums(p).stores.clear(), "train, step 8 (gemm): its expression stores nothing"),
        (
            |p| sums(p).stores[0].1 = SPECIES,
            "train, step 8 (gemm): store 0 must be a buffer of f32, not of i32",
        ),
        (
            |p| sums(p).loads[0].buffer = BufferId(99),
            "train, step 8 (gemm): there is no buffer 99 among the 24 buffers",
        ),
        // What the product's expression and that of the sums write and read.
        (
            |p| tail(p, 8).loads.push(load(B1, Spread::Row)),
            "train, step 8 (gemm): writes buffer 4 over 4, which its other tail reads",
        ),
        (
            |p| {
                let row = fresh(p, Layout::matrix(fixed(1), 3));
                buffer(p, row).offset = buffer(p, W1).offset;
                sums(p).loads.push(full(row));
            },
            "train, step 8 (gemm): writes buffer 3 over 24, which its other tail reads",
        ),
        (
            |p| {
                let row = fresh(p, Layout::matrix(fixed(1), 3));
                gemm(p, 8).a = NORMS;
                *tail(p, 8) = keep(row);
                *sums(p) = keep(row);
            },
            "train, step 8 (gemm): writes buffers 24 and 24, which overlap",
        ),
        (
            |p| {
                let row = fresh(p, Layout::matrix(fixed(1), 3));
                buffer(p, row).offset = buffer(p, D_H).offset;
                sums(p).stores[0].1 = row;
            },
            "train, step 8 (gemm): writes buffer 24 over 16, which it reads",
        ),
    ]);
}
