//! One golden vector, how it is made and how it is written down. What the vectors say stands in the files beside this one.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ipc_contract::{ContractError, Direction, Message, encode};
use serde_json::{Value, json};

/// Where the vectors are, below the package.
pub(crate) const FOLDER: &str = "spec/v1/vectors";

/// Bytes in a line of a `.hex` file.
const HEX_LINE_BYTES: usize = 32;

pub(super) struct Vector {
    /// The folder: a kind of message, or `frame`.
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) direction: Direction,
    pub(super) frame: Vec<u8>,
    pub(super) meaning: Meaning,
}

pub(super) enum Meaning {
    /// `is_canonical`: the encoder of this crate writes these very bytes. Others may write other ones.
    Message { message: Value, is_canonical: bool },
    /// The name of the error kind.
    Error(&'static str),
}

impl Vector {
    pub(super) fn into_files(self) -> [(PathBuf, String); 2] {
        let base = Path::new(FOLDER).join(self.group).join(self.name);
        let mut text = json!({ "about": self.about, "direction": self.direction.name() });
        match self.meaning {
            Meaning::Message { message, is_canonical } => {
                text["message"] = message;
                text["canonical"] = json!(is_canonical);
            }
            Meaning::Error(kind) => text["error"] = json!(kind),
        }
        let mut hex = String::new();
        for line in self.frame.chunks(HEX_LINE_BYTES) {
            for byte in line {
                let _ = write!(hex, "{byte:02x}");
            }
            hex.push('\n');
        }
        [(base.with_extension("json"), format!("{text:#}\n")), (base.with_extension("hex"), hex)]
    }
}

/// A message as this crate writes it.
pub(super) fn canonical<M: Message>(name: &str, about: &str, message: &M) -> Result<Vector, ContractError> {
    Ok(valid(name, about, encode(message)?, message, true))
}

/// A message written in another way that means the same.
pub(super) fn variant<M: Message>(name: &str, about: &str, body: &[u8], message: &M) -> Vector {
    valid(name, about, frame(body), message, false)
}

fn valid<M: Message>(name: &str, about: &str, frame: Vec<u8>, message: &M, is_canonical: bool) -> Vector {
    let meaning = Meaning::Message { message: json!(message), is_canonical };
    Vector {
        group: message.kind().name(),
        name: name.to_owned(),
        about: about.to_owned(),
        direction: M::DIRECTION,
        frame,
        meaning,
    }
}

/// A frame that must be refused: its name, what it shows, the kind of error, the payload.
pub(super) fn invalid(
    group: &'static str,
    direction: Direction,
    (name, about, error, body): (&str, &str, &'static str, &[u8]),
) -> Vector {
    let (name, about) = (name.to_owned(), about.to_owned());
    Vector { group, name, about, direction, frame: frame(body), meaning: Meaning::Error(error) }
}

/// A payload with its length before it.
fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body].concat()
}
