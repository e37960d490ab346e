//! What the machine, or the container around the process, leaves for an arena.

use std::fs;

/// 80% of the memory that the machine has, or that the process's cgroup may use if that is less.
/// 8 GiB where neither tells.
pub fn memory_limit() -> u64 {
    let total = machine_memory().unwrap_or(10 << 30);
    let allowed = cgroup_memory().map_or(total, |limit| limit.min(total));
    allowed / 10 * 8
}

/// `MemTotal` of /proc/meminfo, in bytes.
fn machine_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The limit of the process's own cgroup or of any above it, version 2.
fn cgroup_memory() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let own = std::path::Path::new("/sys/fs/cgroup").join(path);
    let limits = own.ancestors().take_while(|folder| folder.starts_with("/sys/fs/cgroup"));
    limits
        .filter_map(|folder| fs::read_to_string(folder.join("memory.max")).ok())
        .filter_map(|text| text.trim().parse().ok())
        .min()
}
