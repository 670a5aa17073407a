//! What is seen of the host and of this process. Reads only.

use std::fs;

use nix::unistd::geteuid;
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::config::{Config, MemoryBudget, Prepared};
use crate::core::{HostFacts, MemoryCap};
use crate::shell::cgroup::{Layout, Verdict, memory_limit_bytes};
use crate::shell::shim::landlock_abi;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub kernel: String,
    pub uid: u32,
    pub cores: usize,
    /// Of the machine, or what our own control group may have of it.
    pub memory_bytes: u64,
    pub is_memory_limited: bool,
    /// What all workers together may have.
    pub memory_budget_bytes: u64,
    pub cgroup: Verdict,
    pub has_pidfd: bool,
    pub has_subreaper: bool,
    pub landlock_abi: Option<u32>,
    pub has_seccomp: bool,
    /// Pools whose workers run as root.
    pub root_pools: Vec<String>,
}

impl Facts {
    /// `cgroup` is what was had of control groups, or would be.
    pub fn here(config: &Config, cgroup: Verdict) -> Facts {
        let limit = memory_limit_bytes(&Layout::here());
        let physical = physical_memory_bytes(&read("/proc/meminfo"));
        let memory_bytes = limit.map_or(physical, |limit| limit.min(physical));
        Facts {
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            uid: geteuid().as_raw(),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
            memory_bytes,
            is_memory_limited: memory_bytes < physical,
            memory_budget_bytes: budget_bytes(config.host.memory, memory_bytes),
            cgroup,
            has_pidfd: pidfd_open(getpid(), PidfdFlags::empty()).is_ok(),
            has_subreaper: nix::sys::prctl::get_child_subreaper().is_ok(),
            landlock_abi: landlock_abi(),
            has_seccomp: fs::exists("/proc/sys/kernel/seccomp/actions_avail").unwrap_or(false),
            root_pools: root_pools(config),
        }
    }

    /// What decisions about processes depend on.
    pub fn for_machine(&self) -> HostFacts {
        let is_hard = self.cgroup.level.controllers().memory;
        let memory_cap = if is_hard { MemoryCap::Hard } else { MemoryCap::Soft };
        HostFacts { memory_budget_bytes: self.memory_budget_bytes, memory_cap }
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// Without a word of it, no limit at all: the kernel is the last judge.
fn physical_memory_bytes(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map_or(u64::MAX, |kib| kib.saturating_mul(1024))
}

fn budget_bytes(wanted: MemoryBudget, memory_bytes: u64) -> u64 {
    match wanted {
        MemoryBudget::Bytes(bytes) => bytes,
        MemoryBudget::Share(share) => (memory_bytes as f64 * share) as u64,
    }
}

fn root_pools(config: &Config) -> Vec<String> {
    let is_root = |pool: &&crate::config::Pool| {
        let prepared = Prepared::of(pool, &config.host).unwrap_or_default();
        prepared.identity.map_or_else(|| geteuid().is_root(), |identity| identity.uid == 0)
    };
    config.pools.iter().filter(is_root).map(|pool| pool.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_in_bytes_and_shared_out() {
        assert_eq!(physical_memory_bytes("MemFree: 1 kB\nMemTotal:       24683652 kB\n"), 24_683_652 * 1024);
        assert_eq!(physical_memory_bytes("MemTotal: many\n"), u64::MAX);
        assert_eq!(budget_bytes(MemoryBudget::Share(0.5), 4096), 2048);
        assert_eq!(budget_bytes(MemoryBudget::Bytes(9000), 4096), 9000);
    }

    #[test]
    fn this_host_is_seen() {
        let facts = Facts::here(&Config::default(), Verdict::default());
        assert!(facts.cores > 0 && facts.has_pidfd && facts.has_subreaper && facts.kernel.contains('.'), "{facts:?}");
        assert!(facts.memory_budget_bytes <= facts.memory_bytes && facts.memory_bytes < u64::MAX);
        assert_eq!(facts.for_machine().memory_cap, MemoryCap::Soft);
    }
}
