//! Shapes, and how they meet.

use arenet_compiler::graph::Shape;
use arenet_compiler::graph::shape::MAX_BYTES;
use arenet_compiler::layer::common_shape;
use pretty_assertions::assert_eq;

#[test]
fn prints_as_the_text_is_written() {
    assert_eq!(Shape::batched(&[4]).to_string(), "[N, 4]");
    assert_eq!(Shape::batched(&[]).to_string(), "[N]");
    assert_eq!(Shape::fixed(&[3]).to_string(), "[3]");
    assert_eq!(Shape::SCALAR.to_string(), "[]");
}

#[test]
fn counts_rows_and_elements() {
    let shape = Shape::batched(&[2, 3, 5]);
    assert_eq!((shape.rank(), shape.last(), shape.rows_per_n()), (4, Some(5), 6));
    assert_eq!((shape.rows(7), shape.elements(7)), (42, Some(210)));
    assert_eq!(Shape::batched(&[]).elements(7), Some(7));
    assert_eq!(Shape::SCALAR.elements(7), Some(1));
    assert_eq!(Shape::batched(&[1 << 20]).elements(1 << 21), None);
}

#[test]
fn holds_any_sizes_within_the_limits() {
    let all = [
        vec![1 << 40],
        vec![(1 << 40) - 1],
        vec![1, 1, 1, 1, 1, 1, 1, 1 << 40],
        vec![129, 129, 129, 129, 129, 1, 1, 29],
        vec![127, 129, 128, 1, 16_385],
        vec![16_384, 16_385, 1, 128, 29],
        vec![1; 8],
    ];
    for dims in all {
        assert_eq!(Shape::fixed(&dims).dims().to_vec(), dims);
    }
    assert_ne!(Shape::fixed(&[2, 1]), Shape::fixed(&[2]));
    assert_eq!(size_of::<Shape>(), 2 + MAX_BYTES);
}

#[test]
fn refuses_what_is_beyond_the_limits() {
    let message = |batch, dims: &[usize]| Shape::new(batch, dims).unwrap_err().0;
    assert_eq!(message(true, &[1; 8]), "a shape has at most 8 dimensions, this one has 9");
    assert_eq!(message(false, &[3, 0]), "a dimension has at least size 1");
    let huge = "a value has at most 2^40 elements, this shape has more";
    assert_eq!(message(false, &[1 << 20, 1 << 20, 2]), huge);
    assert_eq!(message(false, &[usize::MAX, usize::MAX]), huge);
}

#[test]
fn shapes_meet_as_in_numpy() {
    let (n, f) = (Shape::batched, Shape::fixed);
    let meet = |a, b| common_shape(&a, &b).map_err(|problem| problem.message);
    assert_eq!(meet(n(&[4]), n(&[4])), Ok(n(&[4])));
    assert_eq!(meet(n(&[4]), f(&[4])), Ok(n(&[4])));
    assert_eq!(meet(f(&[]), n(&[2, 4])), Ok(n(&[2, 4])));
    assert_eq!(meet(n(&[1]), f(&[4])), Ok(n(&[4])));
    assert_eq!(meet(f(&[1, 1, 4]), n(&[3, 1])), Ok(n(&[3, 4])));
    assert_eq!(meet(f(&[4, 1]), f(&[3])), Ok(f(&[4, 3])));
    let refused = |a: &str, b: &str| Err(format!("the shapes {a} and {b} do not fit together"));
    assert_eq!(meet(n(&[4]), n(&[3])), refused("[N, 4]", "[N, 3]"));
    assert_eq!(meet(n(&[]), n(&[1])), refused("[N]", "[N, 1]"));
    assert_eq!(meet(n(&[]), f(&[4, 1])), refused("[N]", "[4, 1]"));
}
