//! The bench: one run measures plain SQLite, the tick and the whole path in turn, several times, so that a ratio compares
//! what was measured in the same seconds on the same disk. It prints; no figure is a bound that can fail.
//!
//! - `run`: the rounds. `disk`, `raw`, `ticks`, `whole`: one way of measuring each. `worker`: the worker of the whole path.
//! - `claims`: what a claim costs, counted, in queues of every shape and size.
//! - `policy`: who waits how long under each policy, simulated and drawn.
//! - `scaling`: how a pool follows a load that steps up and down, drawn.
//! - `channel`: the libraries' half of the channel, measured by itself.
//! - `report`: median, spread and ratios of what was measured, as a table and as JSON. Pure.

mod channel;
mod claims;
mod disk;
mod policy;
mod raw;
mod report;
mod run;
mod scaling;
mod ticks;
mod whole;
mod worker;

pub use channel::{ChannelOptions, PIPE, SAMPLES, channels, play_pipe};
pub use claims::{ClaimsOptions, Compared, Flatness, Shape, claims, compare};
pub use policy::{PolicyOptions, drawn, policy};
pub use report::Report;
pub use run::{Options, run};
pub use scaling::{ScalingOptions, scaling};
pub use worker::worker;
