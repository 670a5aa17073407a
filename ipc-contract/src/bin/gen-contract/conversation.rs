//! A transcript byte by byte, for section 10 of SPEC.md: each frame, who sends it, and what its bytes mean.

use std::fmt::Write;

use ipc_contract::dump::dump;
use ipc_contract::transcript::{Transcript, What};
use ipc_contract::{ContractError, encode};

/// The frames of a transcript in order, as the project's own encoder writes them.
///
/// Errors: a message that cannot be encoded.
pub(crate) fn conversation(transcript: &Transcript) -> Result<String, ContractError> {
    let mut text = String::new();
    for step in &transcript.steps {
        let (who, frame) = match &step.what {
            What::FromWorker(message) => ("Worker to supervisor", encode(message)?),
            What::ToWorker(message) => ("Supervisor to worker", encode(message)?),
            What::Cause(_) => continue,
        };
        let name = step.what.message().map_or("", |message| message.kind().name());
        let _ = writeln!(text, "\n**{who}**: `{name}`, {} bytes\n\n```\n{}```", frame.len(), dump(&frame)?);
    }
    Ok(text)
}
