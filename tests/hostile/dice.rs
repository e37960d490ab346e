//! A fixed sequence of choices, so that a finding repeats.

/// Its state.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The next 64 bits: SplitMix64.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    /// Whether one of `of` comes up.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A number that data may hold: mostly small, sometimes one of those that are special.
    pub fn float(&mut self) -> f32 {
        match self.below(64) {
            0 => self.pick(&[0.0, -0.0, 1.0, -1.0, 1e30, -1e30, 1e-40, f32::MIN_POSITIVE]),
            _ => (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0,
        }
    }
}
