//! How the threads of a run share the steps of an entry.
//!
//! A step whose result has a row for each row of the batch is split by rows: a thread computes the
//! rows that are its own in every such step, so it may go on to the next without waiting for the
//! others. Other steps are split into parts of whole tiles, or left to the first thread. A barrier
//! stands only where a step touches bytes that another thread may have written, or may still read.
//! Within a step, no thread touches what another one writes. Columns are summed beside a product by
//! the thread that has them, and where its rows are split, by the one that has the first row.

use crate::program::{Buffer, BufferId, Division, EntryPoint, Gemm, Kernel, Layout, Program, Step};
use crate::simd::LANES;
use std::collections::HashSet;

/// An entry with less work than this, some ten microseconds, runs on one thread: waking the others
/// and waiting for them costs about as much as they save.
const FLOPS_WORTH_THREADS: u64 = 1_000_000;
/// A step with less work than this, about a microsecond, is not split into parts.
const FLOPS_WORTH_PARTS: u64 = 100_000;

/// After so many buffers, there is a barrier anyway: it costs little for so many steps, and finding
/// out would take longer and longer.
const MOST_TOUCHES: usize = 256;

/// How a step is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// By the rows of the batch.
    Rows,
    /// By what else its result is made of.
    Parts,
    /// Not at all.
    Alone,
}

/// What the threads do at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How they split it.
    pub split: Split,
    /// How many take part.
    pub threads: usize,
    /// Whether all wait for each other before it.
    pub barrier: bool,
}

/// The weights that an entry changes.
type Trained = HashSet<BufferId>;

/// How a kernel of an entry can be split between so many threads.
fn split(program: &Program, trained: &Trained, kernel: &Kernel, threads: usize) -> Split {
    let Division { rows_of, parts } = kernel.division();
    let rows = rows_of.map(|id| &program.buffers[id.0 as usize]).filter(|rows| is_batched(rows));
    let pays = |rows: &&Buffer| match (kernel, rows.layout) {
        (Kernel::Gemm(gemm), Layout::Rows { cols, .. }) => {
            pays_by_rows(program, trained, gemm, cols, threads)
        }
        _ => true,
    };
    match rows.filter(pays) {
        Some(_) => Split::Rows,
        None if parts => Split::Parts,
        None => Split::Alone,
    }
}

/// Whether a product of `n` columns is better split by its rows than by its columns.
fn pays_by_rows(program: &Program, trained: &Trained, gemm: &Gemm, n: u64, threads: usize) -> bool {
    let rows = program.batch / threads as u64;
    // Few rows for each thread would leave tiles unfilled, and each thread transposes all of B.
    let filled = rows >= if gemm.b_transposed { 256 } else { 2 * LANES as u64 };
    // A weight that the entry changes comes from the core that has changed it, all of it where rows
    // are split; where columns are, it stays, and the rows of A come from the others.
    filled && (program.batch >= n || !trained.contains(&gemm.b))
}

/// The shares of an entry's steps.
pub fn shares(program: &Program, entry: EntryPoint, threads: usize) -> Vec<Share> {
    let steps = &program.routines[entry].steps;
    let flops = steps.iter().fold(0, |sum: u64, step| sum.saturating_add(step.flops));
    if threads == 1 || flops < FLOPS_WORTH_THREADS {
        let alone = Share { split: Split::Alone, threads: 1, barrier: false };
        return vec![alone; steps.len()];
    }
    let writes = |step: &Step| step.kernel.access().writes;
    let trained: Trained = steps.iter().flat_map(writes).collect();
    // What has been touched since the last barrier.
    let mut touched: Vec<Touch> = Vec::new();
    let share = |step: &Step| {
        let split = match split(program, &trained, &step.kernel, threads) {
            Split::Parts if step.flops < FLOPS_WORTH_PARTS => Split::Alone,
            split => split,
        };
        let touches = touches(program, &step.kernel, split);
        let meets = |own| touched.iter().any(|other: &Touch| other.meets(own));
        let barrier = touched.len() > MOST_TOUCHES || touches.iter().any(meets);
        if barrier {
            touched.clear();
        }
        touched.extend(touches);
        Share { split, threads: if split == Split::Alone { 1 } else { threads }, barrier }
    };
    steps.iter().map(share).collect()
}

/// A step's access to a buffer.
#[derive(Clone, Copy, Debug)]
struct Touch {
    buffer: Buffer,
    /// One past its last byte.
    end: u64,
    written: bool,
    split: Split,
}

fn touches(program: &Program, kernel: &Kernel, split: Split) -> Vec<Touch> {
    let access = kernel.access();
    let touch = |id: BufferId, written| {
        let buffer = program.buffers[id.0 as usize];
        let bytes = buffer.bytes(program.batch).expect("a verified layout has a size");
        Touch { buffer, end: buffer.offset + bytes, written, split }
    };
    let reads = access.reads().map(|id| touch(id, false));
    reads.chain(access.writes.iter().map(|&id| touch(id, true))).collect()
}

impl Touch {
    /// Whether another thread must have done with this before `next`.
    fn meets(&self, next: &Touch) -> bool {
        let apart = self.end <= next.buffer.offset || next.end <= self.buffer.offset;
        let alone = self.split == Split::Alone && next.split == Split::Alone;
        // Split by rows, a step touches of what is batched only the thread's own rows.
        let by_rows = self.split == Split::Rows && next.split == Split::Rows;
        let own_rows = by_rows && self.buffer == next.buffer && is_batched(&self.buffer);
        (self.written || next.written) && !(apart || alone || own_rows)
    }
}

fn is_batched(buffer: &Buffer) -> bool {
    buffer.layout.shape().0.batched
}
