//! The lanes as two 256-bit registers: AVX2 and FMA.

use core::arch::x86_64::*;

use super::{LANES, Simd, Widening, intrinsics};

/// Proof that the machine has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// Two registers that hold 16 floats, lanes 0 to 7 first.
type F = (__m256, __m256);
/// Two registers that hold 16 integers, lanes 0 to 7 first.
type I = (__m256i, __m256i);

impl Simd for Avx2 {
    type F = F;
    type I = I;
    /// All bits of a true lane are set.
    type M = F;
    type Vnni = Widening;
    const NAME: &'static str = "avx2";
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;
    const UNROLLS: bool = true;

    #[inline(always)]
    fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        found.then_some(Avx2(()))
    }

    #[inline(always)]
    fn vnni(self) -> Option<Widening> {
        None
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        fn compiled<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: `self` is the proof that the machine has the features.
        unsafe { compiled(f) }
    }

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> F {
        // SAFETY: the caller gives 16 readable floats, and `self` proves AVX.
        unsafe { (_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))) }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, a: F) {
        // SAFETY: the caller gives 16 writable floats, and `self` proves AVX.
        unsafe {
            _mm256_storeu_ps(p, a.0);
            _mm256_storeu_ps(p.add(8), a.1);
        }
    }

    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: a hint, which no address makes fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }

    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> F {
        let m = self.to_bits(self.first(n));
        // SAFETY: the caller gives n readable floats, the lanes beyond are masked and never
        // touched, and `self` proves AVX.
        unsafe { (_mm256_maskload_ps(p, m.0), _mm256_maskload_ps(p.wrapping_add(8), m.1)) }
    }

    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, a: F, n: usize) {
        let m = self.to_bits(self.first(n));
        // SAFETY: the caller gives n writable floats, the lanes beyond are masked and never
        // touched, and `self` proves AVX.
        unsafe {
            _mm256_maskstore_ps(p, m.0, a.0);
            _mm256_maskstore_ps(p.wrapping_add(8), m.1, a.1);
        }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, p: *const u16) -> F {
        // SAFETY: the caller gives 16 readable bfloat16, and `self` proves AVX2.
        let halves = unsafe {
            let (low, high) = (_mm_loadu_si128(p.cast()), _mm_loadu_si128(p.add(8).cast()));
            (_mm256_cvtepu16_epi32(low), _mm256_cvtepu16_epi32(high))
        };
        self.from_bits(self.shl::<16>(halves))
    }

    #[inline(always)]
    unsafe fn store_bytes(self, p: *mut u8, a: I) {
        // SAFETY: the caller gives 16 writable bytes, and `self` proves AVX2. With the other bytes
        // cleared, neither of the two packings has anything to saturate; the first works on halves
        // of 128 bits, which the permutation puts back in order.
        unsafe {
            let low = _mm256_set1_epi32(0xff);
            let (a, b) = (_mm256_and_si256(a.0, low), _mm256_and_si256(a.1, low));
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(a, b));
            let (first, second) =
                (_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(p.cast(), _mm_packus_epi16(first, second));
        }
    }

    #[inline(always)]
    fn to_array(self, a: F) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: `lanes` has 16 floats.
        unsafe { self.store(lanes.as_mut_ptr(), a) };
        lanes
    }

    #[inline(always)]
    fn from_array(self, a: [f32; LANES]) -> F {
        // SAFETY: `a` has 16 floats.
        unsafe { self.load(a.as_ptr()) }
    }

    intrinsics! {
        fn splat(x: f32) -> F = (_mm256_set1_ps(x), _mm256_set1_ps(x));
        fn add(a: F, b: F) -> F = (_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1));
        fn sub(a: F, b: F) -> F = (_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1));
        fn mul(a: F, b: F) -> F = (_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1));
        fn div(a: F, b: F) -> F = (_mm256_div_ps(a.0, b.0), _mm256_div_ps(a.1, b.1));
        fn mul_add(a: F, b: F, c: F) -> F =
            (_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1));
        fn neg_mul_add(a: F, b: F, c: F) -> F =
            (_mm256_fnmadd_ps(a.0, b.0, c.0), _mm256_fnmadd_ps(a.1, b.1, c.1));
        fn sqrt(a: F) -> F = (_mm256_sqrt_ps(a.0), _mm256_sqrt_ps(a.1));
        fn max(a: F, b: F) -> F = (_mm256_max_ps(a.0, b.0), _mm256_max_ps(a.1, b.1));
        fn min(a: F, b: F) -> F = (_mm256_min_ps(a.0, b.0), _mm256_min_ps(a.1, b.1));

        fn gt(a: F, b: F) -> F =
            (_mm256_cmp_ps::<_CMP_GT_OQ>(a.0, b.0), _mm256_cmp_ps::<_CMP_GT_OQ>(a.1, b.1));
        fn ge(a: F, b: F) -> F =
            (_mm256_cmp_ps::<_CMP_GE_OQ>(a.0, b.0), _mm256_cmp_ps::<_CMP_GE_OQ>(a.1, b.1));
        fn eq(a: F, b: F) -> F =
            (_mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0), _mm256_cmp_ps::<_CMP_EQ_OQ>(a.1, b.1));
        fn select(m: F, a: F, b: F) -> F =
            (_mm256_blendv_ps(b.0, a.0, m.0), _mm256_blendv_ps(b.1, a.1, m.1));

        fn to_bits(a: F) -> I = (_mm256_castps_si256(a.0), _mm256_castps_si256(a.1));
        fn from_bits(a: I) -> F = (_mm256_castsi256_ps(a.0), _mm256_castsi256_ps(a.1));
        fn splat_int(x: i32) -> I = (_mm256_set1_epi32(x), _mm256_set1_epi32(x));
        fn add_int(a: I, b: I) -> I = (_mm256_add_epi32(a.0, b.0), _mm256_add_epi32(a.1, b.1));
        fn sub_int(a: I, b: I) -> I = (_mm256_sub_epi32(a.0, b.0), _mm256_sub_epi32(a.1, b.1));
        fn and(a: I, b: I) -> I = (_mm256_and_si256(a.0, b.0), _mm256_and_si256(a.1, b.1));
        fn or(a: I, b: I) -> I = (_mm256_or_si256(a.0, b.0), _mm256_or_si256(a.1, b.1));
        fn xor(a: I, b: I) -> I = (_mm256_xor_si256(a.0, b.0), _mm256_xor_si256(a.1, b.1));
        fn dot(sum: I, a: I, b: I) -> I = (dot(sum.0, a.0, b.0), dot(sum.1, a.1, b.1));
        fn mul_even(a: I, b: I) -> I = (_mm256_mul_epu32(a.0, b.0), _mm256_mul_epu32(a.1, b.1));
        fn odd_to_even(a: I) -> I = (_mm256_srli_epi64::<32>(a.0), _mm256_srli_epi64::<32>(a.1));
        fn evens(a: I, b: I) -> I = (evens(a.0, b.0), evens(a.1, b.1));
        fn odds(a: I, b: I) -> I = (odds(a.0, b.0), odds(a.1, b.1));
        fn int_to_float(a: I) -> F = (_mm256_cvtepi32_ps(a.0), _mm256_cvtepi32_ps(a.1));

        fn sum(a: F) -> f32 = sum_of_8(_mm256_add_ps(a.0, a.1));
        fn largest(a: F) -> f32 = largest_of_8(_mm256_max_ps(a.0, a.1));
    }

    #[inline(always)]
    fn abs(self, a: F) -> F {
        self.from_bits(self.and(self.to_bits(a), self.splat_int(i32::MAX)))
    }

    #[inline(always)]
    fn neg(self, a: F) -> F {
        self.from_bits(self.xor(self.to_bits(a), self.splat_int(i32::MIN)))
    }

    #[inline(always)]
    fn first(self, n: usize) -> F {
        // SAFETY: `self` is the proof that the machine has AVX2; no memory is touched.
        let m = unsafe {
            let n = _mm256_set1_epi32(n as i32);
            let low = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let high = _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15);
            (_mm256_cmpgt_epi32(n, low), _mm256_cmpgt_epi32(n, high))
        };
        self.from_bits(m)
    }

    // The forms that take the count in a register: a const u32 cannot become a const i32. The
    // compiler turns them into those with an immediate.
    #[inline(always)]
    fn shl<const N: u32>(self, a: I) -> I {
        // SAFETY: `self` is the proof that the machine has AVX2; no memory is touched.
        unsafe {
            let n = _mm_cvtsi32_si128(N as i32);
            (_mm256_sll_epi32(a.0, n), _mm256_sll_epi32(a.1, n))
        }
    }

    #[inline(always)]
    fn shr<const N: u32>(self, a: I) -> I {
        // SAFETY: `self` is the proof that the machine has AVX2; no memory is touched.
        unsafe {
            let n = _mm_cvtsi32_si128(N as i32);
            (_mm256_srl_epi32(a.0, n), _mm256_srl_epi32(a.1, n))
        }
    }

    #[inline(always)]
    fn sar<const N: u32>(self, a: I) -> I {
        // SAFETY: `self` is the proof that the machine has AVX2; no memory is touched.
        unsafe {
            let n = _mm_cvtsi32_si128(N as i32);
            (_mm256_sra_epi32(a.0, n), _mm256_sra_epi32(a.1, n))
        }
    }

    #[inline(always)]
    fn transpose(self, rows: &mut [F; LANES]) {
        // Four blocks of 8 x 8: each is transposed, and the two off the diagonal change places.
        let block = |first: usize, high: bool| -> [__m256; 8] {
            let row = |i: usize| if high { rows[first + i].1 } else { rows[first + i].0 };
            // SAFETY: `self` is the proof that the machine has AVX.
            unsafe { transpose_8x8(std::array::from_fn(row)) }
        };
        let (top_left, top_right) = (block(0, false), block(0, true));
        let (bottom_left, bottom_right) = (block(8, false), block(8, true));
        for i in 0..8 {
            rows[i] = (top_left[i], bottom_left[i]);
            rows[8 + i] = (top_right[i], bottom_right[i]);
        }
    }
}

