//! The messages of the contract and their bodies: what one frame says. No bytes (`frame`), no order (`session`) lives here.
//!
//! On the wire a message is a one-key map, the key naming the message: `{"run": {...}}`. Bodies are maps with field
//! names; unknown fields are ignored and missing ones have their defaults, so that an addition needs no new version.

mod answers;
mod from_worker;
mod notes;
mod run_ref;
mod start;
mod to_worker;

pub use answers::*;
pub use from_worker::FromWorker;
pub use notes::*;
pub use run_ref::RunRef;
pub use start::*;
pub use to_worker::*;

/// The protocol version that this crate speaks.
pub const PROTOCOL: u16 = 1;
