//! What the host gives. Values only.

use serde::{Deserialize, Serialize};

use crate::core::MemoryCap;
use crate::shell::host::{Facts, report};

/// The answer to `/v1/system`: as of the start of the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    pub kernel: String,
    pub uid: u32,
    pub cores: usize,
    /// Of the machine, or what the supervisor's own control group may have of it.
    pub memory_bytes: u64,
    /// What all workers together may have, by what their pools declare.
    pub memory_budget_bytes: u64,
    /// `hard`: enforced by the system; `soft`: measured.
    pub memory_cap: String,
    pub features: Vec<Feature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    pub feature: String,
    pub state: String,
    pub guarantee: String,
    /// What is lost here; absent when the guarantee is given.
    pub lost: Option<String>,
}

impl System {
    pub fn of(facts: &Facts) -> System {
        let features = report(facts).into_iter().map(|line| Feature {
            feature: line.feature.to_owned(),
            state: line.state,
            guarantee: line.guarantee.to_owned(),
            lost: line.lost,
        });
        let cap = facts.for_machine().memory_cap;
        System {
            kernel: facts.kernel.clone(),
            uid: facts.uid,
            cores: facts.cores,
            memory_bytes: facts.memory_bytes,
            memory_budget_bytes: facts.memory_budget_bytes,
            memory_cap: if cap == MemoryCap::Hard { "hard" } else { "soft" }.to_owned(),
            features: features.collect(),
        }
    }
}
