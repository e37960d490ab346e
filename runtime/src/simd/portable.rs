//! The lanes over the `wide` crate: whatever the compilation target has, SSE2 on plain x86-64.
//!
//! `wide` picks its instructions when it is compiled, so this is also the only path elsewhere
//! (aarch64, wasm). Its fused multiply-add is fused only where the target has the instruction;
//! where it has not, arithmetic in f64 gives the same bits.

use wide::{f32x16, i32x16};

use super::{LANES, Simd, Widening};

/// The compilation target's own instructions.
#[derive(Clone, Copy, Debug)]
pub struct Portable(());

impl Simd for Portable {
    type F = f32x16;
    type I = i32x16;
    type M = f32x16;
    type Vnni = Widening;
    const NAME: &'static str = "portable";
    const TILE_ROWS: usize = 2;
    const TILE_VECTORS: usize = 1;
    const UNROLLS: bool = false;

    #[inline(always)]
    fn detect() -> Option<Self> {
        Some(Portable(()))
    }

    #[inline(always)]
    fn vnni(self) -> Option<Widening> {
        None
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }

    #[inline(always)]
    fn splat(self, x: f32) -> f32x16 {
        f32x16::splat(x)
    }

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> f32x16 {
        // SAFETY: the caller gives 16 readable floats; an array of f32 is aligned as one is.
        f32x16::new(unsafe { p.cast::<[f32; LANES]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, a: f32x16) {
        // SAFETY: the caller gives 16 writable floats; an array of f32 is aligned as one is.
        unsafe { p.cast::<[f32; LANES]>().write(a.to_array()) }
    }

    #[inline(always)]
    fn prefetch(self, _: *const f32) {}

    #[inline(always)]
    unsafe fn load_first(self, p: *const f32, n: usize) -> f32x16 {
        let mut lanes = [0.0; LANES];
        // SAFETY: the caller gives n readable floats, n at most 16, which `lanes` has room for.
        unsafe { p.copy_to_nonoverlapping(lanes.as_mut_ptr(), n) };
        f32x16::new(lanes)
    }

    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, a: f32x16, n: usize) {
        // SAFETY: the caller gives n writable floats, n at most 16, which the array has.
        unsafe { p.copy_from_nonoverlapping(a.as_array().as_ptr(), n) }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, p: *const u16) -> f32x16 {
        // SAFETY: the caller gives 16 readable bfloat16; an array of u16 is aligned as one is.
        let halves = unsafe { p.cast::<[u16; LANES]>().read() };
        f32x16::new(halves.map(|half| f32::from_bits(u32::from(half) << 16)))
    }

    #[inline(always)]
    unsafe fn store_bytes(self, p: *mut u8, a: i32x16) {
        // SAFETY: the caller gives 16 writable bytes.
        unsafe { p.cast::<[u8; LANES]>().write(a.to_array().map(|lane| lane as u8)) }
    }

    #[inline(always)]
    fn to_array(self, a: f32x16) -> [f32; LANES] {
        a.to_array()
    }

    #[inline(always)]
    fn from_array(self, a: [f32; LANES]) -> f32x16 {
        f32x16::new(a)
    }

    #[inline(always)]
    fn add(self, a: f32x16, b: f32x16) -> f32x16 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32x16, b: f32x16) -> f32x16 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32x16, b: f32x16) -> f32x16 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32x16, b: f32x16) -> f32x16 {
        a / b
    }

    #[inline(always)]
    fn mul_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        if cfg!(any(target_feature = "fma", all(target_arch = "aarch64", target_feature = "neon")))
        {
            return a.mul_add(b, c);
        }
        emulated_mul_add(a, b, c)
    }

    #[inline(always)]
    fn neg_mul_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        self.mul_add(self.neg(a), b, c)
    }

    #[inline(always)]
    fn sqrt(self, a: f32x16) -> f32x16 {
        a.sqrt()
    }

    #[inline(always)]
    fn max(self, a: f32x16, b: f32x16) -> f32x16 {
        self.select(self.gt(a, b), a, b)
    }

    #[inline(always)]
    fn min(self, a: f32x16, b: f32x16) -> f32x16 {
        self.select(self.gt(b, a), a, b)
    }

    #[inline(always)]
    fn abs(self, a: f32x16) -> f32x16 {
        self.from_bits(self.to_bits(a) & i32x16::splat(i32::MAX))
    }

    #[inline(always)]
    fn neg(self, a: f32x16) -> f32x16 {
        self.from_bits(self.to_bits(a) ^ i32x16::splat(i32::MIN))
    }

    #[inline(always)]
    fn gt(self, a: f32x16, b: f32x16) -> f32x16 {
        a.simd_gt(b)
    }

    #[inline(always)]
    fn ge(self, a: f32x16, b: f32x16) -> f32x16 {
        a.simd_ge(b)
    }

    #[inline(always)]
    fn eq(self, a: f32x16, b: f32x16) -> f32x16 {
        a.simd_eq(b)
    }

    #[inline(always)]
    fn select(self, m: f32x16, a: f32x16, b: f32x16) -> f32x16 {
        m.select(a, b)
    }

    #[inline(always)]
    fn first(self, n: usize) -> f32x16 {
        let lane = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        self.from_bits(i32x16::new(lane).simd_lt(i32x16::splat(n as i32)))
    }

    #[inline(always)]
    fn to_bits(self, a: f32x16) -> i32x16 {
        a.to_bits().cast_signed()
    }

    #[inline(always)]
    fn from_bits(self, a: i32x16) -> f32x16 {
        f32x16::from_bits(a.cast_unsigned())
    }

    #[inline(always)]
    fn splat_int(self, x: i32) -> i32x16 {
        i32x16::splat(x)
    }

    #[inline(always)]
    fn add_int(self, a: i32x16, b: i32x16) -> i32x16 {
        a + b
    }

    #[inline(always)]
    fn sub_int(self, a: i32x16, b: i32x16) -> i32x16 {
        a - b
    }

    #[inline(always)]
    fn and(self, a: i32x16, b: i32x16) -> i32x16 {
        a & b
    }

    #[inline(always)]
    fn or(self, a: i32x16, b: i32x16) -> i32x16 {
        a | b
    }

    #[inline(always)]
    fn xor(self, a: i32x16, b: i32x16) -> i32x16 {
        a ^ b
    }

    #[inline(always)]
    fn shl<const N: u32>(self, a: i32x16) -> i32x16 {
        a << N
    }

    #[inline(always)]
    fn shr<const N: u32>(self, a: i32x16) -> i32x16 {
        (a.cast_unsigned() >> N).cast_signed()
    }

    #[inline(always)]
    fn sar<const N: u32>(self, a: i32x16) -> i32x16 {
        a >> N
    }

    #[inline(always)]
    fn dot(self, sum: i32x16, a: i32x16, b: i32x16) -> i32x16 {
        let (mut sum, a, b) = (sum.to_array(), a.to_array(), b.to_array());
        for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
            for shift in [0, 8, 16, 24] {
                let (a, b) = (i32::from((a >> shift) as u8), i32::from((b >> shift) as i8));
                *sum = sum.wrapping_add(a * b);
            }
        }
        i32x16::new(sum)
    }

    #[inline(always)]
    fn mul_even(self, a: i32x16, b: i32x16) -> i32x16 {
        let (a, b) = (a.to_array(), b.to_array());
        let mut products = [0; LANES];
        for even in (0..LANES).step_by(2) {
            let product = u64::from(a[even] as u32) * u64::from(b[even] as u32);
            products[even] = product as i32;
            products[even + 1] = (product >> 32) as i32;
        }
        i32x16::new(products)
    }

    #[inline(always)]
    fn odd_to_even(self, a: i32x16) -> i32x16 {
        let a = a.to_array();
        i32x16::new(std::array::from_fn(|i| if i % 2 == 0 { a[i + 1] } else { 0 }))
    }

    #[inline(always)]
    fn evens(self, a: i32x16, b: i32x16) -> i32x16 {
        every_second(a, b, 0)
    }

    #[inline(always)]
    fn odds(self, a: i32x16, b: i32x16) -> i32x16 {
        every_second(a, b, 1)
    }

    #[inline(always)]
    fn int_to_float(self, a: i32x16) -> f32x16 {
        f32x16::from_i32x16(a)
    }

    #[inline(always)]
    fn sum(self, a: f32x16) -> f32 {
        fold(a, |x, y| x + y)
    }

    #[inline(always)]
    fn largest(self, a: f32x16) -> f32 {
        fold(a, |x, y| if x > y { x } else { y })
    }

    #[inline(always)]
    fn transpose(self, rows: &mut [f32x16; LANES]) {
        let old = rows.map(f32x16::to_array);
        for (i, row) in rows.iter_mut().enumerate() {
            let mut column = [0.0; LANES];
            for (lane, old) in column.iter_mut().zip(&old) {
                *lane = old[i];
            }
            *row = f32x16::new(column);
        }
    }
}

