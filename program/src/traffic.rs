//! What each step of an entry must move between the processor and its memory, and from how far.
//!
//! A step must read each buffer it uses and write each result at least once, however often its
//! kernel goes over them. Either has to be fetched first, but for a result in the place of an
//! operand; going back to memory takes no time of its own at best, as that way is another.
//!
//! Where the bytes come from depends on what was touched since their last use: with the least
//! recently used line evicted first, a cache that holds all of that still holds them (the reuse
//! distance of R. L. Mattson et al., Evaluation techniques for storage hierarchies, IBM Systems
//! Journal 9, 1970). Entries are run again and again, so the last use may be in the run before.

use super::{Buffer, BufferId, Kernel, Program, Routine, Step};
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// A buffer that a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Which.
    pub buffer: BufferId,
    /// Whether it is written.
    pub write: bool,
    /// Whether its bytes have to be fetched: not for a result where an operand was.
    pub fetch: bool,
    /// Its bytes, padding included.
    pub bytes: u64,
    /// The bytes of all buffers touched from the step of its last use to this one, with both.
    pub distance: u64,
}

/// What every step of an entry touches at a batch of `rows`, each buffer at most once read and once
/// written.
pub fn traffic(program: &Program, entry: &Routine, rows: u64) -> Vec<Vec<Touch>> {
    let places: Vec<Range<u64>> =
        program.buffers.iter().map(|buffer| place(buffer, program.batch)).collect();
    let touches = |step: &Step| touches(program, &places, &step.kernel, rows);
    let mut steps: Vec<Vec<Touch>> = entry.steps.iter().map(touches).collect();
    measure(&places, &mut steps);
    for touch in steps.iter_mut().flatten() {
        // Buffers may lie in the same place one after the other.
        touch.distance = touch.distance.min(program.arena_bytes);
    }
    steps
}

/// The bytes of the arena that a buffer takes.
fn place(buffer: &Buffer, batch: u64) -> Range<u64> {
    let bytes = buffer.bytes(batch).unwrap_or(0);
    buffer.offset..buffer.offset.saturating_add(bytes)
}

/// Whether two buffers share bytes.
fn overlap(places: &[Range<u64>], a: BufferId, b: BufferId) -> bool {
    let (a, b) = (&places[a.0 as usize], &places[b.0 as usize]);
    a.start < b.end && b.start < a.end
}

fn touches(program: &Program, places: &[Range<u64>], kernel: &Kernel, rows: u64) -> Vec<Touch> {
    let access = kernel.access();
    let reads = access.reads().map(|buffer| (buffer, false));
    let writes = access.writes.iter().map(|&buffer| (buffer, true));
    let mut touches: Vec<Touch> = Vec::new();
    let size = |id: BufferId| program.buffers[id.0 as usize].bytes(rows).unwrap_or(0);
    let written = access.writes.iter().fold(0u64, |sum, &id| sum.saturating_add(size(id)));
    for (buffer, write) in reads.chain(writes) {
        if !touches.iter().any(|touch| (touch.buffer, touch.write) == (buffer, write)) {
            let is_partial = !write && kernel.reads_part_of() == Some(buffer);
            let bytes = size(buffer).min(if is_partial { written } else { u64::MAX });
            let in_place = touches.iter().any(|touch| overlap(places, touch.buffer, buffer));
            touches.push(Touch { buffer, write, fetch: !in_place, bytes, distance: 0 });
        }
    }
    touches
}

