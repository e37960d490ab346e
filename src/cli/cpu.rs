//! `arenet cpu`: what this machine offers.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use arenet::runtime::limits::memory_limit;
use arenet::runtime::simd::{Isa, LANES, Simd, Task};
use clap::Args;

use super::{Context, console, failure::Failure, units};

/// Nothing to choose.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet cpu")]
pub struct CpuArgs {}

/// Prints the processor, its caches, the memory limit, and each instruction set with its peak.
pub fn run(cx: &Context, _: &CpuArgs) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut text = String::new();
    if let Some(name) = processor() {
        text.push_str(&format!("processor  {name}\n"));
    }
    text.push_str(&format!("cores      {cores}\n"));
    let caches = caches();
    if !caches.is_empty() {
        text.push_str(&format!("caches     {}\n", caches.join(", ")));
    }
    text.push_str(&format!("memory     {} for an arena\n", units::bytes(memory_limit())));
    let used = cx.global.exec().isa.unwrap_or_else(Isa::detect);
    for isa in Isa::ALL {
        let state = match isa.is_supported() {
            false => "not on this machine".to_string(),
            true => format!("FMA peak of one core {:.1} GFLOP/s", peak(isa)),
        };
        let mark = if isa == used { "  (in use)" } else { "" };
        text.push_str(&format!("{:<10} {state}{mark}\n", isa.name()));
    }
    console::print(text)
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

/// The caches of the first core, as `L1 data 48K`.
fn caches() -> Vec<String> {
    let folder = Path::new("/sys/devices/system/cpu/cpu0/cache");
    let read = |index: usize, file: &str| {
        let text = fs::read_to_string(folder.join(format!("index{index}/{file}"))).ok()?;
        Some(text.trim().to_string())
    };
    let describe = |index| {
        let (level, size) = (read(index, "level")?, read(index, "size")?);
        let kind = match read(index, "type")?.as_str() {
            "Data" => " data",
            "Instruction" => " instruction",
            _ => "",
        };
        Some(format!("L{level}{kind} {size}"))
    };
    (0..8).map_while(describe).collect()
}

/// The most floating-point operations a nanosecond that chains of fused multiply-adds reach.
fn peak(isa: Isa) -> f64 {
    const TIME: Duration = Duration::from_millis(60);
    const ROUNDS: usize = 2_000;
    let mut best = f64::INFINITY;
    let start = Instant::now();
    let mut flops = 0;
    while start.elapsed() < TIME {
        let round = Instant::now();
        flops = isa.dispatch(Chains { rounds: ROUNDS });
        best = best.min(round.elapsed().as_nanos() as f64);
    }
    flops as f64 / best
}

/// Independent chains of fused multiply-adds, as many as the matrix product keeps in registers.
struct Chains {
    rounds: usize,
}

impl Task for Chains {
    /// The operations done.
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
