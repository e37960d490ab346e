//! Sums of up to three hundred million terms, all of which lie in the same vector.
#![expect(unsafe_code, reason = "runs a kernel that is bound by hand")]

use arenet_runtime::arena::{Arena, Memory};
use arenet_runtime::kernel::Prepared;
use arenet_runtime::kernel::map::Region;
use arenet_runtime::kernel::place::{Extent, Part};
use arenet_runtime::kernel::reduce::Reduce;
use arenet_runtime::random::Draw;
use arenet_runtime::simd::{Isa, LANES, Simd, Task};

/// The sum of so many equal terms, all of which lie in the same vector.
struct Equal {
    terms: usize,
    value: f32,
}

impl Task for Equal {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let mut arena = Arena::new(4 * 2 * LANES).unwrap();
        arena.floats_mut(0, LANES).fill(self.value);
        let flat = Some(Extent::fixed(self.terms));
        let mut reduce =
            Reduce { region: Region { flat, ..Region::default() }, ..Reduce::default() };
        reduce.tail.result.offset = LANES;
        // SAFETY: the terms' vector and the result lie inside the arena, of which nobody else
        // knows.
        unsafe {
            Prepared::Reduce(reduce).run(s, Memory::new(&arena), 1, Part::WHOLE, Draw::default())
        };
        arena.floats(LANES, LANES + 1)[0]
    }
}

#[test]
fn a_sum_of_equal_terms_keeps_its_digits_up_to_a_hundred_million() {
    for terms in [1_000, 10_000, 100_001, 1_000_000, 10_000_000, 100_000_000] {
        for value in [0.1, -0.7, 1.0 / 3.0] {
            let sum = f64::from(Isa::detect().dispatch(Equal { terms, value }));
            let error = (sum / (f64::from(value) * terms as f64) - 1.0).abs();
            assert!(error <= 4e-7, "{terms} times {value}: off by {error:e}");
        }
    }
}

#[test]
fn a_count_does_not_stop_where_floats_end() {
    // A chain of ones in each of sixteen lanes would stop at 2^28.
    for terms in [9_999_999, 16_777_218, 300_000_000] {
        let sum = Isa::detect().dispatch(Equal { terms, value: 1.0 });
        assert_eq!(sum, terms as f32);
    }
}
