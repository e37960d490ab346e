//! Gives every value an offset in the arena, so that no two values alive at the same time overlap.
//!
//! This is dynamic storage allocation: rectangles of given width (bytes) and given time span are
//! to be stacked as low as possible. The lower bound is the most bytes alive at once.

use std::collections::BTreeMap;

/// A value's size and the steps during which it must be kept, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The step that writes it.
    pub first: u32,
    /// The last step that reads it.
    pub last: u32,
    /// Its size.
    pub bytes: u64,
}

/// An offset for each value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Bytes from the start of the region, in the order of the lifetimes.
    pub offsets: Vec<u64>,
    /// The size of the region.
    pub bytes: u64,
}

/// Beyond this many values only the plan that takes linear time is made.
const MANY: usize = 1_000;
/// Up to this many values, a walk that fills the lower bound is searched within a budget.
const SOME: usize = 256;
/// Up to this many values, all orders are searched within a budget.
const FEW: usize = 24;
/// The partial plans an exact search may look at.
const SEARCH_BUDGET: usize = 20_000;

/// The most bytes alive at any step.
pub fn lower_bound(lifetimes: &[Lifetime]) -> u64 {
    let mut changes: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for value in lifetimes {
        changes.entry(value.first).or_default().0 += value.bytes;
        changes.entry(value.last + 1).or_default().1 += value.bytes;
    }
    let mut alive = 0;
    let peaks = changes.values().map(|(born, freed)| {
        alive = alive + born - freed;
        alive
    });
    peaks.max().unwrap_or(0)
}

/// Places the values: the best of several greedy orders, and where that is above the lower bound,
/// of a bounded exact search.
pub fn place(lifetimes: &[Lifetime]) -> Placement {
    let bound = lower_bound(lifetimes);
    let mut best = as_they_come(lifetimes, u64::MAX, false).expect("there is always room above");
    if best.bytes == bound {
        return best;
    }
    // Each value of a chain meets only its neighbours: in turn at both ends, they take no more than
    // two neighbours together.
    if let Some(placement) = as_they_come(lifetimes, bound, true) {
        return placement;
    }
    if lifetimes.len() > MANY {
        return best;
    }
    if let Some(placement) = within(lifetimes, bound) {
        return placement;
    }
    let span = |v: &Lifetime| u64::from(v.last - v.first);
    let orders = [
        order_by(lifetimes, |v| (v.first.into(), u64::MAX - span(v))),
        order_by(lifetimes, |v| (u64::MAX - u64::from(v.last), v.first.into())),
        order_by(lifetimes, |v| (u64::MAX - span(v), u64::MAX - v.bytes)),
        order_by(lifetimes, |v| (u64::MAX - v.bytes, v.first.into())),
        order_by(lifetimes, |v| (u64::MAX - v.bytes.saturating_mul(span(v) + 1), v.first.into())),
    ];
    for order in orders {
        let placement = lowest_fit(lifetimes, &order);
        if placement.bytes < best.bytes {
            best = placement;
        }
    }
    if best.bytes > bound && lifetimes.len() <= FEW {
        best = search(lifetimes, bound, best);
    }
    best
}

/// The indices of the values in the order of a key.
fn order_by(lifetimes: &[Lifetime], key: impl Fn(&Lifetime) -> (u64, u64)) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&i| (key(&lifetimes[i]), i));
    order
}

/// Walks the steps once and gives each value the lowest gap below `top` that fits, or in turn the
/// lowest and the highest; long-lived values first where several are born at one step.
fn as_they_come(lifetimes: &[Lifetime], top: u64, both_ends: bool) -> Option<Placement> {
    let order = by_birth(lifetimes);
    let mut ends: Vec<usize> = order.clone();
    ends.sort_by_key(|&i| lifetimes[i].last);
    let mut ends = ends.into_iter().peekable();
    let mut placement = Placement { offsets: vec![0; lifetimes.len()], bytes: 0 };
    // The gaps between the values alive, by offset.
    let mut gaps: BTreeMap<u64, u64> = BTreeMap::from([(0, top)]);
    let mut high = false;
    for i in order {
        let value = lifetimes[i];
        while let Some(dead) = ends.next_if(|&dead| lifetimes[dead].last < value.first) {
            release(&mut gaps, placement.offsets[dead], lifetimes[dead].bytes);
        }
        if value.bytes == 0 {
            continue;
        }
        let fits = |&(at, end): &(&u64, &u64)| *end - *at >= value.bytes;
        let gap = if high { gaps.iter().rev().find(fits) } else { gaps.iter().find(fits) };
        let (&start, &end) = gap?;
        let at = if high { end - value.bytes } else { start };
        high = both_ends && !high;
        gaps.remove(&start);
        for (from, to) in [(start, at), (at + value.bytes, end)] {
            if from < to {
                gaps.insert(from, to);
            }
        }
        placement.offsets[i] = at;
        placement.bytes = placement.bytes.max(at + value.bytes);
    }
    Some(placement)
}