/// sum + Σ a b over the four bytes of each lane: the bytes at even and at odd places are widened to
/// 16 bits, so that no sum of two products can saturate.
#[inline]
#[target_feature(enable = "avx2")]
fn dot(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    let even_a = _mm256_and_si256(a, _mm256_set1_epi16(0xff));
    let even_b = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b));
    let (odd_a, odd_b) = (_mm256_srli_epi16::<8>(a), _mm256_srai_epi16::<8>(b));
    let (even, odd) = (_mm256_madd_epi16(even_a, even_b), _mm256_madd_epi16(odd_a, odd_b));
    _mm256_add_epi32(sum, _mm256_add_epi32(even, odd))
}

/// Of every four lanes, the first and third of both.
#[inline]
#[target_feature(enable = "avx2")]
fn evens(a: __m256i, b: __m256i) -> __m256i {
    let (a, b) = (_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
    _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(a, b))
}

/// Of every four lanes, the second and fourth of both.
#[inline]
#[target_feature(enable = "avx2")]
fn odds(a: __m256i, b: __m256i) -> __m256i {
    let (a, b) = (_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
    _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(a, b))
}

/// The sum of 8 lanes: lane i + lane i+4, then +2, +1.
#[inline]
#[target_feature(enable = "avx")]
pub(super) fn sum_of_8(a: __m256) -> f32 {
    let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
    let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)))
}

