//! How the values of a matrix, in the order in which they come, lie in a buffer of any layout.

use crate::program::Layout;

/// The order in which the values of a matrix come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Row after row.
    Rows,
    /// Column after column, as they come of a matrix that is turned.
    Columns,
}

/// Values of one row or column that lie at even distances.
pub(super) struct Stretch<'a> {
    /// The values.
    pub(super) values: &'a [f32],
    /// The place of the first, in elements from the start of the buffer.
    pub(super) start: usize,
    /// From one to the next.
    pub(super) step: usize,
    /// The column of the first.
    pub(super) col: usize,
    /// Whether the others are in the columns after it, not in the same.
    pub(super) across: bool,
}

/// The stretches of values that come in this order, of a matrix of so many rows and columns, the
/// first of them after `first` others.
pub(super) fn stretches(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Rows;

    /// Every value is where its layout says, whatever the order and wherever a piece begins.
    #[test]
    fn values_lie_where_the_layout_says() {
        let (rows, cols) = (7, 37);
        let list = Rows { count: rows, batched: false };
        let layouts = [
            Layout::matrix(list, cols),
            Layout::columns(list, cols, 1).unwrap(),
            Layout::Panels { rows, cols },
            Layout::Quads { rows, cols },
        ];
        let size = (rows as usize, cols as usize);
        let count = size.0 * size.1;
        let values: Vec<f32> = (0..count).map(|i| i as f32).collect();
        for (layout, order) in layouts
            .into_iter()
            .flat_map(|layout| [Order::Rows, Order::Columns].map(|order| (layout, order)))
        {
            for first in [0, 1, 30, 36, 37, count - 1] {
                let mut next = first;
                for stretch in stretches(layout, size, order, first, &values[first..]) {
                    for (index, value) in stretch.values.iter().enumerate() {
                        assert_eq!(*value, next as f32);
                        let (row, col) = match order {
                            Order::Rows => (next / size.1, next % size.1),
                            Order::Columns => (next % size.0, next / size.0),
                        };
                        let at = stretch.start + index * stretch.step;
                        assert_eq!(at, layout.position(row as u64, col as u64), "{layout:?}");
                        assert_eq!(stretch.col + index * usize::from(stretch.across), col);
                        next += 1;
                    }
                }
                assert_eq!(next, count, "{layout:?} {order:?} {first}");
            }
        }
    }
}
