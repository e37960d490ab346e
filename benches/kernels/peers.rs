//! Matrix products by other crates, single-threaded, over matrices stored by rows.
#![expect(unsafe_code, reason = "calls other crates with pointers")]

/// C = A B for an m x k and a k x n matrix.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

/// A matrix with the distances between its rows and between its columns: those exchanged are the
/// transposed one.
#[derive(Clone, Copy)]
pub struct Strided<'a> {
    pub values: &'a [f32],
    pub row: isize,
    pub column: isize,
}

impl<'a> Strided<'a> {
    /// Rows of so many columns, one after the other.
    pub fn rows(values: &'a [f32], columns: usize) -> Strided<'a> {
        Strided { values, row: columns as isize, column: 1 }
    }

    /// With rows and columns exchanged.
    pub fn transposed(self) -> Strided<'a> {
        Strided { row: self.column, column: self.row, ..self }
    }
}

/// C = A B by one of the peers.
pub type Product = fn(Sizes, Strided, Strided, &mut [f32]);

/// Every peer by name.
pub const PEERS: [(&str, Product); 2] = [("gemm", by_gemm), ("matrixmultiply", by_matrixmultiply)];

fn assert_sizes(Sizes { m, n, k }: Sizes, a: Strided, b: Strided, c: &[f32]) {
    assert!(a.values.len() == m * k && b.values.len() == k * n && c.len() == m * n);
}

fn by_gemm(sizes: Sizes, a: Strided, b: Strided, c: &mut [f32]) {
    assert_sizes(sizes, a, b, c);
    let Sizes { m, n, k } = sizes;
    let (a_at, b_at, c_at) = (a.values.as_ptr(), b.values.as_ptr(), c.as_mut_ptr());
    // Its kernels want a result by columns, so it is asked for Cᵀ = Bᵀ Aᵀ, as `gemm::gemm` does.
    // SAFETY: all three hold as many values as their sizes say, and a strided matrix is all of a
    // slice by rows or by columns.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            n,
            m,
            k,
            c_at,
            n as isize,
            1,
            false,
            b_at,
            b.row,
            b.column,
            a_at,
            a.row,
            a.column,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

fn by_matrixmultiply(sizes: Sizes, a: Strided, b: Strided, c: &mut [f32]) {
    assert_sizes(sizes, a, b, c);
    let Sizes { m, n, k } = sizes;
    let (a_at, b_at, c_at) = (a.values.as_ptr(), b.values.as_ptr(), c.as_mut_ptr());
    // SAFETY: as above.
    unsafe {
        matrixmultiply::sgemm(
            m, k, n, 1.0, a_at, a.row, a.column, b_at, b.row, b.column, 0.0, c_at, n as isize, 1,
        );
    }
}

/// Panics unless every peer gives the product that the definition gives.
pub fn check() {
    let sizes = Sizes { m: 2, n: 3, k: 4 };
    let a: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let b: Vec<f32> = (0..12).map(|i| (i % 5) as f32).collect();
    for (name, product) in PEERS {
        // A is 2 x 4 by rows; B is 4 x 3, held as its transpose.
        let mut c = vec![f32::NAN; 6];
        product(sizes, Strided::rows(&a, 4), Strided::rows(&b, 4).transposed(), &mut c);
        for (row, column) in (0..2).flat_map(|row| (0..3).map(move |column| (row, column))) {
            let sum: f32 = (0..4).map(|i| a[4 * row + i] * b[4 * column + i]).sum();
            assert_eq!(c[3 * row + column], sum, "{name} at {row}, {column}");
        }
    }
}
