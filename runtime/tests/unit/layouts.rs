//! Where the values of a matrix lie in a buffer of any layout.

use arenet_runtime::exec::stretch::{Order, stretches};
use arenet_runtime::exec::values::rows_of;
use arenet_runtime::program::{Layout, Rows};

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

#[test]
fn a_range_is_split_at_the_ends_of_rows() {
    let rows = |range, cols| rows_of(range, cols).collect::<Vec<_>>();
    assert_eq!(rows(0..6, 3), [(0, 0..3), (1, 0..3)]);
    assert_eq!(rows(2..8, 3), [(0, 2..3), (1, 0..3), (2, 0..2)]);
    assert_eq!(rows(4..5, 3), [(1, 1..2)]);
    assert_eq!(rows(5..5, 3), []);
    assert_eq!(rows(0..0, 0), []);
}
