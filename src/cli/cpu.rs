//! `arenet cpu`: what this machine offers.

use std::fs;

use arenet::internals::runtime::limits::memory_limit;
use arenet::internals::runtime::machine::{self, Cache, Content};
use arenet::internals::runtime::simd::Isa;
use clap::Args;

use super::{Context, console, failure::Failure, units};

/// Nothing to choose.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet cpu")]
pub struct CpuArgs {}

/// Prints the processor, its caches, the memory limit, each instruction set with its peak, and how
/// fast memory is read.
pub fn run(cx: &Context, _: &CpuArgs) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut text = String::new();
    if let Some(name) = processor() {
        text.push_str(&format!("processor  {name}\n"));
    }
    text.push_str(&format!("cores      {cores}\n"));
    let caches: Vec<String> = machine::caches().iter().map(describe).collect();
    if !caches.is_empty() {
        text.push_str(&format!("caches     {}\n", caches.join(", ")));
    }
    text.push_str(&format!("memory     {} for an arena\n", units::bytes(memory_limit())));
    let used = cx.global.exec().isa.unwrap_or_else(Isa::detect);
    for isa in Isa::ALL {
        let state = match isa.is_supported() {
            false => "not on this machine".to_string(),
            true => format!("FMA peak of one core {:.1} GFLOP/s", machine::fma_peak(isa)),
        };
        let mark = if isa == used { "  (in use)" } else { "" };
        text.push_str(&format!("{:<10} {state}{mark}\n", isa.name()));
    }
    let reader = if used.is_supported() { used } else { Isa::detect() };
    let levels = machine::levels(reader).into_iter();
    let reads: Vec<String> =
        levels.map(|level| format!("{} {:.1} GB/s", level.name, level.read)).collect();
    text.push_str(&format!("reading    {} by one core\n", reads.join(", ")));
    console::print(text)
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

fn describe(cache: &Cache) -> String {
    let content = match cache.content {
        Content::Data => " data",
        Content::Instructions => " instruction",
        Content::Both => "",
    };
    format!("L{}{content} {}", cache.level, units::bytes(cache.bytes))
}
