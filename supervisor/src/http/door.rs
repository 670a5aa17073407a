//! What every path of the door has at hand. Values only.

use tokio::sync::watch;

use crate::shell::handle::Handle;

/// What every path has at hand.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) handle: Handle,
    /// Closed when nobody shall be kept waiting any more.
    pub(super) stopping: watch::Receiver<()>,
}
