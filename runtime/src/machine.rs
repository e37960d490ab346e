//! What one core of this machine can do at most: multiply-adds in registers, and bytes from each
//! level of its memory. These are the limits that a kernel's speed is held against.
//!
//! Speeds are in units a nanosecond: FLOP/ns is GFLOP/s, and a byte a nanosecond is a GB/s.

use crate::arena::Arena;
use crate::limits::memory_limit;
use crate::simd::{Isa, LANES, Simd, Task};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long one speed is measured; the best round counts, as noise only ever slows.
const TIME: Duration = Duration::from_millis(60);
/// And at a glance.
const GLANCE: Duration = Duration::from_millis(3);
/// The bytes of a round that reads a block which a cache holds: enough to hide a clock's cost.
const ROUND_BYTES: usize = 1 << 20;

/// Independent chains of fused multiply-adds, as many as the matrix product keeps in registers and
/// enough to hide their latency. Gives the floating-point operations done.
#[derive(Clone, Copy, Debug)]
pub struct Chains {
    /// The multiply-adds of each chain.
    pub rounds: usize,
}

impl Task for Chains {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        match S::TILE_VECTORS {
            1 => chains::<S, 6>(s, self.rounds),
            _ => chains::<S, 24>(s, self.rounds),
        }
    }
}

#[inline(always)]
fn chains<S: Simd, const N: usize>(s: S, rounds: usize) -> usize {
    let x = s.splat(black_box(0.5));
    let mut sums = [s.splat(black_box(1.0)); N];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = s.mul_add(*sum, x, x);
        }
    }
    for sum in sums {
        black_box(s.to_array(sum));
    }
    2 * LANES * N * rounds
}

/// Reads all of a block several times, adding it up in eight vectors: four parts of it side by
/// side, as one alone does not keep the way to memory busy.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// What is read; floats beyond the last whole 128 are not.
    pub block: &'a [f32],
    /// How often.
    pub rounds: usize,
}

impl Task for Read<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut sums = [[s.splat(0.0); 2]; 4];
        for _ in 0..self.rounds {
            let pairs = black_box(self.block).as_chunks::<LANES>().0.as_chunks::<2>().0;
            let quarter = pairs.len() / 4;
            let (a, b) = (&pairs[..quarter], &pairs[quarter..2 * quarter]);
            let (c, d) = (&pairs[2 * quarter..3 * quarter], &pairs[3 * quarter..4 * quarter]);
            for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
                for (sums, pair) in sums.iter_mut().zip([a, b, c, d]) {
                    for (sum, vector) in sums.iter_mut().zip(pair) {
                        *sum = s.add(*sum, s.from_array(*vector));
                    }
                }
            }
        }
        for sum in sums.into_iter().flatten() {
            black_box(s.to_array(sum));
        }
    }
}

/// Reads several lists and writes as many, element by element, with almost no arithmetic between:
/// the traffic of an update.
#[derive(Debug)]
pub struct Rewrite<'a, const N: usize> {
    /// What is only read.
    pub source: &'a [f32],
    /// What is read and written, lists of the same length.
    pub lists: [&'a mut [f32]; N],
}

impl<const N: usize> Task for Rewrite<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let source = self.source.as_chunks::<LANES>().0;
        let mut lists = self.lists.map(|list| list.as_chunks_mut::<LANES>().0.iter_mut());
        for vector in source {
            let x = s.from_array(*vector);
            for value in lists.iter_mut().filter_map(Iterator::next) {
                *value = s.to_array(s.add(s.from_array(*value), x));
            }
        }
    }
}

/// The most floating-point operations a nanosecond that one core does.
pub fn fma_peak(isa: Isa) -> f64 {
    peak(isa, TIME)
}

fn peak(isa: Isa, time: Duration) -> f64 {
    let mut flops = 0;
    let best = best_of(time, || flops = isa.dispatch(Chains { rounds: 2_000 }));
    flops as f64 / best
}

/// The most bytes a nanosecond that one core reads from a block of so many bytes, again and again.
/// `None` where the system has no such memory.
pub fn read_speed(isa: Isa, bytes: usize) -> Option<f64> {
    speed(isa, bytes, TIME)
}

fn speed(isa: Isa, bytes: usize, time: Duration) -> Option<f64> {
    let grain = 8 * LANES;
    let floats = (bytes / 4).max(1).next_multiple_of(grain);
    let mut arena = Arena::new(4 * floats)?; // aligned as the kernels' buffers are
    arena.floats_mut(0, floats).fill(1.0);
    let (block, rounds) = (arena.floats(0, floats), (ROUND_BYTES / (4 * floats)).max(1));
    let best = best_of(time, || isa.dispatch(Read { block, rounds }));
    Some((4 * floats * rounds) as f64 / best)
}

