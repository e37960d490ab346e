//! A matrix product with what follows it on each finished tile.

use super::{Access, Division, Follows, Kind};
use crate::error::require;
use crate::layout::size_text;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes, has_vector_rows};
use crate::verify::expr::{self, Order, Region, Role};
use crate::verify::operand::{first_store, matrix};
use crate::{Buffer, BufferId, Expr, LANES, Layout, Load, ProgramError, Rows};

/// C = op(A) op(B) + bias, each element a chain of fused multiply-adds over ascending k that starts
/// from the bias. A sum of more than 4,096 terms, or of more than 256 where A is transposed and k
/// runs over rows, is chains of 256 terms, each but the first from zero, and these are added by the
/// summation of Kahan. Where C lies in columns, its transpose is computed: the vectors then run
/// along A's columns, and B is broadcast.
///
/// B may be a weight of bf16, which is widened exactly, or of i8: then each row of A is rounded to
/// 8-bit integers, q = round(a 127 / max |a|) to the nearest even, their products are summed
/// exactly, and C = Σ q b × (max |a| / 127 × scale of the column) + bias, a multiply-add.
#[derive(Clone, Debug, PartialEq)]
pub struct Gemm {
    /// The broadcast operand.
    pub a: BufferId,
    /// Read A with rows and columns exchanged.
    pub a_transposed: bool,
    /// The vector operand; neither operand may be transposed where it is narrow.
    pub b: BufferId,
    /// Read B with rows and columns exchanged, through `scratch`.
    pub b_transposed: bool,
    /// One row, the start of every sum.
    pub bias: Option<BufferId>,
    /// What is done with each finished tile; `Value::Result` is the product.
    pub tail: Expr,
    /// What is done with the one row of the sums of op(B)'s columns, where they are computed too;
    /// `Value::Result` is a sum. Its order and that of `tail` are not for a program to rely on.
    pub column_sums: Option<Expr>,
}