/// Walks the steps like [`as_they_come`], tries both ends of every gap below `top`, and goes back
/// where that leads nowhere, within a budget.
fn within(lifetimes: &[Lifetime], top: u64) -> Option<Placement> {
    struct Walk<'a> {
        lifetimes: &'a [Lifetime],
        order: Vec<usize>,
        top: u64,
        offsets: Vec<u64>,
        budget: usize,
    }
    impl Walk<'_> {
        /// Places the values from position `next` of the order on.
        fn place_from(&mut self, next: usize) -> bool {
            let Some(&i) = self.order.get(next) else { return true };
            let value = self.lifetimes[i];
            let alive = |&&j: &&usize| self.lifetimes[j].last >= value.first;
            let range = |&j: &usize| (self.offsets[j], self.offsets[j] + self.lifetimes[j].bytes);
            let mut taken: Vec<_> = self.order[..next].iter().filter(alive).map(range).collect();
            taken.push((self.top, self.top));
            taken.sort_unstable();
            let mut ends: Vec<u64> = Vec::new();
            let mut start = 0;
            for (from, to) in taken {
                if from >= start + value.bytes {
                    ends.extend([start, from - value.bytes]);
                }
                start = start.max(to);
            }
            ends.dedup();
            for at in ends {
                if self.budget == 0 {
                    return false;
                }
                self.budget -= 1;
                self.offsets[i] = at;
                if self.place_from(next + 1) {
                    return true;
                }
            }
            false
        }
    }
    if lifetimes.len() > SOME {
        return None;
    }
    let offsets = vec![0; lifetimes.len()];
    let order = by_birth(lifetimes);
    let mut walk = Walk { lifetimes, order, top, offsets, budget: SEARCH_BUDGET };
    walk.place_from(0).then_some(Placement { offsets: walk.offsets, bytes: top })
}

/// The values in the order in which they are born, those that live longest first.
fn by_birth(lifetimes: &[Lifetime]) -> Vec<usize> {
    order_by(lifetimes, |value| (value.first.into(), u64::MAX - u64::from(value.last)))
}

/// Gives a range back to the gaps.
fn release(gaps: &mut BTreeMap<u64, u64>, at: u64, bytes: u64) {
    if bytes == 0 {
        return;
    }
    let mut range = (at, at + bytes);
    if let Some(end) = gaps.remove(&range.1) {
        range.1 = end;
    }
    let before = gaps.range(..range.0).next_back().map(|(&at, &end)| (at, end));
    if let Some((start, end)) = before
        && end == range.0
    {
        range.0 = start;
    }
    gaps.insert(range.0, range.1);
}

/// Places the values in the given order, each as low as those placed before it allow.
fn lowest_fit(lifetimes: &[Lifetime], order: &[usize]) -> Placement {
    let mut placement = Placement { offsets: vec![0; lifetimes.len()], bytes: 0 };
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    for &i in order {
        let at = lowest_gap(lifetimes, &placement.offsets, &placed, i);
        placement.offsets[i] = at;
        placement.bytes = placement.bytes.max(at + lifetimes[i].bytes);
        // Kept in the order of the offsets, for the next search.
        let position = placed.partition_point(|&p| placement.offsets[p] <= at);
        placed.insert(position, i);
    }
    placement
}

/// The lowest offset at which value `i` overlaps none of `placed`, which is ordered by offset.
fn lowest_gap(lifetimes: &[Lifetime], offsets: &[u64], placed: &[usize], i: usize) -> u64 {
    let value = lifetimes[i];
    let mut at = 0;
    for &other in placed {
        let together = lifetimes[other].first <= value.last && value.first <= lifetimes[other].last;
        if together && lifetimes[other].bytes > 0 {
            if offsets[other] >= at + value.bytes {
                break;
            }
            at = at.max(offsets[other] + lifetimes[other].bytes);
        }
    }
    at
}

/// Searches the orders depth first, cutting off whatever is no better than the best plan so far.
fn search(lifetimes: &[Lifetime], bound: u64, best: Placement) -> Placement {
    struct Search<'a> {
        lifetimes: &'a [Lifetime],
        bound: u64,
        best: Placement,
        budget: usize,
    }
    impl Search<'_> {
        fn extend(&mut self, offsets: &mut Vec<u64>, placed: &mut Vec<usize>, bytes: u64) {
            if placed.len() == self.lifetimes.len() {
                self.best = Placement { offsets: offsets.clone(), bytes };
                return;
            }
            for i in 0..self.lifetimes.len() {
                if self.budget == 0 || self.best.bytes == self.bound {
                    return;
                }
                if placed.contains(&i) {
                    continue;
                }
                self.budget -= 1;
                let at = lowest_gap(self.lifetimes, offsets, placed, i);
                let bytes = bytes.max(at + self.lifetimes[i].bytes);
                if bytes >= self.best.bytes {
                    continue;
                }
                offsets[i] = at;
                let position = placed.partition_point(|&p| offsets[p] <= at);
                placed.insert(position, i);
                self.extend(offsets, placed, bytes);
                placed.remove(position);
            }
        }
    }
    let mut search = Search { lifetimes, bound, best, budget: SEARCH_BUDGET };
    search.extend(&mut vec![0; lifetimes.len()], &mut Vec::new(), 0);
    search.best
}