/// Of every four lanes, every second from the one at `first` of both.
#[inline(always)]
fn every_second(a: i32x16, b: i32x16, first: usize) -> i32x16 {
    let of = [a.to_array(), b.to_array()];
    i32x16::new(std::array::from_fn(|i| of[i % 4 / 2][i / 4 * 4 + i % 2 * 2 + first]))
}

/// Folds the lanes by the fixed tree: lane i with lane i+8, then +4, +2, +1.
#[inline(always)]
fn fold(a: f32x16, f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = a.to_array();
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] = f(lanes[i], lanes[i + half]);
        }
    }
    lanes[0]
}

/// a * b + c rounded once, in all lanes, on machines without the instruction.
///
/// Not inlined: it is some 250 instructions that need every register, so that a row of copies would
/// be slower than calls, and a large kernel immense.
#[inline(never)]
fn emulated_mul_add(a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
    let (a, b, mut c) = (a.to_array(), b.to_array(), c.to_array());
    for i in 0..LANES {
        c[i] = fused(a[i], b[i], c[i]);
    }
    f32x16::new(c)
}

/// a * b + c rounded once, free of branches.
///
/// In f64 the product is exact, and Knuth's TwoSum splits the sum into s + e. Rounding s to
/// odd - towards zero, then setting the last bit where anything was lost - keeps what the final
/// rounding to f32 has to know, so that it cannot round twice (Boldo and Melquiond, "Emulation of
/// FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let s = product + c;
    let c_rounded = s - product;
    let e = (product - (s - c_rounded)) + (c - c_rounded);
    // Where s is infinite or NaN, e is NaN, and s stays as it is.
    let inexact = u64::from(e.abs() > 0.0);
    let too_large = ((s.to_bits() ^ e.to_bits()) >> 63) & inexact;
    f64::from_bits(s.to_bits().wrapping_sub(too_large) | inexact) as f32
}
