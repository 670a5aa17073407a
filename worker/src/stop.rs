//! The order to stop one run, and how it is worded. Who gives it, and what follows, is decided elsewhere.

use std::time::Duration;

use ipc_contract::StopReason;

use crate::promise::Promise;

/// The order to stop one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StopOrder {
    pub(crate) reason: StopReason,
    /// Time until the worker is killed.
    pub(crate) grace: Duration,
}

/// Where the order to stop arrives. A later one cannot take back what the first has begun.
pub(crate) type StopSign = Promise<StopOrder>;

/// The reason as the contract spells it.
pub(crate) fn name(reason: StopReason) -> String {
    format!("{reason:?}").to_lowercase()
}
