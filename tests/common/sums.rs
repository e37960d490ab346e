//! Sums in the order of the machine, term by term: a long one is chains of a fixed number of terms,
//! whose sums are added with what each addition loses kept for the next.

/// The most terms of a single chain, and the terms of each chain of a longer sum.
#[derive(Clone, Copy)]
pub struct Chains(usize, usize);

/// Of a product along rows.
pub const ALONG_ROWS: Chains = Chains(4096, 256);
/// Of a product over the rows of a batch.
pub const OVER_ROWS: Chains = Chains(256, 256);
/// Of the sums of columns.
pub const COLUMN: Chains = Chains(256, 32);
/// Of each lane of a sum of vectors.
pub const LANE: Chains = Chains(16, 16);

/// `start` and so many terms, of which `add` adds one to a chain.
pub fn sum(chains: Chains, start: f32, terms: usize, add: impl Fn(f32, usize) -> f32) -> f32 {
    let Chains(whole, part) = chains;
    if terms <= whole {
        return (0..terms).fold(start, add);
    }
    let (mut total, mut lost) = (0.0, 0.0);
    for first in (0..terms).step_by(part) {
        let start = if first == 0 { start } else { 0.0 };
        let chain = (first..terms.min(first + part)).fold(start, &add);
        let next = chain + lost;
        let sum = total + next;
        lost = next - (sum - total);
        total = sum;
    }
    total
}

/// The sum over so many vectors by lanes, which a tree then adds; a lane beyond the end holds 0.
pub fn lane_sum(vectors: usize, value: impl Fn(usize, usize) -> f32) -> f32 {
    let lane = |lane| sum(LANE, 0.0, vectors, |sum, vec| sum + value(vec, lane));
    let mut lanes: [f32; 16] = std::array::from_fn(lane);
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}
