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
    #[serde(default)]
    pub(super) host: RawHost,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHost {
    /// A share of the memory that there is, `80%`, or a size.
    pub(super) memory: Option<String>,
    /// `auto`, `off`, or the folder of a group.
    pub(super) cgroup: Option<String>,
    #[serde(default)]
    pub(super) require_user: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPool {
    pub(super) command: Option<Vec<String>>,
    #[serde(default)]
    pub(super) stock: bool,
    pub(super) queues: Option<RawQueues>,
    pub(super) channel: Option<String>,
    pub(super) workers: Option<RawWorkers>,
    #[serde(default)]
    pub(super) scale: RawScale,
    #[serde(default)]
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) recycle: RawRecycle,
    pub(super) boot_timeout: Option<String>,
    #[serde(default)]
    pub(super) dump_on_hang: bool,
    pub(super) nice: Option<i64>,
    /// Octal digits.
    pub(super) umask: Option<String>,
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) env: Vec<String>,
    pub(super) env_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, PathBuf>,
}

/// A fixed number of workers, or from where to where it may go.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawWorkers {
    Fixed(i64),
    Range { min: Option<i64>, max: Option<i64> },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScale {
    pub(super) target_wait: Option<String>,
    pub(super) cooldown: Option<String>,
}

/// Sizes are text with units: `512MiB`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) memory: Option<String>,
    pub(super) cpu: Option<f64>,
    pub(super) open_files: Option<i64>,
    pub(super) processes: Option<i64>,
    pub(super) file_size: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecycle {
    pub(super) tasks: Option<i64>,
    pub(super) age: Option<String>,
    pub(super) idle: Option<String>,
    pub(super) memory: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKind {
    pub(super) run: Option<Vec<String>>,
    pub(super) queue: Option<String>,
    /// Durations are text with units: `90s`, `1h 30m`.
    pub(super) timeout: Option<String>,
    pub(super) progress_timeout: Option<String>,
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
    pub(super) timeout: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRate {
    pub(super) allowed: Option<i64>,
    pub(super) per: Option<String>,
    pub(super) cost: Option<i64>,
}
