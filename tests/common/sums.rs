//! Sums in the order of the machine, term by term: a long one is chains of a fixed number of terms,
//! whose sums are added with what each addition loses kept for the next. A chain is one piece, or
//! several that are added plainly.

/// The most terms of a single chain, the terms of each chain of a longer sum, and of each piece.
#[derive(Clone, Copy)]
pub struct Chains(usize, usize, usize);

/// Of a product along rows.
pub const ALONG_ROWS: Chains = Chains(4096, 256, 64);
/// Of a product over the rows of a batch.
pub const OVER_ROWS: Chains = Chains(256, 256, 64);
/// Of the sums of columns.
pub const COLUMN: Chains = Chains(256, 32, 32);
/// Of each lane of a sum of vectors.
pub const LANE: Chains = Chains(16, 16, 16);

/// `start` and so many terms, of which `add` adds one to a chain.
pub fn sum(chains: Chains, start: f32, terms: usize, add: impl Fn(f32, usize) -> f32) -> f32 {
    let Chains(whole, part, piece) = chains;
    if terms <= whole {
        return (0..terms).fold(start, add);
    }
    let (mut total, mut lost) = (0.0, 0.0);
    for first in (0..terms).step_by(part) {
        let end = terms.min(first + part);
        let piece_from = |from: usize| {
            let start = if from == 0 { start } else { 0.0 };
            (from..end.min(from + piece)).fold(start, &add)
        };
        let pieces = (first..end).step_by(piece).map(piece_from);
        let chain = pieces.reduce(|sum, next| sum + next).unwrap_or(start);
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