/// The nanoseconds of the fastest of many runs.
fn best_of(time: Duration, mut run: impl FnMut()) -> f64 {
    run();
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed() < time {
        let round = Instant::now();
        run();
        best = best.min(round.elapsed().as_nanos() as f64);
    }
    best.max(1.0)
}

/// The nanoseconds that reading the clock takes, which an interval between two readings contains.
pub fn clock_cost() -> f64 {
    const READINGS: u32 = 1_000;
    let best = best_of(TIME, || {
        for _ in 0..READINGS {
            black_box(Instant::now());
        }
    });
    best / f64::from(READINGS)
}

/// A cache of the first core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    /// 1 is the nearest.
    pub level: u32,
    /// What it holds.
    pub content: Content,
    /// Its size.
    pub bytes: u64,
}

/// What a cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Data alone.
    Data,
    /// Instructions alone.
    Instructions,
    /// Both.
    Both,
}

/// The caches of the first core, the nearest first; none where the system does not tell.
pub fn caches() -> Vec<Cache> {
    let folder = Path::new("/sys/devices/system/cpu/cpu0/cache");
    let read = |index: usize, file: &str| {
        let text = fs::read_to_string(folder.join(format!("index{index}/{file}"))).ok()?;
        Some(text.trim().to_string())
    };
    let cache = |index| {
        let content = match read(index, "type")?.as_str() {
            "Data" => Content::Data,
            "Instruction" => Content::Instructions,
            _ => Content::Both,
        };
        let level = read(index, "level")?.parse().ok()?;
        Some(Cache { level, content, bytes: parse_size(&read(index, "size")?)? })
    };
    (0..8).map_while(cache).collect()
}

/// The caches of the first core that hold data, one of each level.
fn caches_of_data() -> Vec<Cache> {
    let mut caches = caches();
    caches.retain(|cache| cache.content != Content::Instructions && cache.bytes <= 1 << 30);
    caches.dedup_by_key(|cache| cache.level);
    caches
}

/// The bytes of a size as Linux writes it: `32K`.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix('K') {
        Some(number) => (number, 1 << 10),
        None => {
            (text.strip_suffix('M').unwrap_or(text), if text.ends_with('M') { 1 << 20 } else { 1 })
        }
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A level of memory, and how fast one core reads from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// `L1`, `L2`, `L3`, or `memory`.
    pub name: String,
    /// The bytes it holds; of memory, all.
    pub bytes: u64,
    /// Bytes a nanosecond.
    pub read: f64,
}

/// What one core can do at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Floating-point operations a nanosecond.
    pub peak: f64,
    /// The levels of memory, the nearest first; at least one.
    pub levels: Vec<Level>,
}

impl Machine {
    /// Measures it with an instruction set, in some tenths of a second.
    pub fn measure(isa: Isa) -> Machine {
        Machine { peak: fma_peak(isa), levels: levels(isa) }
    }

    /// Measures it in some milliseconds, as far as a program with so many bytes reaches; nothing
    /// where these do not fit a cache, as the speed of memory takes longer to measure.
    pub fn glance(isa: Isa, bytes: u64) -> Option<Machine> {
        let mut levels = caches_of_data();
        let last = levels.iter().position(|cache| bytes <= cache.bytes)?;
        levels.truncate(last + 1);
        let level = |cache: Cache| {
            let read = speed(isa, cache.bytes as usize / 2, GLANCE)?;
            Some(Level { name: format!("L{}", cache.level), bytes: cache.bytes, read })
        };
        let levels: Option<Vec<Level>> = levels.into_iter().map(level).collect();
        Some(Machine { peak: peak(isa, GLANCE), levels: levels? })
    }

    /// The index of the level that data comes from, if so many bytes were touched since its last
    /// use: the first that holds them all.
    pub fn level_of(&self, bytes: u64) -> usize {
        let holds = self.levels.iter().position(|level| bytes <= level.bytes);
        holds.unwrap_or(self.levels.len() - 1)
    }
}

/// Measures the read speed of every level. A block of half a cache's size is certain to stay in
/// it beside what else runs; one of four times the largest cache comes from memory.
pub fn levels(isa: Isa) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    for cache in caches_of_data() {
        let name = format!("L{}", cache.level);
        let read = read_speed(isa, cache.bytes as usize / 2);
        levels.extend(read.map(|read| Level { name, bytes: cache.bytes, read }));
    }
    let largest = levels.last().map_or(0, |level| level.bytes);
    let block = (4 * largest).clamp(64 << 20, 512 << 20).min(memory_limit() / 4);
    let read = read_speed(isa, block as usize)
        .or_else(|| levels.last().map(|level| level.read))
        .unwrap_or(f64::INFINITY);
    levels.push(Level { name: "memory".to_string(), bytes: u64::MAX, read });
    levels
}
