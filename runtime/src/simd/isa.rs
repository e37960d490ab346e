//! Which instruction sets this machine has, and the way from one of them to generic code.

use std::fmt;
use std::str::FromStr;

use super::portable::Portable;
use super::{Simd, Task};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// The instruction sets there is code for, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// What every machine of the compilation target has.
    Portable,
    /// AVX2 and FMA: x86-64 from 2013 on.
    Avx2,
    /// AVX-512 F, DQ, BW and VL: Skylake-X, Zen 4 and later.
    Avx512,
}

impl Isa {
    /// All of them, the least first.
    pub const ALL: [Isa; 3] = [Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// The best this machine has.
    pub fn detect() -> Isa {
        let best = Isa::ALL.into_iter().rev().find(|isa| isa.is_supported());
        best.unwrap_or(Isa::Portable)
    }

    /// Those this machine has, the least first.
    pub fn available() -> Vec<Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_supported()).collect()
    }

    /// The name `--isa` uses.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Whether this machine has the instructions.
    pub fn is_supported(self) -> bool {
        match self {
            Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => false,
        }
    }

    /// Runs the task compiled with this instruction set.
    ///
    /// # Panics
    /// Where [`Isa::is_supported`] is false.
    #[inline]
    pub fn dispatch<T: Task>(self, task: T) -> T::Output {
        match self {
            Isa::Portable => run(Portable::detect(), task),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => run(Avx2::detect(), task),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => run(Avx512::detect(), task),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => run(None::<Portable>, task),
        }
    }
}

#[inline(always)]
fn run<S: Simd, T: Task>(detected: Option<S>, task: T) -> T::Output {
    let s = detected.expect("an instruction set is dispatched to only where the machine has it");
    s.vectorize(
        #[inline(always)]
        || task.run(s),
    )
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Isa, UnknownIsa> {
        Isa::ALL.into_iter().find(|isa| isa.name() == name).ok_or(UnknownIsa)
    }
}

/// The text names none of the instruction sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownIsa;

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `portable`, `avx2` or `avx512`")
    }
}

impl std::error::Error for UnknownIsa {}
