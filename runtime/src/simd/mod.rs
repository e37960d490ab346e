//! Sixteen f32 lanes seen as one value, on every instruction set the same bits.
//!
//! A kernel is written once, generic over [`Simd`], which offers only what IEEE 754 defines
//! exactly, so the paths cannot disagree (but for the payload and sign of a NaN). A value of an
//! implementing type is the proof that the machine has the instructions: it can only be had from
//! detection, which is why the methods are safe.
//!
//! Generic code must end up inside [`Simd::vectorize`], which [`Isa::dispatch`] does for a whole
//! task: mark it `#[inline(always)]` all the way down, since a function that is compiled on its own
//! has none of the instructions, and every operation in it becomes a call.
#![expect(unsafe_code, reason = "intrinsics, loads and stores")]

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
mod dot;
mod isa;
pub mod math;
pub mod portable;

pub use dot::{Dot, Widening};
pub use isa::{Isa, UnknownIsa};

/// The number of lanes of every [`Simd`] value.
pub const LANES: usize = crate::program::LANES as usize;

/// An instruction set: 16 lanes of f32 or i32, and the operations that are exact everywhere.
#[allow(clippy::wrong_self_convention, reason = "`self` is the proof, not the value converted")]
pub trait Simd: Copy + Send + Sync + 'static {
    /// 16 lanes of f32.
    type F: Copy;
    /// 16 lanes of i32.
    type I: Copy;
    /// 16 truth values.
    type M: Copy;
    /// An instruction for [`Simd::dot`] that only some of these machines have.
    type Vnni: Dot<Self>;
    /// The name `--isa` uses.
    const NAME: &'static str;
    /// Rows of the matrix product's register tile.
    const TILE_ROWS: usize;
    /// Vectors across the register tile.
    const TILE_VECTORS: usize;
    /// Whether the register tile's loop is unrolled: a tile of few multiply-adds a term spends a
    /// fifth of its instructions on counting.
    const UNROLLS: bool;

    /// A value, which is the proof, where the machine has the instructions.
    fn detect() -> Option<Self>;

    /// The proof that this machine has an instruction for [`Simd::dot`].
    fn vnni(self) -> Option<Self::Vnni>;

    /// Runs `f` compiled with this instruction set; everything inlined into it uses it.
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::F;
    /// Reads 16 floats; no alignment needed.
    ///
    /// # Safety
    /// `p` points at 16 readable floats.
    unsafe fn load(self, p: *const f32) -> Self::F;
    /// Writes 16 floats; no alignment needed.
    ///
    /// # Safety
    /// `p` points at 16 writable floats.
    unsafe fn store(self, p: *mut f32, a: Self::F);
    /// Tells the machine that the vector at `p` will soon be needed; any address will do.
    fn prefetch(self, p: *const f32);
    /// Reads n floats, and zeros for the lanes beyond.
    ///
    /// # Safety
    /// `p` points at `n` readable floats, and `n` is at most 16.
    unsafe fn load_first(self, p: *const f32, n: usize) -> Self::F;
    /// Writes the first n lanes.
    ///
    /// # Safety
    /// `p` points at `n` writable floats, and `n` is at most 16.
    unsafe fn store_first(self, p: *mut f32, a: Self::F, n: usize);
    /// Reads 16 bfloat16 as the floats whose upper halves they are; no alignment needed.
    ///
    /// # Safety
    /// `p` points at 16 readable bfloat16.
    unsafe fn load_bf16(self, p: *const u16) -> Self::F;
    /// Writes the lowest byte of each lane.
    ///
    /// # Safety
    /// `p` points at 16 writable bytes.
    unsafe fn store_bytes(self, p: *mut u8, a: Self::I);
    /// The lanes as an array.
    fn to_array(self, a: Self::F) -> [f32; LANES];
    /// The array as lanes.
    fn from_array(self, a: [f32; LANES]) -> Self::F;

    /// a + b
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// a - b
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// a * b
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// a / b
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// a * b + c, rounded once
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// c - a * b, rounded once
    fn neg_mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// a * 2^n rounded once, for |a| in [1/4, 4] or NaN and whole n in [-250, 250].
    #[inline(always)]
    fn scale(self, a: Self::F, n: Self::F) -> Self::F {
        // In two steps, as 2^n itself may be out of range; only the second can round. Adding
        // 1.5 * 2^23 puts n into the low bits.
        let magic = self.splat(12582912.0);
        let n = self.sub_int(self.to_bits(self.add(n, magic)), self.to_bits(magic));
        let power = |n| self.from_bits(self.shl::<23>(self.add_int(n, self.splat_int(127))));
        let half = self.sar::<1>(n);
        self.mul(self.mul(a, power(half)), power(self.sub_int(n, half)))
    }
    /// The square root.
    fn sqrt(self, a: Self::F) -> Self::F;
    /// a > b ? a : b, so the second operand where either is NaN
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// a < b ? a : b, so the second operand where either is NaN
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// |a|
    fn abs(self, a: Self::F) -> Self::F;
    /// -a
    fn neg(self, a: Self::F) -> Self::F;

    /// a > b, false where either is NaN
    fn gt(self, a: Self::F, b: Self::F) -> Self::M;
    /// a >= b, false where either is NaN
    fn ge(self, a: Self::F, b: Self::F) -> Self::M;
    /// a == b, false where either is NaN
    fn eq(self, a: Self::F, b: Self::F) -> Self::M;
    /// m ? a : b
    fn select(self, m: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// The first `n` lanes true, n at most 16.
    fn first(self, n: usize) -> Self::M;

    /// The bits of the floats.
    fn to_bits(self, a: Self::F) -> Self::I;
    /// The floats of the bits.
    fn from_bits(self, a: Self::I) -> Self::F;
    /// All lanes `x`.
    fn splat_int(self, x: i32) -> Self::I;
    /// The array as lanes.
    #[inline(always)]
    fn from_ints(self, a: [i32; LANES]) -> Self::I {
        self.to_bits(self.from_array(a.map(|lane| f32::from_bits(lane as u32))))
    }
    /// a + b, wrapping
    fn add_int(self, a: Self::I, b: Self::I) -> Self::I;
    /// a - b, wrapping
    fn sub_int(self, a: Self::I, b: Self::I) -> Self::I;
    /// a & b
    fn and(self, a: Self::I, b: Self::I) -> Self::I;
    /// a | b
    fn or(self, a: Self::I, b: Self::I) -> Self::I;
    /// a ^ b
    fn xor(self, a: Self::I, b: Self::I) -> Self::I;
    /// a << N
    fn shl<const N: u32>(self, a: Self::I) -> Self::I;
    /// a >> N, shifting in zeros
    fn shr<const N: u32>(self, a: Self::I) -> Self::I;
    /// a >> N, shifting in the sign
    fn sar<const N: u32>(self, a: Self::I) -> Self::I;
    /// sum + Σ a b in each lane over its four bytes, wrapping; those of `a` are unsigned, those of
    /// `b` signed.
    fn dot(self, sum: Self::I, a: Self::I, b: Self::I) -> Self::I;
    /// The 64-bit products, unsigned, of the even lanes of both: the low word in such a lane, the
    /// high one in the next.
    fn mul_even(self, a: Self::I, b: Self::I) -> Self::I;
    /// The odd lanes moved one down, and zeros between them.
    fn odd_to_even(self, a: Self::I) -> Self::I;
    /// Of every four lanes, the first and third of `a` and then those of `b`.
    fn evens(self, a: Self::I, b: Self::I) -> Self::I;
    /// Of every four lanes, the second and fourth of `a` and then those of `b`.
    fn odds(self, a: Self::I, b: Self::I) -> Self::I;
    /// The nearest float, ties to even; exact for |a| up to 2^24
    fn int_to_float(self, a: Self::I) -> Self::F;

    /// The sum of the lanes by the fixed tree: lane i + lane i+8, then +4, +2, +1.
    fn sum(self, a: Self::F) -> f32;
    /// The largest lane by the same tree with `max`.
    fn largest(self, a: Self::F) -> f32;
    /// Transposes a 16 x 16 block held as its 16 rows.
    fn transpose(self, rows: &mut [Self::F; LANES]);
}

/// Work that is written once for every instruction set; see [`Isa::dispatch`].
pub trait Task {
    /// What it gives.
    type Output;
    /// Does the work. An implementation is `#[inline(always)]`, to be compiled with `S`.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// Writes [`Simd`] methods that are one expression of intrinsics.
#[cfg(target_arch = "x86_64")]
macro_rules! intrinsics {
    ($(fn $name:ident $(<const $n:ident: u32>)? ($($arg:ident: $arg_type:ty),*) -> $out:ty =
        $body:expr;)*) => {$(
        #[inline(always)]
        fn $name $(<const $n: u32>)? (self, $($arg: $arg_type),*) -> $out {
            // SAFETY: `self` is the proof that the machine has the instructions, and these touch
            // no memory.
            unsafe { $body }
        }
    )*};
}
#[cfg(target_arch = "x86_64")]
use intrinsics;
