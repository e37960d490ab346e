//! Products with sums of up to ten million terms, all of which lie in the same place: no batch of
//! that length is needed to see how many digits they keep.
#![expect(unsafe_code, reason = "runs a kernel that is bound by hand")]

use arenet_runtime::arena::{Arena, Memory};
use arenet_runtime::kernel::Prepared;
use arenet_runtime::kernel::gemm::{Gemm, Operand};
use arenet_runtime::kernel::place::{Extent, Part, Place};
use arenet_runtime::kernel::sum::{Chains, TILE_FLOATS};
use arenet_runtime::random::Draw;
use arenet_runtime::simd::{Isa, LANES, Simd, Task};

/// Where the operands lie, in floats: a vector each, and the last with room for some rows.
const A: usize = LANES;
const B: usize = 2 * LANES;
const C: usize = 3 * LANES;
const ROOM: usize = 16 * LANES;
const END: usize = ROOM + 3 * TILE_FLOATS;

/// C = op(A) op(B) with `k` terms, all of them `a` times the same vector of equal elements `b`.
struct Product {
    rows: usize,
    b_transposed: bool,
    chains: Chains,
    k: usize,
    a: f32,
    b: f32,
}

impl Product {
    /// The elements of C, which are all equal.
    fn value(self, isa: Isa) -> f32 {
        isa.dispatch(self)
    }
}

impl Task for Product {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let mut arena = Arena::new(4 * END).unwrap();
        arena.floats_mut(A, B).fill(self.a);
        arena.floats_mut(B, C).fill(self.b);
        let place = |offset| Operand { offset, row: 0, column: 0 };
        let mut gemm = Gemm {
            a: place(A),
            b: place(B),
            a_transposed: true,
            b_transposed: self.b_transposed,
            totals: ROOM,
            chains: self.chains,
            m: Extent::fixed(self.rows),
            n: Extent::fixed(LANES),
            k: Extent::fixed(self.k),
            ..Gemm::default()
        };
        gemm.code.result = Place::spread(C, LANES, LANES);
        // SAFETY: the operands, C and the room for a tile's sums lie inside the arena, of which
        // nobody else knows.
        unsafe {
            Prepared::Gemm(gemm).run(s, Memory::new(&arena), 1, Part::WHOLE, Draw::default())
        };
        let c = arena.floats(C, C + self.rows * LANES);
        assert!(c.iter().all(|x| x.to_bits() == c[0].to_bits()));
        c[0]
    }
}

#[test]
fn a_sum_of_equal_terms_keeps_its_digits_up_to_ten_million() {
    // The sums of columns as a product with ones, and with the columns transposed; the gradient of
    // a weight by the same kernels; and a layer as wide.
    let kinds = [
        (1, false, Chains::COLUMN, 6e-7),
        (1, true, Chains::COLUMN, 6e-7),
        (3, true, Chains::OVER_ROWS, 1e-6),
        (5, false, Chains::OVER_ROWS, 1e-6),
        (5, false, Chains::ALONG_ROWS, 1e-6),
    ];
    for (rows, b_transposed, chains, tolerance) in kinds {
        let a = if chains == Chains::COLUMN { 1.0 } else { 0.1 };
        let check = |k: usize, b: f32| {
            let product = || Product { rows, b_transposed, chains, k, a, b };
            let value = product().value(Isa::detect());
            let exact = f64::from(a) * f64::from(b) * k as f64;
            let error = (f64::from(value) / exact - 1.0).abs();
            assert!(error <= tolerance, "{rows} rows, {k} terms of {b}: off by {error:e}");
            if k <= 100_000 {
                for isa in Isa::available() {
                    assert_eq!(product().value(isa).to_bits(), value.to_bits(), "{isa}");
                }
            }
        };
        for k in [10_000, 100_000, 1_000_000, 10_000_000] {
            check(k, 0.1);
        }
        // How each addition rounds is a matter of the terms' digits.
        for i in 0..100 {
            check(10_000 + i, 1.0 + (i as f32) * 0.01);
        }
    }
}

#[test]
fn a_count_does_not_stop_where_floats_end() {
    for (rows, b_transposed) in [(1, false), (1, true), (5, false)] {
        // Beyond 2^24 a chain of ones stays what it is.
        for k in [(1 << 24) - 1, (1 << 24) + 2, 20_000_000] {
            let chains = if rows == 1 { Chains::COLUMN } else { Chains::OVER_ROWS };
            let product = Product { rows, b_transposed, chains, k, a: 1.0, b: 1.0 };
            assert_eq!(product.value(Isa::detect()), k as f32);
        }
    }
}

#[test]
fn an_infinite_sum_is_infinite() {
    for (b_transposed, b) in [(false, f32::INFINITY), (true, f32::NEG_INFINITY), (false, 1e38)] {
        let chains = Chains::OVER_ROWS;
        let product = Product { rows: 2, b_transposed, chains, k: 1_000, a: 1.0, b };
        assert_eq!(product.value(Isa::detect()), f32::INFINITY.copysign(b));
    }
}
