//! The types, sizes and layouts of each kernel's operands.

use super::expr::{self, Order, Region, Role};
use super::table::Classes;
use super::{Buffers, has_vector_rows, is_dense, require, text};
use crate::{
    Buffer, BufferId, CrossEntropy, DType, Distribution, Expr, Gemm, Kernel, LANES, Layout, Load,
    ProgramError, Random, Reduce, Rows, Span,
};

/// Checks one kernel on its own.
pub(super) fn check(
    kernel: &Kernel,
    buffers: &Buffers,
    classes: &Classes,
) -> Result<(), ProgramError> {
    match kernel {
        Kernel::Gemm(gemm) => check_gemm(gemm, buffers),
        Kernel::ColumnSum { x, tail } => check_column_sum(*x, tail, buffers),
        Kernel::Map(expr) => check_map(expr, buffers),
        Kernel::Reduce(reduce) => check_reduce(reduce, buffers),
        Kernel::Softmax { x, y, .. } => check_softmax(*x, *y, buffers),
        Kernel::CrossEntropy(ce) => check_cross_entropy(ce, buffers, classes),
        Kernel::Correct { x, target, y } => {
            let (rows, cols) = matrix(*x, "x", buffers)?;
            check_target(*target, rows, cols, buffers, classes)?;
            check_list(*y, "y", rows, buffers)
        }
        Kernel::Random(random) => check_random(random, buffers),
    }
}

/// The size of a buffer of floats in rows of whole vectors.
fn matrix(id: BufferId, what: &str, buffers: &Buffers) -> Result<(Rows, u64), ProgramError> {
    let layout = buffers.float(id, what)?;
    require!(has_vector_rows(layout), "{what} must be in rows of whole vectors");
    Ok(layout.shape())
}

/// The size of x, a buffer of floats in rows of whole vectors, or in up to `most` columns.
fn rows_or_columns(x: BufferId, most: u64, buffers: &Buffers) -> Result<(Rows, u64), ProgramError> {
    match buffers.float(x, "x")? {
        Layout::Columns { rows, cols, .. } => {
            require!(cols <= most, "x is in {cols} columns, more than {most}");
            Ok((rows, cols))
        }
        _ => matrix(x, "x", buffers),
    }
}