/// Sets the distances of the second of two runs, before which everything has been used.
fn measure(places: &[Range<u64>], steps: &mut [Vec<Touch>]) {
    let count = steps.len();
    let mut uses = Uses(BTreeMap::new());
    // The bytes of each buffer, at the time of its last use.
    let mut bytes = Sums(vec![0; 2 * count]);
    let mut last: Vec<Option<usize>> = vec![None; places.len()];
    for now in 0..2 * count {
        let touches = &mut steps[now % count];
        let place = |touch: &Touch| &places[touch.buffer.0 as usize];
        let before: Vec<usize> =
            touches.iter().map(|touch| uses.last(place(touch)).unwrap_or(0)).collect();
        for touch in touches.iter() {
            if let Some(last) = last[touch.buffer.0 as usize].replace(now) {
                bytes.add(last, -i128::from(touch.bytes));
            }
            bytes.add(now, touch.bytes.into());
            uses.add(place(touch), now);
        }
        for (touch, before) in touches.iter_mut().zip(before) {
            touch.distance = u64::try_from(bytes.from(before)).unwrap_or(u64::MAX);
        }
    }
}

/// When each part of the arena was last used: by its first byte, its end and the time.
struct Uses(BTreeMap<u64, (u64, usize)>);

impl Uses {
    /// The parts that share bytes with a place. Who asks for them makes them one by [`Uses::add`],
    /// so there are few.
    fn parts(&self, place: &Range<u64>) -> impl Iterator<Item = (u64, (u64, usize))> {
        let before = self.0.range(..=place.start).next_back();
        let before = before.filter(|&(_, &(end, _))| end > place.start);
        let within = (Bound::Excluded(place.start), Bound::Excluded(place.end));
        let parts = before.into_iter().chain(self.0.range(within));
        parts.map(|(&start, &part)| (start, part))
    }

    /// The last use of anything in a place.
    fn last(&self, place: &Range<u64>) -> Option<usize> {
        self.parts(place).map(|(_, (_, time))| time).max()
    }

    /// Notes that all of a place is used now.
    fn add(&mut self, place: &Range<u64>, now: usize) {
        let parts: Vec<_> = self.parts(place).collect();
        for (start, (end, time)) in parts {
            self.0.remove(&start);
            if start < place.start {
                self.0.insert(start, (place.start, time));
            }
            if end > place.end {
                self.0.insert(place.end, (end, time));
            }
        }
        self.0.insert(place.start, (place.end, now));
    }
}

/// Numbers whose last ones can be added up quickly: a Fenwick tree from the end.
struct Sums(Vec<i128>);

impl Sums {
    /// Adds to the number at `at`.
    fn add(&mut self, at: usize, number: i128) {
        let mut at = self.0.len() - at;
        while at <= self.0.len() {
            self.0[at - 1] += number;
            at += at & at.wrapping_neg();
        }
    }

