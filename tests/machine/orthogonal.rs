//! Orthogonal initial values: columns, or the fewer rows, at right angles and of one length, and
//! the same bits in every layout, on every instruction set and with any threads.

use crate::common::draft::{Draft, Form, bits, read};
use arenet_runtime::program::{Distribution, Kernel, Random, StreamId};
use arenet_runtime::random::Stream;

const STREAM: Stream = Stream { seed: 0, stream: StreamId(5) };

/// What a matrix of this size is with every layout and instruction set.
fn values(rows: usize, cols: usize, gain: f32) -> Vec<f32> {
    let mut found: Option<Vec<f32>> = None;
    for form in [Form::Rows, Form::Panels] {
        let mut draft = Draft::new(8, 8);
        let y = draft.result(form, Some(rows), cols);
        let distribution = Distribution::Orthogonal(gain);
        let kernel = Kernel::Random(Random { y, distribution, stream: STREAM.stream });
        draft.run(&[kernel], |executor, how| {
            let values = read(executor, y, 8);
            let first = found.get_or_insert_with(|| values.clone());
            assert!(bits(first) == bits(&values), "{rows} x {cols} in {form:?}, {how}");
        });
    }
    found.unwrap()
}

/// The sum of products of two vectors, by their elements.
fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Q with the positive diagonal of R is unique. (torch.nn.init.orthogonal_ turns the signs of what
/// LAPACK finds until they are.)
#[test]
fn it_is_the_decomposition_of_normal_numbers() {
    for (rows, cols) in [
        (1, 1),
        (1, 5),
        (6, 1),
        (16, 16),
        (17, 3),
        (3, 40),
        (40, 33),
        (200, 64),
        (64, 200),
        (130, 130),
    ] {
        for gain in [1.0, 1.5] {
            let values = values(rows, cols, gain);
            // Its vectors, and those of the normal numbers that it is made of.
            let (count, len) = (rows.min(cols), rows.max(cols));
            let vectors = |of: &dyn Fn(usize) -> f64| -> Vec<Vec<f64>> {
                let at = |i: usize, k: usize| if rows < cols { i * cols + k } else { k * cols + i };
                (0..count).map(|i| (0..len).map(|k| of(at(i, k))).collect()).collect()
            };
            let q = vectors(&|at| f64::from(values[at] / gain));
            let normal = vectors(&|at| f64::from(STREAM.normal(0, at as u64)));
            for i in 0..count {
                for j in 0..=i {
                    let error = (product(&q[i], &q[j]) - f64::from(u8::from(i == j))).abs();
                    assert!(error < 1e-6, "{rows} x {cols}: {i} and {j} are off by {error}");
                    let below = product(&q[i], &normal[j]);
                    let fits = if i == j { below > 0.0 } else { below.abs() < 1e-4 };
                    assert!(fits, "{rows} x {cols}: R at {j}, {i} is {below}");
                }
            }
        }
    }
}
