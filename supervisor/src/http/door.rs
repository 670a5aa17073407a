//! What every path of the door has at hand. Values only.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::shell::handle::Handle;

/// Logs that are read at once; each may hold a page of one in memory, for as long as its client likes.
pub(super) const LOG_STREAMS_MAX: usize = 64;

/// What every path has at hand.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) handle: Handle,
    /// Closed when nobody shall be kept waiting any more.
    pub(super) stopping: watch::Receiver<()>,
    pub(super) log_streams: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(handle: Handle, stopping: watch::Receiver<()>) -> Door {
        Door { handle, stopping, log_streams: Arc::new(Semaphore::new(LOG_STREAMS_MAX)) }
    }
}
