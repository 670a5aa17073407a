//! The two channels of the contract, by name. How one is set up is in `process`.

use clap::ValueEnum;
use serde::Serialize;

/// Where the worker finds its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Descriptors 0 and 1
    Stdio,
    /// Descriptors 3 and 4
    Fd3,
}

impl Channel {
    pub const ALL: &[Self] = &[Self::Stdio, Self::Fd3];

    /// The value of `MUTIRAO_CHANNEL`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Fd3 => "fd3",
        }
    }
}
