//! The lanes as one 512-bit register: AVX-512 F, DQ, BW and VL.

use core::arch::x86_64::*;

use super::avx2::{largest_of_8, sum_of_8};
use super::{Dot, LANES, Simd, intrinsics};

/// Proof that the machine has AVX-512 F, DQ, BW and VL, and AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

/// Proof that the machine has AVX-512 VNNI beside them, which Skylake-X has not.
#[derive(Clone, Copy, Debug)]
pub struct Vnni(());

impl Dot<Avx512> for Vnni {
    #[inline(always)]
    fn vectorize<R>(self, _: Avx512, f: impl FnOnce() -> R) -> R {
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,avx512vnni")]
        fn compiled<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the two values are the proof that the machine has the features.
        unsafe { compiled(f) }
    }

    #[inline(always)]
    fn dot(self, _: Avx512, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` is the proof that the machine has VNNI; no memory is touched.
        unsafe { _mm512_dpbusd_epi32(sum, a, b) }
    }
}

impl Simd for Avx512 {
    type F = __m512;
    type I = __m512i;
    /// One bit a lane.
    type M = __mmask16;
    type Vnni = Vnni;
    const NAME: &'static str = "avx512";
    const TILE_ROWS: usize = 12;
    const TILE_VECTORS: usize = 2;
    const UNROLLS: bool = false;

    #[inline(always)]
    fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        found.then_some(Avx512(()))
    }

    #[inline(always)]
    fn vnni(self) -> Option<Vnni> {
        is_x86_feature_detected!("avx512vnni").then_some(Vnni(()))
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
        fn compiled<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: `self` is the proof that the machine has the features.
        unsafe { compiled(f) }
    }

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m512 {
        // SAFETY: the caller gives 16 readable floats, and `self` proves AVX-512.
        unsafe { _mm512_loadu_ps(p) }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, a: __m512) {
        // SAFETY: the caller gives 16 writable floats, and `self` proves AVX-512.
        unsafe { _mm512_storeu_ps(p, a) }
    }

    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: a hint, which no address makes fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }

    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> __m512 {
        // SAFETY: the caller gives n readable floats, the lanes beyond are masked and never
        // touched, and `self` proves AVX-512.
        unsafe { _mm512_maskz_loadu_ps(self.first(n), p) }
    }

    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, a: __m512, n: usize) {
        // SAFETY: the caller gives n writable floats, the lanes beyond are masked and never
        // touched, and `self` proves AVX-512.
        unsafe { _mm512_mask_storeu_ps(p, self.first(n), a) }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, p: *const u16) -> __m512 {
        // SAFETY: the caller gives 16 readable bfloat16, and `self` proves AVX-512.
        unsafe {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(p.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, p: *mut u8, a: __m512i) {
        // SAFETY: the caller gives 16 writable bytes, and `self` proves AVX-512.
        unsafe { _mm_storeu_si128(p.cast(), _mm512_cvtepi32_epi8(a)) }
    }

    #[inline(always)]
    fn to_array(self, a: __m512) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: `lanes` has 16 floats.
        unsafe { self.store(lanes.as_mut_ptr(), a) };
        lanes
    }

    #[inline(always)]
    fn from_array(self, a: [f32; LANES]) -> __m512 {
        // SAFETY: `a` has 16 floats.
        unsafe { self.load(a.as_ptr()) }
    }

    intrinsics! {
        fn splat(x: f32) -> __m512 = _mm512_set1_ps(x);
        fn add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        fn sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        fn mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        fn div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fn neg_mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        fn scale(a: __m512, n: __m512) -> __m512 = _mm512_scalef_ps(a, n);
        fn sqrt(a: __m512) -> __m512 = _mm512_sqrt_ps(a);
        fn max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        fn min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
        fn abs(a: __m512) -> __m512 = _mm512_abs_ps(a);
        fn neg(a: __m512) -> __m512 = _mm512_xor_ps(a, _mm512_set1_ps(-0.0));

        fn gt(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b);
        fn ge(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, b);
        fn eq(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
        fn select(m: __mmask16, a: __m512, b: __m512) -> __m512 = _mm512_mask_blend_ps(m, b, a);

        fn to_bits(a: __m512) -> __m512i = _mm512_castps_si512(a);
        fn from_bits(a: __m512i) -> __m512 = _mm512_castsi512_ps(a);
        fn splat_int(x: i32) -> __m512i = _mm512_set1_epi32(x);
        fn add_int(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        fn sub_int(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi32(a, b);
        fn and(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        fn or(a: __m512i, b: __m512i) -> __m512i = _mm512_or_si512(a, b);
        fn xor(a: __m512i, b: __m512i) -> __m512i = _mm512_xor_si512(a, b);
        fn shl<const N: u32>(a: __m512i) -> __m512i = _mm512_slli_epi32::<N>(a);
        fn shr<const N: u32>(a: __m512i) -> __m512i = _mm512_srli_epi32::<N>(a);
        fn sar<const N: u32>(a: __m512i) -> __m512i = _mm512_srai_epi32::<N>(a);
        fn dot(sum: __m512i, a: __m512i, b: __m512i) -> __m512i = dot(sum, a, b);
        fn mul_even(a: __m512i, b: __m512i) -> __m512i = _mm512_mul_epu32(a, b);
        fn odd_to_even(a: __m512i) -> __m512i = _mm512_srli_epi64::<32>(a);
        fn evens(a: __m512i, b: __m512i) -> __m512i = _mm512_castps_si512(
            _mm512_shuffle_ps::<0b10_00_10_00>(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
        fn odds(a: __m512i, b: __m512i) -> __m512i = _mm512_castps_si512(
            _mm512_shuffle_ps::<0b11_01_11_01>(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
        fn int_to_float(a: __m512i) -> __m512 = _mm512_cvtepi32_ps(a);

        fn sum(a: __m512) -> f32 =
            sum_of_8(_mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a)));
        fn largest(a: __m512) -> f32 =
            largest_of_8(_mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a)));
    }

    #[inline(always)]
    fn first(self, n: usize) -> __mmask16 {
        ((1u32 << n) - 1) as __mmask16
    }

    #[inline(always)]
    fn transpose(self, rows: &mut [__m512; LANES]) {
        // SAFETY: `self` is the proof that the machine has AVX-512.
        *rows = unsafe { transpose_16x16(*rows) };
    }
}

/// sum + Σ a b over the four bytes of each lane: the bytes at even and at odd places are widened to
/// 16 bits, so that no sum of two products can saturate.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn dot(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    let even_a = _mm512_and_si512(a, _mm512_set1_epi16(0xff));
    let even_b = _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(b));
    let (odd_a, odd_b) = (_mm512_srli_epi16::<8>(a), _mm512_srai_epi16::<8>(b));
    let (even, odd) = (_mm512_madd_epi16(even_a, even_b), _mm512_madd_epi16(odd_a, odd_b));
    _mm512_add_epi32(sum, _mm512_add_epi32(even, odd))
}

/// The transpose of a 16 x 16 block held as its rows.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_16x16(rows: [__m512; LANES]) -> [__m512; LANES] {
    let mut u = rows;
    // After this, quarter q (of 128 bits) of u[4g + j] is column 4q + j of the rows 4g to 4g+3.
    for g in [0, 4, 8, 12] {
        let (a, b, c, d) = (rows[g], rows[g + 1], rows[g + 2], rows[g + 3]);
        let ab = [_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)];
        let cd = [_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d)];
        for (k, (ab, cd)) in ab.into_iter().zip(cd).enumerate() {
            u[g + 2 * k] = _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd);
            u[g + 2 * k + 1] = _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd);
        }
    }
    // 0x88 picks the quarters 0 and 2 of both operands, 0xdd the quarters 1 and 3.
    let mut columns = rows;
    for j in 0..4 {
        let (a, b, c, d) = (u[j], u[4 + j], u[8 + j], u[12 + j]);
        let (even_ab, odd_ab) =
            (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
        let (even_cd, odd_cd) =
            (_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d));
        columns[j] = _mm512_shuffle_f32x4::<0x88>(even_ab, even_cd);
        columns[4 + j] = _mm512_shuffle_f32x4::<0x88>(odd_ab, odd_cd);
        columns[8 + j] = _mm512_shuffle_f32x4::<0xdd>(even_ab, even_cd);
        columns[12 + j] = _mm512_shuffle_f32x4::<0xdd>(odd_ab, odd_cd);
    }
    columns
}
