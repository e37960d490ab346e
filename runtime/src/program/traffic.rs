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

use super::{Buffer, BufferId, Entry, Kernel, Program, Step};
use std::ops::Range;

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
pub fn traffic(program: &Program, entry: &Entry, rows: u64) -> Vec<Vec<Touch>> {
    let places: Vec<Range<u64>> =
        program.buffers.iter().map(|buffer| place(buffer, program.batch)).collect();
    let touches = |step: &Step| touches(program, &places, &step.kernel, rows);
    let steps: Vec<Vec<Touch>> = entry.steps.iter().map(touches).collect();
    let distance = |step: usize, touch: &Touch| {
        // Buffers may lie in the same place one after the other.
        distance(&places, &steps, step, touch.buffer).min(program.arena_bytes)
    };
    let with_distance = |(index, step): (usize, &Vec<Touch>)| {
        step.iter().map(|touch| Touch { distance: distance(index, touch), ..*touch }).collect()
    };
    steps.iter().enumerate().map(with_distance).collect()
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
    for (buffer, write) in reads.chain(writes) {
        if !touches.iter().any(|touch| (touch.buffer, touch.write) == (buffer, write)) {
            let bytes = program.buffers[buffer.0 as usize].bytes(rows).unwrap_or(0);
            let in_place = touches.iter().any(|touch| overlap(places, touch.buffer, buffer));
            touches.push(Touch { buffer, write, fetch: !in_place, bytes, distance: 0 });
        }
    }
    touches
}

/// The bytes touched from the last use of the buffer's place before a step to the step itself.
fn distance(places: &[Range<u64>], steps: &[Vec<Touch>], step: usize, buffer: BufferId) -> u64 {
    let mut seen = vec![false; places.len()];
    let mut bytes = 0u64;
    let count = steps.len();
    for back in 0..=count {
        let touches = &steps[(step + count - back) % count];
        for touch in touches {
            if !std::mem::replace(&mut seen[touch.buffer.0 as usize], true) {
                bytes = bytes.saturating_add(touch.bytes);
            }
        }
        if back > 0 && touches.iter().any(|touch| overlap(places, touch.buffer, buffer)) {
            break;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{DType, Expr, Instr, Layout, Load, Opcode, Origin, Rows, Spread, Value};
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
        let entry = Entry { steps: vec![map(0, 1), map(1, 1)], ..Entry::default() };
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
        let entry = Entry { steps: vec![map(0, 1), map(1, 2), map(2, 3)], ..Entry::default() };
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
        let entry = Entry { steps: vec![map(0, 1), map(2, 3)], ..Entry::default() };
        let steps = traffic(&program, &entry, 4);
        assert_eq!(steps[1][1].distance, (1 + 2 + 3) * 4 * 64);
    }
}
