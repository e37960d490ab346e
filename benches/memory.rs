//! The memory of a step, as a table: `cargo bench -p arenet-benches --bench memory`.
//!
//! The arena is planned by the compiler, and its lower bound is the most bytes alive at once. What
//! the process takes beside it is measured from outside: each workload is compiled and stepped in
//! a process of its own, and its growth is the peak of resident memory (VmHWM of Linux) above what
//! was resident after a tiny net of the same kind had been compiled and stepped, so that neither
//! the code nor the parts of it that are loaded when first used count. peers/memory.py measures
//! other frameworks in the same way.

use arenet::internals::runtime::exec::EntryPoint;
use arenet_benches::shared::{self, Stepper};
use arenet_benches::workloads::{Workload, workloads};
use std::process::Command;
use std::{env, fs};

/// Asks a process for the growth of one workload.
const GROWTH: &str = "--growth";

fn main() {
    let args: Vec<String> = env::args().collect();
    match args.iter().position(|arg| arg == GROWTH).and_then(|at| args.get(at + 1)) {
        Some(name) => println!("{}", growth(&named(name)).unwrap_or(0)),
        None => table(),
    }
}

fn named(name: &str) -> Workload {
    let found = workloads().into_iter().find(|workload| workload.name == name);
    found.unwrap_or_else(|| panic!("no workload is named {name}"))
}

fn table() {
    println!("| step | arena | lower bound | ratio | growth of the process |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for workload in workloads() {
        let executor = executor(&workload);
        let program = executor.program();
        let bounds = EntryPoint::ALL.map(|entry| program.routines[entry].lower_bound);
        let bound = bounds.into_iter().max().unwrap_or(0);
        let ratio = program.arena_bytes as f64 / bound as f64;
        let process = env::current_exe()
            .and_then(|own| Command::new(own).args([GROWTH, &workload.name]).output());
        let output = process.expect("a program can run itself").stdout;
        let grown = String::from_utf8_lossy(&output).trim().parse().unwrap_or(0);
        let [arena, bound, grown] = [program.arena_bytes, bound, grown].map(kib);
        println!("| {} | {arena} | {bound} | {ratio:.2} | {grown} |", workload.name);
    }
}

fn executor(workload: &Workload) -> arenet::internals::runtime::exec::Executor {
    let training = workload.optimizer.is_some();
    shared::executor(&workload.source(), training, Some(workload.batch as u64))
}

fn kib(bytes: u64) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}

/// The growth of this process, in bytes, by compiling a workload and stepping. Nothing where the
/// system does not tell.
fn growth(workload: &Workload) -> Option<u64> {
    let tiny = Workload { sizes: vec![3, 3, 2], batch: 1, ..workload.clone() };
    step(&tiny);
    let before = status("VmRSS:")?;
    fs::write("/proc/self/clear_refs", "5").ok()?; // the peak begins anew
    step(workload);
    status("VmHWM:")?.checked_sub(before)
}

fn step(workload: &Workload) {
    let training = workload.optimizer.is_some();
    let mut stepper = Stepper::new(&workload.source(), training, workload.batch as u64);
    for _ in 0..3 {
        stepper.step();
    }
}

/// A size of this process, in bytes.
fn status(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
