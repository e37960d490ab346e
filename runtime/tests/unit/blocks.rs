//! The blocks of a product, and the room for them.

use arenet_runtime::kernel::gemm::block::{MAX_PACKED_VECTORS, packs_a, packs_b, rooms, size};
use arenet_runtime::kernel::sum::Chains;
use arenet_runtime::simd::LANES;

/// What a block takes of each room.
fn taken(m: usize, n: usize, k: usize, chains: Chains) -> [usize; 3] {
    let (rows, depth) = size(m, n, k, chains);
    let rows = rows.min(m);
    let b = if packs_b(m) { depth * MAX_PACKED_VECTORS * LANES } else { 0 };
    let a = if packs_a(m, n, k) { rows * depth } else { 0 };
    let sums = if depth < k { 2 * rows * n.next_multiple_of(LANES) } else { 0 };
    [b, a, sums]
}

const SIZES: [usize; 24] = [
    1, 12, 15, 16, 47, 48, 49, 127, 128, 129, 500, 512, 513, 700, 1024, 1025, 2079, 2080, 2081,
    4096, 4097, 5000, 90_000, 2_000_000,
];
const CHAINS: [Chains; 2] = [Chains::OVER_ROWS, Chains::ALONG_ROWS];

#[test]
fn a_room_holds_its_block_and_those_of_every_smaller_size() {
    let sizes = || SIZES.into_iter().flat_map(|m| SIZES.map(|n| (m, n)));
    for (m, n) in sizes() {
        for (k, chains) in SIZES.into_iter().flat_map(|k| CHAINS.map(|chains| (k, chains))) {
            let room = rooms(m, n, k, chains);
            let fewer = [(m - 1, n, k), (m, n - 1, k), (m, n, k - 1)];
            let smaller = fewer.map(|(m, n, k)| rooms(m, n, k, chains));
            for smaller in smaller.into_iter().chain([taken(m, n, k, chains)]) {
                let fits = smaller.iter().zip(room).all(|(&smaller, room)| smaller <= room);
                assert!(fits, "{m} x {n} with {k} terms, {chains:?}: {smaller:?} in {room:?}");
            }
        }
    }
}

#[test]
fn the_room_of_the_largest_batch_holds_the_blocks_of_all() {
    let total = |sizes: [usize; 3]| sizes.iter().sum::<usize>();
    for (m, n) in [(1, 1), (47, 500), (48, 10), (48, 128), (300, 127), (784, 128), (5000, 700)] {
        for chains in CHAINS {
            // As terms, and as columns.
            let of_terms = total(rooms(m, n, 5_000, chains));
            let of_columns = total(rooms(m, 5_000, n, chains));
            for batch in 1..=5_000 {
                assert!(total(taken(m, n, batch, chains)) <= of_terms, "{m} x {n}, {batch}");
                assert!(total(taken(m, batch, n, chains)) <= of_columns, "{m}, {batch}, {n}");
            }
        }
    }
}
