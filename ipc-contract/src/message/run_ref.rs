//! How every message about a run names it.

use serde::{Deserialize, Serialize};

/// One run of one task: every message about a run names both, so that a late one can be told from a live one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunRef {
    pub task: u64,
    pub epoch: u64,
}
