//! How the values of a matrix, in the order in which they come, lie in a buffer of any layout.

use crate::program::Layout;

/// The order in which the values of a matrix come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Row after row.
    Rows,
    /// Column after column, as they come of a matrix that is turned.
    Columns,
}

/// Values of one row or column that lie at even distances.
pub struct Stretch<'a> {
    /// The values.
    pub values: &'a [f32],
    /// The place of the first, in elements from the start of the buffer.
    pub start: usize,
    /// From one to the next.
    pub step: usize,
    /// The column of the first.
    pub col: usize,
    /// Whether the others are in the columns after it, not in the same.
    pub across: bool,
}

/// The stretches of values that come in this order, of a matrix of so many rows and columns, the
/// first of them after `first` others.
pub fn stretches(
    layout: Layout,
    (rows, cols): (usize, usize),
    order: Order,
    first: usize,
    values: &[f32],
) -> impl Iterator<Item = Stretch<'_>> {
    let across = order == Order::Rows;
    let steps = layout.steps();
    let (length, axis) = if across { (cols, steps.cols) } else { (rows, steps.rows) };
    let (mut at, mut rest) = (first, values);
    std::iter::from_fn(move || {
        let (line, along) = (at.checked_div(length)?, at.checked_rem(length)?);
        let (row, col) = if across { (line, along) } else { (along, line) };
        let most = (length - along).min(axis.left(along as u64) as usize);
        let (values, others) = rest.split_at(rest.len().min(most));
        at += values.len();
        rest = others;
        let start = layout.position(row as u64, col as u64);
        let step = axis.step as usize;
        (!values.is_empty()).then_some(Stretch { values, start, step, col, across })
    })
}
