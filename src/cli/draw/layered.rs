//! Places boxes in layers, so that edges lead down and cross neither boxes nor, where it can be
//! avoided, each other (K. Sugiyama et al., Methods for visual understanding of hierarchical system
//! structures, IEEE Transactions on Systems, Man, and Cybernetics 11, 1981).
//!
//! A rank is the longest way from a source. An edge over several ranks passes through a place of
//! its own in each between. The order within a rank follows from the mean place of the neighbours
//! above and below in turn, and so do the coordinates.

/// What is placed.
pub struct Boxes<'b> {
    /// The size of each box.
    pub heights: &'b [f64],
    pub widths: &'b [f64],
    /// Where edges meet each box, from its middle.
    pub meets: &'b [f64],
    /// From which box to which, each after the other.
    pub edges: &'b [(usize, usize)],
    /// The width of an edge where it passes between boxes.
    pub lane: f64,
}

/// Where everything is.
pub struct Placed {
    /// The middle of each box, from the left and from above.
    pub boxes: Vec<[f64; 2]>,
    /// For each edge its middle from the left at the ranks that it passes, with their upper and
    /// lower ends; those of its boxes first and last.
    pub routes: Vec<Vec<Pass>>,
    pub width: f64,
    pub height: f64,
}

/// An edge at a rank.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub x: f64,
    pub top: f64,
    pub bottom: f64,
}

const GAP: f64 = 24.0;
const RANK_GAP: f64 = 50.0;
/// How often the order and the coordinates are looked through, down and up.
const SWEEPS: usize = 12;

/// A box, or the place of an edge in a rank between.
struct Item {
    rank: usize,
    width: f64,
    meets: f64,
    up: Vec<usize>,
    down: Vec<usize>,
}

/// Places the boxes.
pub fn placed(boxes: &Boxes) -> Placed {
    let count = boxes.heights.len();
    let ranks = ranks(count, boxes.edges);
    let item = |rank, width, meets| {
        let (up, down) = Default::default();
        Item { rank, width, meets, up, down }
    };
    let mut items: Vec<Item> =
        (0..count).map(|i| item(ranks[i], boxes.widths[i], boxes.meets[i])).collect();
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for &(from, to) in boxes.edges {
        let mut chain = vec![from];
        for rank in items[from].rank + 1..items[to].rank {
            chain.push(items.len());
            items.push(item(rank, boxes.lane, 0.0));
        }
        chain.push(to);
        for pair in chain.windows(2) {
            items[pair[0]].down.push(pair[1]);
            items[pair[1]].up.push(pair[0]);
        }
        chains.push(chain);
    }
    let order = ordered(&items);
    let xs = coordinates(&items, &order);
    let left = (0..items.len()).map(|i| xs[i] - items[i].width / 2.0).fold(f64::MAX, f64::min);
    let right = (0..items.len()).map(|i| xs[i] + items[i].width / 2.0).fold(f64::MIN, f64::max);
    let mut tops = Vec::new();
    let mut heights = vec![0f64; order.len()];
    for (item, height) in ranks.iter().zip(boxes.heights) {
        heights[*item] = heights[*item].max(*height);
    }
    let mut y = 0.0;
    for height in &heights {
        tops.push(y);
        y += height + RANK_GAP;
    }
    let pass = |i: usize| {
        let (top, height) = (tops[items[i].rank], heights[items[i].rank]);
        Pass { x: xs[i] - left, top, bottom: top + height }
    };
    let middle = |i: usize| {
        let Pass { x, top, bottom } = pass(i);
        [x, (top + bottom) / 2.0]
    };
    Placed {
        boxes: (0..count).map(middle).collect(),
        routes: chains.iter().map(|chain| chain.iter().map(|&i| pass(i)).collect()).collect(),
        width: (right - left).max(0.0),
        height: (y - RANK_GAP).max(0.0),
    }
}

/// The longest way from a source; sources stand right above the first of their readers.
fn ranks(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut ranks = vec![0; count];
    let mut edges: Vec<(usize, usize)> = edges.to_vec();
    edges.sort_unstable();
    for &(from, to) in &edges {
        ranks[to] = ranks[to].max(ranks[from] + 1);
    }
    for i in 0..count {
        let is_source = edges.iter().all(|&(_, to)| to != i);
        let below = edges.iter().filter(|&&(from, _)| from == i).map(|&(_, to)| ranks[to]);
        if let Some(first) = below.min().filter(|_| is_source) {
            ranks[i] = first - 1;
        }
    }
    ranks
}