impl Kind for Gemm {
    fn name(&self) -> &'static str {
        "gemm"
    }

    fn access(&self) -> Access {
        let mut access = Access::default();
        access.gathers.extend([self.a, self.b]);
        access.gathers.extend(self.bias);
        access.expr(&self.tail);
        // Either expression may run first, so nothing that the tail writes may lie where the other
        // one reads.
        if let Some(sums) = &self.column_sums {
            let mut own = Access::default();
            own.expr(sums);
            let (streams, gathers): (Vec<_>, Vec<_>) =
                own.streams.into_iter().partition(|read| own.writes.contains(read));
            access.streams.extend(streams);
            access.gathers.extend(own.gathers.into_iter().chain(gathers));
            access.writes.extend(own.writes);
        }
        access
    }

    fn expressions(&self) -> Vec<(&Expr, Follows)> {
        let tails = [Some(&self.tail), self.column_sums.as_ref()];
        tails.into_iter().flatten().map(|tail| (tail, Follows::Padded)).collect()
    }

    fn over(&self) -> BufferId {
        self.tail.stores[0].1
    }

    fn size(&self, size: &dyn Fn(BufferId) -> (u64, u64)) -> Vec<u64> {
        let (a, b) = (size(self.a), size(self.b));
        let (m, k) = if self.a_transposed { (a.1, a.0) } else { a };
        let n = if self.b_transposed { b.0 } else { b.1 };
        vec![m, n, k]
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.over()), parts: true }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let mark = |transposed| if transposed { "ᵀ" } else { "" };
        let b = format!("{}{}", names.of(self.b), mark(self.b_transposed));
        let bias = self.bias.map_or(String::new(), |bias| format!(" + {}", names.of(bias)));
        let product = format!("{}{} @ {b}{bias}", names.of(self.a), mark(self.a_transposed));
        let mut lines = names.expr(&self.tail, &product).0;
        let sums = self.column_sums.iter();
        lines.extend(sums.flat_map(|tail| names.expr(tail, &format!("sum_rows({b})")).0));
        lines
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let a = buffers.float(self.a, "A")?;
        require!(!matches!(a, Layout::Panels { .. }), "A must be in rows, not in panels");
        let (a_rows, a_cols) = a.shape();
        let (m, k) = if self.a_transposed {
            (Rows::fixed(a_cols), a_rows)
        } else {
            (a_rows, Rows::fixed(a_cols))
        };

        let b = check_vector_operand(self, buffers)?;
        let (b_rows, b_cols) = b.shape();
        let (b_k, n) = if self.b_transposed {
            require!(!b_rows.batched, "a transposed B may not have the batch as its rows");
            (Rows::fixed(b_cols), b_rows.count)
        } else {
            (b_rows, b_cols)
        };
        require!(
            k == b_k,
            "A is {}{} and B is {}{}: their inner sizes differ",
            size_text((a_rows, a_cols)),
            if self.a_transposed { " transposed" } else { "" },
            size_text((b_rows, b_cols)),
            if self.b_transposed { " transposed" } else { "" }
        );
        if let Some(bias) = self.bias {
            let found = matrix(bias, "the bias", buffers)?;
            require!(
                found == (Rows::fixed(1), n),
                "the bias is {}, and must be [1, {n}]",
                size_text(found)
            );
        }
        let order = match first_store(&self.tail, buffers)? {
            Layout::Columns { .. } => {
                // Computed as Cᵀ = op(B)ᵀ Aᵀ: the vectors are A's, and B is broadcast.
                let vectors = has_vector_rows(a) || matches!(a, Layout::Columns { .. });
                require!(
                    vectors && !self.a_transposed,
                    "for a result in columns, A must be in columns or in rows of whole vectors, \
                     and not transposed"
                );
                // Its inner size is A's columns, so it does not depend on the batch.
                let narrow = buffers.get(self.b)?.dtype.is_narrow();
                require!(!narrow, "a result in columns is not for a narrow B");
                let strided = !matches!(b, Layout::Panels { cols, .. } if cols > LANES);
                require!(
                    strided,
                    "for a result in columns, B must be in a single panel or in rows"
                );
                Order::Columns
            }
            _ => Order::VectorsOrPanels,
        };
        expr::check(&self.tail, Region { rows: m, cols: n, order }, Role::Tail, buffers)?;
        match &self.column_sums {
            Some(tail) => check_product_sums(self, tail, n, buffers),
            None => Ok(()),
        }
    }
}

/// Checks the sums of the columns of a product's vector operand.
fn check_product_sums(
    gemm: &Gemm,
    sums: &Expr,
    cols: u64,
    buffers: &Buffers,
) -> Result<(), ProgramError> {
    // Then B is of floats, and the vector operand of a result in rows or panels.
    require!(gemm.a_transposed, "columns are summed beside a product whose A is not transposed");
    let region = Region { rows: Rows::fixed(1), cols, order: Order::Vectors };
    expr::check(sums, region, Role::Tail, buffers)?;
    // The one may have written all its results when the other begins to read, or none.
    for (loads, stores) in [(&gemm.tail.loads, &sums.stores), (&sums.loads, &gemm.tail.stores)] {
        for &Load { buffer: read, .. } in loads {
            for &(_, write) in stores {
                let apart = !buffers.extent(read).overlaps(buffers.extent(write));
                let (read, write) = (read.0, write.0);
                require!(apart, "writes buffer {write} over {read}, which its other tail reads");
            }
        }
    }
    Ok(())
}

/// The layout of a product's vector operand, which may be a narrow weight.
fn check_vector_operand(gemm: &Gemm, buffers: &Buffers) -> Result<Layout, ProgramError> {
    let Buffer { layout, dtype, .. } = *buffers.get(gemm.b)?;
    if dtype.is_narrow() {
        let plain = !gemm.a_transposed && !gemm.b_transposed;
        require!(plain, "an operand is transposed, which it may not be where B is narrow");
        let a = buffers.float(gemm.a, "A")?;
        require!(matches!(a, Layout::Rows { .. }), "A must be in rows where B is narrow");
        return Ok(layout);
    }
    let b = buffers.float(gemm.b, "B")?;
    let vectors = has_vector_rows(b) || !matches!(b, Layout::Rows { .. });
    require!(vectors, "B must be in panels or in rows of whole vectors");
    Ok(b)
}