fn check_gemm(gemm: &Gemm, buffers: &Buffers) -> Result<(), ProgramError> {
    let a = buffers.float(gemm.a, "A")?;
    require!(!matches!(a, Layout::Panels { .. }), "A must be in rows, not in panels");
    let (a_rows, a_cols) = a.shape();
    let (m, k) = if gemm.a_transposed {
        (Rows::fixed(a_cols), a_rows)
    } else {
        (a_rows, Rows::fixed(a_cols))
    };

    let b = check_vector_operand(gemm, buffers)?;
    let (b_rows, b_cols) = b.shape();
    let (b_k, n) = if gemm.b_transposed {
        require!(!b_rows.batched, "a transposed B may not have the batch as its rows");
        (Rows::fixed(b_cols), b_rows.count)
    } else {
        (b_rows, b_cols)
    };
    require!(
        k == b_k,
        "A is {}{} and B is {}{}: their inner sizes differ",
        text((a_rows, a_cols)),
        if gemm.a_transposed { " transposed" } else { "" },
        text((b_rows, b_cols)),
        if gemm.b_transposed { " transposed" } else { "" }
    );
    if let Some(bias) = gemm.bias {
        let found = matrix(bias, "the bias", buffers)?;
        require!(found == (Rows::fixed(1), n), "the bias is {}, and must be [1, {n}]", text(found));
    }
    let order = match first_store(&gemm.tail, buffers)? {
        Layout::Columns { .. } => {
            // Computed as Cᵀ = op(B)ᵀ Aᵀ: the vectors are A's, and B is broadcast.
            let vectors = has_vector_rows(a) || matches!(a, Layout::Columns { .. });
            require!(
                vectors && !gemm.a_transposed,
                "for a result in columns, A must be in columns or in rows of whole vectors, and \
                 not transposed"
            );
            // Its inner size is A's columns, so it does not depend on the batch.
            let narrow = buffers.get(gemm.b)?.dtype.is_narrow();
            require!(!narrow, "a result in columns is not for a narrow B");
            let strided = !matches!(b, Layout::Panels { cols, .. } if cols > LANES);
            require!(strided, "for a result in columns, B must be in a single panel or in rows");
            Order::Columns
        }
        _ => Order::VectorsOrPanels,
    };
    expr::check(&gemm.tail, Region { rows: m, cols: n, order }, Role::Tail, buffers)?;
    match &gemm.column_sums {
        Some(tail) => check_product_sums(gemm, tail, n, buffers),
        None => Ok(()),
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

fn check_column_sum(x: BufferId, tail: &Expr, buffers: &Buffers) -> Result<(), ProgramError> {
    let (_, cols) = rows_or_columns(x, u64::MAX, buffers)?;
    let region = Region { rows: Rows::fixed(1), cols, order: Order::Vectors };
    expr::check(tail, region, Role::Tail, buffers)
}

/// The layout of the first store, which is the region of a map.
fn first_store(expr: &Expr, buffers: &Buffers) -> Result<Layout, ProgramError> {
    let Some(&(_, id)) = expr.stores.first() else {
        return Err(ProgramError::new("its expression stores nothing"));
    };
    buffers.float(id, "store 0")
}

fn check_map(expr: &Expr, buffers: &Buffers) -> Result<(), ProgramError> {
    let layout = first_store(expr, buffers)?;
    expr::check(expr, Region::of(layout), Role::Map, buffers)
}

fn check_reduce(reduce: &Reduce, buffers: &Buffers) -> Result<(), ProgramError> {
    let over = buffers.float(reduce.over, "what it sums over")?;
    expr::check(&reduce.body, Region::of(over), Role::Body, buffers)?;
    let sums = match reduce.span {
        Span::Row => {
            let (rows, _) = matrix(reduce.over, "what it sums over", buffers)?;
            let store = first_store(&reduce.tail, buffers)?;
            // Each sum is stored as a whole vector.
            require!(
                store == Layout::matrix(rows, 1),
                "store 0 is {}, and must be one vector a row of {}",
                text(store.shape()),
                text((rows, 1))
            );
            store
        }
        Span::All => Layout::scalar(),
    };
    expr::check(&reduce.tail, Region::of(sums), Role::Tail, buffers)
}

fn check_softmax(x: BufferId, y: BufferId, buffers: &Buffers) -> Result<(), ProgramError> {
    rows_or_columns(x, LANES, buffers)?;
    require!(buffers.float(y, "y")? == buffers.float(x, "x")?, "x and y differ in layout");
    Ok(())
}

fn check_cross_entropy(
    ce: &CrossEntropy,
    buffers: &Buffers,
    classes: &Classes,
) -> Result<(), ProgramError> {
    let (rows, cols) = rows_or_columns(ce.x, LANES, buffers)?;
    let columns = matches!(buffers.float(ce.x, "x")?, Layout::Columns { .. });
    check_target(ce.target, rows, cols, buffers, classes)?;
    require!(ce.loss.is_some() || ce.grad.is_some(), "neither the loss nor the gradient is asked");
    if let Some(loss) = ce.loss {
        check_list(loss, "the loss", rows, buffers)?;
    }
    let lists = [Some(ce.target), ce.loss, ce.grad.map(|(_, scale)| scale)];
    for id in lists.into_iter().flatten().filter(|_| columns) {
        let layout = buffers.get(id)?.layout;
        require!(
            is_dense(layout) || layout == Layout::scalar(),
            "beside logits in columns, a list must lie without gaps"
        );
    }
    if let Some((grad, scale)) = ce.grad {
        let like_x = buffers.float(grad, "the gradient")? == buffers.float(ce.x, "x")?;
        require!(like_x, "x and the gradient differ in layout");
        let scale = buffers.float(scale, "the scale")?;
        require!(
            scale == Layout::scalar() || is_list(scale, rows),
            "the scale is {}, and must be one number or a list of {}",
            text(scale.shape()),
            text((rows, 1))
        );
    }
    Ok(())
}

/// Whether a layout has one element for each of `rows`, in rows of its own.
fn is_list(layout: Layout, rows: Rows) -> bool {
    let Layout::Rows { rows: own, cols, .. } = layout else { return false };
    own.batched == rows.batched && own.count.checked_mul(cols) == Some(rows.count)
}

/// Checks a list of one float for each row.
fn check_list(id: BufferId, what: &str, rows: Rows, b: &Buffers) -> Result<(), ProgramError> {
    let layout = b.float(id, what)?;
    require!(is_list(layout, rows), "{what} must be a list of {}", text((rows, 1)));
    Ok(())
}

/// Checks a list of one class index for each row. The indices are data, so they are trusted only
/// where they come from a port that admits no others.
fn check_target(
    id: BufferId,
    rows: Rows,
    cols: u64,
    buffers: &Buffers,
    classes: &Classes,
) -> Result<(), ProgramError> {
    let target = buffers.get(id)?;
    let dtype = target.dtype.name();
    require!(target.dtype == DType::I32, "the target must be a buffer of i32, not of {dtype}");
    require!(is_list(target.layout, rows), "the target must be a list of {}", text((rows, 1)));
    let within = classes.get(&id).is_some_and(|&count| count <= cols);
    require!(within, "the target may be outside the {cols} classes");
    Ok(())
}

fn check_random(random: &Random, buffers: &Buffers) -> Result<(), ProgramError> {
    buffers.float(random.y, "y")?;
    let finite = match random.distribution {
        Distribution::Constant(value) => value.is_finite(),
        Distribution::Uniform(low, high) => low.is_finite() && high.is_finite(),
        Distribution::Normal(mean, deviation) => mean.is_finite() && deviation.is_finite(),
    };
    require!(finite, "{:?} is not finite", random.distribution);
    Ok(())
}
