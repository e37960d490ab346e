//! How long sums are added up.
//!
//! Each addition of a chain rounds, and where all terms have one sign, most of them round the same
//! way: a chain of a million equal terms is off by a percent. So a long sum is cut into chains of a
//! fixed number of terms, each from zero, and the sums of these are added with what each addition
//! loses kept for the next. That costs more than a plain addition, so the longer chains are cut
//! once more, into pieces that are added plainly. Where chains and pieces begin is a matter of the
//! number of terms alone.

use crate::simd::{LANES, Simd};

/// How many terms are added in one chain.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chains {
    /// The most terms of a sum that is one chain.
    whole: usize,
    /// The terms of each chain of a longer one, a multiple of `piece`.
    part: usize,
    /// The terms of each piece of such a chain, a multiple of sixteen.
    piece: usize,
}

impl Chains {
    /// Of products along the rows of both operands, as a layer's result and its gradient are: the
    /// signs of the terms are mixed, and all ordinary widths are one chain.
    pub const ALONG_ROWS: Chains = Chains { whole: 4096, part: 256, piece: 64 };
    /// Of products over the rows of a batch, as the gradient of a weight is.
    pub const OVER_ROWS: Chains = Chains { whole: 256, part: 256, piece: 64 };
    /// Of the sums of columns. Adding chains up costs little here, and equal terms are common.
    pub const COLUMN: Chains = Chains { whole: 256, part: 32, piece: 32 };

    /// The most terms of a sum that is one chain.
    pub fn whole(self) -> usize {
        self.whole
    }

    /// The terms of each chain of a sum of `terms`, but for a shorter last one.
    #[inline(always)]
    pub fn len(self, terms: usize) -> usize {
        if self.splits(terms) { self.part } else { terms.max(1) }
    }

    /// The terms of each piece of a chain of a sum of `terms`.
    #[inline(always)]
    pub fn piece(self, terms: usize) -> usize {
        if self.splits(terms) { self.piece } else { terms.max(1) }
    }

    /// Whether a sum of so many terms is several chains.
    #[inline(always)]
    pub fn splits(self, terms: usize) -> bool {
        terms > self.whole
    }
}

/// Sums of finished chains, and beside them what the last addition has lost.
#[derive(Clone, Copy)]
pub struct Total<F> {
    /// The sums.
    pub sum: F,
    /// What is still to be added.
    pub lost: F,
}

impl<F: Copy> Total<F> {
    /// Adds the sum of a chain, by the summation of Kahan: what an addition loses is added with the
    /// next one. An infinite sum stays what it is: what it loses is no number.
    #[inline(always)]
    pub fn add<S: Simd<F = F>>(self, s: S, x: F) -> Total<F> {
        let x = s.add(x, self.lost);
        let sum = s.add(self.sum, x);
        let lost = s.sub(x, s.sub(sum, self.sum));
        Total { sum, lost: s.select(s.eq(lost, lost), lost, s.splat(0.0)) }
    }
}

/// The vectors that each lane of a sum over vectors adds in one chain.
pub const LANE_CHAIN: usize = 16;

/// A sum of vectors: sixteen lanes, in each chains of [`LANE_CHAIN`] terms.
pub struct LaneSums<S: Simd> {
    s: S,
    chain: S::F,
    /// How many terms the chain may still take.
    room: usize,
    total: Total<S::F>,
}

impl<S: Simd> LaneSums<S> {
    /// Nothing added yet.
    #[inline(always)]
    pub fn new(s: S) -> LaneSums<S> {
        let zero = s.splat(0.0);
        LaneSums { s, chain: zero, room: LANE_CHAIN, total: Total { sum: zero, lost: zero } }
    }

    /// Adds a vector.
    #[inline(always)]
    pub fn add(&mut self, x: S::F) {
        if self.room == 0 {
            self.total = self.total.add(self.s, self.chain);
            (self.chain, self.room) = (self.s.splat(0.0), LANE_CHAIN);
        }
        self.chain = self.s.add(self.chain, x);
        self.room -= 1;
    }

    /// The sum of all lanes.
    #[inline(always)]
    pub fn sum(&self) -> f32 {
        self.s.sum(self.total.add(self.s, self.chain).sum)
    }
}

/// Whether a sum over so many vectors is more than one chain in each lane.
pub fn splits_lanes(vectors: usize) -> bool {
    vectors > LANE_CHAIN
}

/// The floats of a product's tile, and at least as many.
pub const TILE_FLOATS: usize = super::place::LARGEST_TILE * LANES;
