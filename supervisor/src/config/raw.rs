//! What the configuration file says, word by word: the spelling of its keys and nothing else. Unknown keys are errors.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) db: Option<PathBuf>,
    #[serde(default)]
    pub(super) pools: BTreeMap<String, RawPool>,
    #[serde(default)]
    pub(super) queues: BTreeMap<String, RawQueue>,
    #[serde(default)]
    pub(super) kinds: BTreeMap<String, RawKind>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPool {
    pub(super) command: Option<Vec<String>>,
    #[serde(default)]
    pub(super) stock: bool,
    pub(super) queues: Option<RawQueues>,
    pub(super) channel: Option<String>,
    pub(super) workers: Option<i64>,
    #[serde(default)]
    pub(super) env: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKind {
    pub(super) run: Option<Vec<String>>,
    pub(super) queue: Option<String>,
    /// Durations are text with units: `90s`, `1h 30m`.
    pub(super) timeout: Option<String>,
    pub(super) max_attempts: Option<i64>,
    pub(super) max_crashes: Option<i64>,
    #[serde(default)]
    pub(super) backoff: RawBackoff,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBackoff {
    pub(super) base: Option<String>,
    pub(super) cap: Option<String>,
    pub(super) jitter: Option<f64>,
}

/// The queues of a pool: their names, or with their weights.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawQueues {
    Names(Vec<String>),
    Weights(BTreeMap<String, i64>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueue {
    pub(super) limit: Option<i64>,
    pub(super) limit_per_key: Option<i64>,
    pub(super) order: Option<String>,
    #[serde(default)]
    pub(super) weights: BTreeMap<String, i64>,
    pub(super) rate: Option<RawRate>,
    #[serde(default)]
    pub(super) rates: BTreeMap<String, RawRate>,
    /// A duration, or `off`.
    pub(super) aging: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRate {
    pub(super) allowed: Option<i64>,
    pub(super) per: Option<String>,
    pub(super) cost: Option<i64>,
}