    /// The sum of the numbers from `first` on.
    fn from(&self, first: usize) -> i128 {
        let mut at = self.0.len() - first;
        let mut sum = 0;
        while at > 0 {
            sum += self.0[at - 1];
            at &= at - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Expr, Instr, Layout, Load, Opcode, Origin, Rows, Spread, Value};
    use pretty_assertions::assert_eq;

    /// y = |x|
    fn map(x: u32, y: u32) -> Step {
        let kernel = Kernel::Map(Expr {
            loads: vec![Load { buffer: BufferId(x), spread: Spread::Full }],
            code: vec![Instr { op: Opcode::Abs, args: [Value::Load(0); 3] }],
            stores: vec![(Value::Instr(0), BufferId(y))],
            ..Expr::default()
        });
        Step { kernel, origin: Origin::default(), flops: 0 }
    }

    /// Buffers of so many vectors a row, side by side, but for the last, which lies on the first.
    fn program(vectors: &[u64]) -> Program {
        let mut program = Program { batch: 4, ..Program::default() };
        for vectors in vectors {
            let layout = Layout::matrix(Rows { count: 1, batched: true }, vectors * 16);
            let offset = program.arena_bytes;
            program.arena_bytes += layout.bytes(program.batch).unwrap();
            program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        }
        let first = program.buffers[0];
        program.buffers.push(first);
        program
    }

    #[test]
    fn a_step_moves_what_it_reads_and_what_it_writes() {
        let program = program(&[1, 2]);
        let entry = Routine { steps: vec![map(0, 1), map(1, 1)], ..Routine::default() };
        let steps = traffic(&program, &entry, 2);
        let bytes: Vec<Vec<(bool, u64)>> = (steps.iter())
            .map(|step| step.iter().map(|touch| (touch.write, touch.bytes)).collect())
            .collect();
        let expected = [[(false, 2 * 64), (true, 2 * 128)], [(false, 2 * 128), (true, 2 * 128)]];
        assert_eq!(bytes, expected.map(Vec::from));
        let fetches = |step: usize| [steps[step][0].fetch, steps[step][1].fetch];
        assert_eq!([fetches(0), fetches(1)], [[true, true], [true, false]]);
    }

    #[test]
    fn a_distance_counts_what_was_touched_since_the_last_use() {
        // 0 -> 1 -> 2 -> 3, and again from 0: vectors of 64 bytes, 4 rows.
        let program = program(&[1, 2, 3, 4]);
        let entry = Routine { steps: vec![map(0, 1), map(1, 2), map(2, 3)], ..Routine::default() };
        let steps = traffic(&program, &entry, 4);
        let distances: Vec<[u64; 2]> =
            steps.iter().map(|step| [step[0].distance, step[1].distance]).collect();
        let vectors = |count: u64| count * 4 * 64;
        let all = vectors(1 + 2 + 3 + 4);
        // What the step before wrote is near; what only the run before touched is as far as all.
        let expected = [[all, all], [vectors(1 + 2 + 3), all], [vectors(2 + 3 + 4), all]];
        assert_eq!(distances, expected);
    }

    #[test]
    fn a_place_is_near_whatever_it_is_called() {
        // Buffer 3 lies where buffer 0 does.
        let program = program(&[1, 2, 3]);
        let entry = Routine { steps: vec![map(0, 1), map(2, 3)], ..Routine::default() };
        let steps = traffic(&program, &entry, 4);
        assert_eq!(steps[1][1].distance, (1 + 2 + 3) * 4 * 64);
    }

    /// The bytes touched from the last use of the buffer's place before a step to the step itself,
    /// by going back step by step.
    fn distance(places: &[Range<u64>], steps: &[Vec<Touch>], step: usize, own: BufferId) -> u64 {
        let mut seen = vec![false; places.len()];
        let (mut bytes, count) = (0, steps.len());
        for back in 0..=count {
            let touches = &steps[(step + count - back) % count];
            for touch in touches {
                if !std::mem::replace(&mut seen[touch.buffer.0 as usize], true) {
                    bytes += touch.bytes;
                }
            }
            if back > 0 && touches.iter().any(|touch| overlap(places, touch.buffer, own)) {
                break;
            }
        }
        bytes
    }

    #[test]
    fn distances_are_those_found_by_going_back() {
        // Buffers that lie anywhere over each other, touched in a fixed disorder.
        let mut state = 1u64;
        let mut below = |count: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % count
        };
        for count in 1..40 {
            let places: Vec<Range<u64>> = (0..9)
                .map(|_| {
                    let start = below(12);
                    start..start + 1 + below(5)
                })
                .collect();
            let mut steps: Vec<Vec<Touch>> = Vec::new();
            for _ in 0..count {
                let touch = |index: u64| {
                    let buffer = BufferId(index as u32);
                    let place = &places[index as usize];
                    let bytes = place.end - place.start;
                    Touch { buffer, write: false, fetch: true, bytes, distance: 0 }
                };
                steps.push((0..1 + below(3)).map(|_| touch(below(9))).collect());
            }
            measure(&places, &mut steps);
            for (index, step) in steps.iter().enumerate() {
                for touch in step {
                    let expected = distance(&places, &steps, index, touch.buffer);
                    assert_eq!(touch.distance, expected, "{count} steps, step {index}, {touch:?}");
                }
            }
        }
    }
}
