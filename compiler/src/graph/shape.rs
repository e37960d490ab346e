//! Shapes: an optional leading batch dimension `N`, then fixed sizes.
//!
//! `N` is symbolic: a shape says that there is one, the plan and the run say how many rows it has.

use arenet_program::MAX_ELEMENTS;
use std::fmt;
use std::ops::Deref;

/// The most dimensions a shape may have, the batch included.
pub const MAX_RANK: usize = 8;

/// The shape of a value, such as `[N, 28, 28]` or `[3]`; `[]` is a single number.
///
/// Every node has one, and there are many: sizes take seven bits a byte, the lowest first, and the
/// high bit says that there are more.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    batch: bool,
    len: u8,
    /// Each size after the batch, less 1; 0 behind the last.
    sizes: [u8; MAX_BYTES],
}

/// The most bytes that sizes take: one each, and one more for every seven bits of their product.
pub const MAX_BYTES: usize = MAX_RANK + MAX_ELEMENTS.ilog2() as usize / 7;

/// The fixed sizes of a shape, as a slice.
#[derive(Clone, Copy, Debug)]
pub struct Dims {
    len: usize,
    dims: [usize; MAX_RANK],
}

impl Deref for Dims {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.dims[..self.len]
    }
}

/// Why operands do not fit, as one plain sentence without a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError(pub String);

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ShapeError {}

impl Shape {
    /// The shape `[]` of a single number.
    pub const SCALAR: Shape = Shape { batch: false, len: 0, sizes: [0; MAX_BYTES] };

    /// Makes a shape of the batch, when `batch`, and the fixed sizes.
    pub fn new(batch: bool, dims: &[usize]) -> Result<Shape, ShapeError> {
        let rank = dims.len() + usize::from(batch);
        if rank > MAX_RANK {
            let message = format!("a shape has at most {MAX_RANK} dimensions, this one has {rank}");
            return Err(ShapeError(message));
        }
        if dims.contains(&0) {
            return Err(ShapeError("a dimension has at least size 1".into()));
        }
        let elements = dims.iter().try_fold(1u64, |n, &dim| n.checked_mul(dim as u64));
        if elements.is_none_or(|n| n > MAX_ELEMENTS) {
            let message = "a value has at most 2^40 elements, this shape has more";
            return Err(ShapeError(message.into()));
        }
        let mut shape = Shape { batch, len: dims.len() as u8, ..Shape::SCALAR };
        let mut at = 0;
        for &dim in dims {
            let mut rest = dim - 1;
            while rest > 0x7f {
                shape.sizes[at] = (rest & 0x7f) as u8 | 0x80;
                (rest, at) = (rest >> 7, at + 1);
            }
            shape.sizes[at] = rest as u8;
            at += 1;
        }
        Ok(shape)
    }

    /// A shape without batch whose sizes are known to be within the limits.
    pub fn fixed(dims: &[usize]) -> Shape {
        Shape::new(false, dims).expect("the sizes are within the limits")
    }

    /// A shape with batch whose sizes are known to be within the limits.
    pub fn batched(dims: &[usize]) -> Shape {
        Shape::new(true, dims).expect("the sizes are within the limits")
    }

    /// Whether the first dimension is `N`.
    pub fn batch(&self) -> bool {
        self.batch
    }

    /// The fixed sizes, without the batch.
    pub fn dims(&self) -> Dims {
        let mut dims = Dims { len: self.len as usize, dims: [1; MAX_RANK] };
        let (mut at, mut shift) = (0, 0);
        for &byte in self.sizes.iter() {
            if at == dims.len {
                break;
            }
            dims.dims[at] += usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                (at, shift) = (at + 1, 0);
            }
        }
        dims
    }

    /// The number of dimensions, the batch included.
    pub fn rank(&self) -> usize {
        self.len as usize + usize::from(self.batch)
    }

    /// The last fixed size: the length of a row.
    pub fn last(&self) -> Option<usize> {
        self.dims().last().copied()
    }

    /// Whether it is `[]`.
    pub fn is_scalar(&self) -> bool {
        self.rank() == 0
    }

    /// The product of the fixed sizes: the elements for each `N`.
    pub fn fixed_elements(&self) -> usize {
        self.dims().iter().product()
    }

    /// The product of all fixed sizes but the last: the rows for each `N`.
    pub fn rows_per_n(&self) -> usize {
        self.dims().split_last().map_or(1, |(_, rows)| rows.iter().product())
    }

    /// All elements when `N` is `batch`; `None` above the limit.
    pub fn elements(&self, batch: usize) -> Option<usize> {
        let n = if self.batch { batch } else { 1 };
        n.checked_mul(self.fixed_elements()).filter(|&n| n as u64 <= MAX_ELEMENTS)
    }

    /// All rows of length [`Shape::last`] when `N` is `batch`.
    pub fn rows(&self, batch: usize) -> usize {
        self.rows_per_n() * if self.batch { batch } else { 1 }
    }

    /// The shape with another last size.
    pub fn with_last(&self, last: usize) -> Result<Shape, ShapeError> {
        let Dims { len, mut dims } = self.dims();
        assert!(len > 0, "the shape has a last dimension");
        dims[len - 1] = last;
        Shape::new(self.batch, &dims[..len])
    }

    /// The shape without its last fixed size.
    pub fn without_last(&self) -> Shape {
        let dims = self.dims();
        let (_, rows) = dims.split_last().expect("the shape has a last dimension");
        Shape::new(self.batch, rows).expect("a part of a shape is within the limits")
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let batch = self.batch.then(|| "N".to_string());
        let dims: Vec<String> =
            batch.into_iter().chain(self.dims().iter().map(usize::to_string)).collect();
        write!(f, "[{}]", dims.join(", "))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
