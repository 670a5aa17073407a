//! The args of the handlers: their fields and defaults, and how they are read.

use ipc_contract::{Level, Payload, Retry, Run, Scope};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wrong::Wrong;

/// One byte of MessagePack each.
const NIL: u8 = 0xc0;
const EMPTY_MAP: u8 = 0x80;

/// Of the handlers that take their time.
#[derive(Deserialize)]
pub(crate) struct Time {
    pub(crate) ms: u64,
}

/// Of all others, together.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Args {
    pub(crate) error: String,
    pub(crate) retry: Retry,
    pub(crate) scope: Scope,
    pub(crate) exit: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) bytes: u64,
    pub(crate) level: Level,
    pub(crate) message: Option<String>,
    pub(crate) done: f64,
    pub(crate) total: Option<f64>,
    pub(crate) unit: String,
    pub(crate) amount: u64,
    pub(crate) times: u32,
    pub(crate) tasks: Vec<Value>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            error: "failed, as asked".to_owned(),
            retry: Retry::Default,
            scope: Scope::Task,
            exit: None,
            signal: None,
            bytes: 0,
            level: Level::Info,
            message: None,
            done: 0.0,
            total: None,
            unit: String::new(),
            amount: 0,
            times: 1,
            tasks: Vec::new(),
        }
    }
}

/// Reads a map of fields. Nothing is a map without entries.
pub(crate) fn read<T: DeserializeOwned>(run: &Run, wrong: Wrong) -> Result<T, String> {
    let args = match &run.args {
        args if (args.is_nothing() || args.0 == [NIL]) && !wrong.is("refuses-missing-args") => {
            &Payload(vec![EMPTY_MAP])
        }
        args => args,
    };
    args.read().map_err(|error| error.to_string())
}