/// The items of each rank from left to right, with few crossings.
fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.rank + 1).max().unwrap_or(0);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    items.iter().enumerate().for_each(|(i, item)| order[item.rank].push(i));
    let mut best = (crossings(items, &order), order.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let mut ranks: Vec<usize> = (0..count).collect();
        if !down {
            ranks.reverse();
        }
        for rank in ranks {
            let places = places(items.len(), &order);
            let key = |i: &usize| {
                let near = if down { &items[*i].up } else { &items[*i].down };
                let sum: usize = near.iter().map(|&other| places[other]).sum();
                if near.is_empty() { places[*i] as f64 } else { sum as f64 / near.len() as f64 }
            };
            order[rank].sort_by(|a, b| key(a).total_cmp(&key(b)));
        }
        let now = crossings(items, &order);
        if now < best.0 {
            best = (now, order.clone());
        }
    }
    best.1
}

/// The place of each item within its rank.
fn places(count: usize, order: &[Vec<usize>]) -> Vec<usize> {
    let mut places = vec![0; count];
    for rank in order {
        rank.iter().enumerate().for_each(|(place, &i)| places[i] = place);
    }
    places
}

/// How many pairs of edges cross between one rank and the next.
fn crossings(items: &[Item], order: &[Vec<usize>]) -> usize {
    let places = places(items.len(), order);
    let mut crossings = 0;
    for rank in order {
        let edges: Vec<(usize, usize)> = (rank.iter())
            .flat_map(|&i| items[i].down.iter().map(move |&to| (i, to)))
            .map(|(i, to)| (places[i], places[to]))
            .collect();
        for (index, a) in edges.iter().enumerate() {
            let crosses =
                |b: &&(usize, usize)| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1);
            crossings += edges[..index].iter().filter(crosses).count();
        }
    }
    crossings
}

/// The middle of each item from the left: as near to those of its neighbours as others in its rank
/// allow.
fn coordinates(items: &[Item], order: &[Vec<usize>]) -> Vec<f64> {
    let mut xs = vec![0.0; items.len()];
    for rank in order {
        let wishes: Vec<f64> = vec![0.0; rank.len()];
        set(items, rank, &wishes, &mut xs);
    }
    for sweep in 0..2 * SWEEPS {
        let ranks: Vec<&Vec<usize>> =
            if sweep % 2 == 0 { order.iter().collect() } else { order.iter().rev().collect() };
        for rank in ranks {
            let wish = |&i: &usize| {
                let near = match sweep % 2 {
                    _ if sweep + 2 >= 2 * SWEEPS => [&items[i].up[..], &items[i].down].concat(),
                    0 => items[i].up.clone(),
                    _ => items[i].down.clone(),
                };
                let sum: f64 = near.iter().map(|&other| xs[other] + items[other].meets).sum();
                match near.is_empty() {
                    true => xs[i],
                    false => sum / near.len() as f64 - items[i].meets,
                }
            };
            let wishes: Vec<f64> = rank.iter().map(wish).collect();
            set(items, rank, &wishes, &mut xs);
        }
    }
    xs
}

/// Gives the items of a rank the places nearest to their wishes, by least squares: items that would
/// overlap form a block, which takes the mean place of its items.
fn set(items: &[Item], rank: &[usize], wishes: &[f64], xs: &mut [f64]) {
    // Offsets that turn "apart by their widths" into "in order".
    let mut offsets = vec![0.0; rank.len()];
    for at in 1..rank.len() {
        let apart = (items[rank[at - 1]].width + items[rank[at]].width) / 2.0 + GAP;
        offsets[at] = offsets[at - 1] + apart;
    }
    let mut blocks: Vec<(f64, usize)> = Vec::new(); // the sum of the wishes, and how many
    for (wish, offset) in wishes.iter().zip(&offsets) {
        blocks.push((wish - offset, 1));
        while let [.., a, b] = blocks[..]
            && a.0 / a.1 as f64 > b.0 / b.1 as f64
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push((a.0 + b.0, a.1 + b.1));
        }
    }
    let places = blocks.iter().flat_map(|&(sum, count)| vec![sum / count as f64; count]);
    for ((&i, place), offset) in rank.iter().zip(places).zip(&offsets) {
        xs[i] = place + offset;
    }
}
