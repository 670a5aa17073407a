//! Bodies of what is said while a run goes on: lines, notes, what is saved, and that it is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RunRef;
use crate::bounded;
use crate::error::ContractError;
use crate::limits::SPEND;
use crate::name::{check_name, check_unique_name};
use crate::payload::Payload;

/// A line for the log, of a run or of the worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Log {
    #[serde(default)]
    pub run: Option<RunRef>,
    #[serde(default)]
    pub level: Level,
    pub message: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

/// What a run says of itself while it goes on: how far it is, and what it has spent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub task: u64,
    pub epoch: u64,
    /// How far the run is, of `total`, in units of the handler's own.
    #[serde(default)]
    pub done: Option<f64>,
    #[serde(default)]
    pub total: Option<f64>,
    /// One line for people, such as what is being done now.
    #[serde(default)]
    pub message: Option<String>,
    /// By unit, such as `tokens`: how much was spent since the last note that was acknowledged.
    #[serde(default, deserialize_with = "bounded::amounts")]
    pub spend: BTreeMap<String, u64>,
    /// The number of a note that spends, from 1 in each run; 0 of one that does not.
    #[serde(default)]
    pub seq: u64,
}

impl Note {
    /// Checks what a note spends. How far a run is cannot be wrong: it is only shown.
    ///
    /// # Errors
    /// `Name` for a unit, `Limit` for an amount, `Value` for a number that does not fit.
    pub fn validate(&self) -> Result<(), ContractError> {
        if self.spend.is_empty() != (self.seq == 0) {
            return Err(ContractError::value(
                "seq",
                "a note that spends has a seq from 1, and no other has one; number it",
            ));
        }
        self.spend.iter().try_for_each(|(unit, amount)| {
            check_name("unit", unit)?;
            SPEND.check(*amount)
        })
    }
}

/// Something that the task has reached and will not have to reach again: it is in every later run of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Save {
    pub task: u64,
    pub epoch: u64,
    /// The step that has ended; absent for a checkpoint, which replaces the last one.
    #[serde(default)]
    pub step: Option<String>,
    /// What the step returned, or where the run stands.
    #[serde(default)]
    pub value: Payload,
    /// Its number among all that this run numbers, from 1.
    pub seq: u64,
}

impl Save {
    /// Checks the name of the step.
    ///
    /// # Errors
    /// `Name`, or `Limit` when it is too long; `Value` for a number that does not fit.
    pub fn validate(&self) -> Result<(), ContractError> {
        if self.seq == 0 {
            return Err(ContractError::value("seq", "what is saved has a seq from 1; number it"));
        }
        self.step.as_deref().map_or(Ok(()), check_unique_name)
    }
}

/// What a `note` has spent, or what a `save` holds, is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    pub task: u64,
    pub epoch: u64,
    /// That of the `note` or `save`.
    pub seq: u64,
}
