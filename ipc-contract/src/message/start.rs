//! Bodies of the beginning and the end of a conversation: who a worker is, whether it is taken, that it leaves.

use serde::{Deserialize, Serialize};

use super::PROTOCOL;
use crate::bounded;
use crate::error::ContractError;
use crate::limits::{BEAT_MS, CONCURRENCY};
use crate::name::check_name;

/// The first message of a worker: who it is and what it can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Lowest protocol version that the worker speaks.
    pub protocol_min: u16,
    /// Highest protocol version that the worker speaks.
    pub protocol_max: u16,
    /// The value of `MUTIRAO_COOKIE`, to catch a program that is no worker; not a secret.
    #[serde(default)]
    pub cookie: String,
    /// Name and version of the library, for people: `mutirao-rust/0.1.0`.
    #[serde(default)]
    pub sdk: String,
    /// The kinds of task that the worker has handlers for.
    #[serde(default, deserialize_with = "bounded::kinds")]
    pub kinds: Vec<String>,
    /// Runs that the worker accepts at once, 1 or more.
    #[serde(default = "one")]
    pub concurrency: u32,
    /// Optional abilities, such as `beat`. Neither side uses one that the other did not name.
    #[serde(default, deserialize_with = "bounded::features")]
    pub features: Vec<String>,
}

impl Hello {
    /// Checks what a worker offers, before it is welcomed. What fails here deserves a `reject` with the error's sentence.
    ///
    /// # Errors
    /// `Limit` for `concurrency`, `Name` for a kind, `Value` for a range of versions that is empty.
    pub fn validate(&self) -> Result<(), ContractError> {
        CONCURRENCY.check(self.concurrency)?;
        if self.protocol_min > self.protocol_max {
            let detail = "protocol_min is above protocol_max; name the lowest version first";
            return Err(ContractError::value("protocol_min", detail));
        }
        self.kinds.iter().try_for_each(|kind| check_name("kind", kind))
    }
}

pub(super) fn one() -> u32 {
    1
}

/// "Still starting": prolongs the boot timeout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Booting {}

/// Grants as many credits as `concurrency` of `hello` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ready {}

/// The process is alive, said by an OS thread whatever the handler does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Beat {}

/// The last message of a worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bye {
    /// Why the worker's program could not be started; only from the shim, in place of `hello`.
    #[serde(default)]
    pub spawn_error: Option<String>,
}

/// The worker is accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version that both speak from here on.
    pub protocol: u16,
    /// The supervisor's number of this worker.
    #[serde(default)]
    pub worker: u64,
    #[serde(default, deserialize_with = "bounded::features")]
    pub features: Vec<String>,
    /// Milliseconds from one `beat` to the next.
    #[serde(default = "beat_ms")]
    pub beat_ms: u64,
}

impl Default for Welcome {
    fn default() -> Self {
        Self { protocol: PROTOCOL, worker: 0, features: Vec::new(), beat_ms: beat_ms() }
    }
}

fn beat_ms() -> u64 {
    BEAT_MS.default.and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default()
}

/// The worker is refused, in a sentence that its user can act on; the worker prints it and exits 78.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reject {
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_checked_before_it_is_welcomed() {
        let good =
            Hello { protocol_min: 1, protocol_max: 2, concurrency: 1, kinds: vec!["a".to_owned()], ..Hello::default() };
        good.validate().unwrap();
        let table = [
            (Hello { concurrency: 0, ..good.clone() }, "limit"),
            (Hello { concurrency: 1_025, ..good.clone() }, "limit"),
            (Hello { protocol_min: 3, ..good.clone() }, "value"),
            (Hello { kinds: vec!["a".to_owned(), "A".to_owned()], ..good }, "name"),
        ];
        for (hello, kind) in table {
            assert_eq!(hello.validate().unwrap_err().kind.name(), kind, "{hello:?}");
        }
    }
}
