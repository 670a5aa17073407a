//! What the machine has to know of its host. Values; the shell finds them out.

/// Fixed for a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// What all workers together may have in memory, by what their pools declare.
    pub memory_budget_bytes: u64,
    pub memory_cap: MemoryCap,
}

/// Who ends a worker that has more in memory than its pool's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryCap {
    /// The system, in the moment.
    Hard,
    /// This machine, by samples.
    Soft,
}

impl Default for HostFacts {
    /// One without bounds.
    fn default() -> HostFacts {
        HostFacts { memory_budget_bytes: u64::MAX, memory_cap: MemoryCap::Soft }
    }
}