/// The largest of 8 lanes by the same tree.
#[inline]
#[target_feature(enable = "avx")]
pub(super) fn largest_of_8(a: __m256) -> f32 {
    let a = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
    let a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)))
}

/// The transpose of an 8 x 8 block held as its rows.
#[inline]
#[target_feature(enable = "avx")]
fn transpose_8x8(rows: [__m256; 8]) -> [__m256; 8] {
    let mut columns = rows;
    // After this, half h (of 128 bits) of register 4g + j is column 4h + j of the rows 4g to 4g+3.
    for g in [0, 4] {
        let ab =
            [_mm256_unpacklo_ps(rows[g], rows[g + 1]), _mm256_unpackhi_ps(rows[g], rows[g + 1])];
        let (c, d) = (rows[g + 2], rows[g + 3]);
        let cd = [_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d)];
        for (k, (ab, cd)) in ab.into_iter().zip(cd).enumerate() {
            columns[g + 2 * k] = _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd);
            columns[g + 2 * k + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd);
        }
    }
    for j in 0..4 {
        let (top, bottom) = (columns[j], columns[4 + j]);
        columns[j] = _mm256_permute2f128_ps::<0x20>(top, bottom);
        columns[4 + j] = _mm256_permute2f128_ps::<0x31>(top, bottom);
    }
    columns
}
