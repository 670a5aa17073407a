//! The wire contract between the supervisor and its workers: bytes in, values out.
//!
//! Nothing here reads a clock, opens a file, starts a process or knows a task queue. `SPEC.md` beside this crate says the
//! same for readers of other languages; its tables are printed from this code.
//!
//! - [`frame`]: bytes to frames and back. [`scan`](mod@scan) guards the decoder, so that it refuses before it allocates.
//! - [`message`] and [`Kind`]: what a frame says. [`Session`]: what may be said when.
//! - [`transcript`], [`coverage`], [`dump`](mod@dump): conversations written down, what they visit, and a frame shown byte by byte.
//! - [`TaskSpec`], [`CommandTemplate`], [`limits`], [`name`]: a task to be, and what is refused before it is one.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bounded;
#[cfg(feature = "check")]
pub mod check;
pub mod command;
pub mod coverage;
pub mod dump;
pub mod error;
pub mod feature;
pub mod frame;
pub mod json;
pub mod kind;
pub mod limits;
pub mod message;
pub mod name;
pub mod payload;
pub mod scan;
pub mod session;
pub mod spec;
mod strict;
mod token;
pub mod transcript;
mod view;

pub use command::{CommandArgs, CommandTemplate};
pub use error::{ContractError, ErrorKind};
pub use feature::{Feature, Features};
pub use frame::{FrameDecoder, MAX_FRAME_BYTES, decode, encode};
pub use kind::{Direction, Kind, Message};
pub use message::*;
pub use payload::Payload;
pub use session::{MessageRef, Session, State, Violation};
pub use spec::{PrioritySpec, TaskSpec};
