//! `enqueue --bulk`: tasks as JSON lines, handed in slice by slice. A slice is taken whole or not at all.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, stdin};

use ipc_contract::TaskSpec;

use super::client::{Client, ClientError};
use super::exit::CliError;
use super::output::{self, Format};
use crate::config::Config;
use crate::http::dto::{Enqueued, EnqueuedAll};
use crate::http::{BODY_BYTES_MAX, BULK_TASKS_MAX};

const OPENING: &[u8] = b"{\"tasks\":[";
const CLOSING: &[u8] = b"]}";
/// One line, and all of a slice.
const LINES_BYTES_MAX: usize = BODY_BYTES_MAX - OPENING.len() - CLOSING.len();

/// Hands in what a file, or stdin for `-`, has.
///
/// # Errors
/// The first line that is refused, by its number; the slices before are taken.
pub async fn run(path: &str, config: &Config, format: Format) -> Result<(), CliError> {
    let mut source: Box<dyn BufRead> = match path {
        "-" => Box::new(stdin().lock()),
        _ => Box::new(BufReader::new(File::open(path).map_err(|error| unreadable(path, &error))?)),
    };
    let mut client = Client::connect(&config.db).await?;
    let mut taken = EnqueuedAll::default();
    let handed_in = hand_in(&mut source, path, &mut client, format, &mut taken).await;
    if format == Format::Json {
        output::json(&taken)?;
    }
    handed_in
}

async fn hand_in(
    source: &mut dyn BufRead,
    path: &str,
    client: &mut Client,
    format: Format,
    taken: &mut EnqueuedAll,
) -> Result<(), CliError> {
    let (mut slice, mut number) = (Slice::default(), 0);
    loop {
        number += 1;
        let line = next_line(source, path).map_err(|error| slice.refused(error, Some(number)))?;
        let Some(line) = line else { break };
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        // One whole object, so that the list is what its lines are.
        TaskSpec::from_json(line).map_err(|error| slice.refused(error.into(), Some(number)))?;
        if !slice.has_room_for(line) {
            send(std::mem::take(&mut slice), client, format, taken).await?;
        }
        slice.add(number, line);
    }
    if slice.lines.is_empty() { Ok(()) } else { send(slice, client, format, taken).await }
}

async fn send(mut slice: Slice, client: &mut Client, format: Format, taken: &mut EnqueuedAll) -> Result<(), CliError> {
    let body = slice.body();
    let all = client.enqueue_all(body).await.map_err(|error| match error {
        ClientError::Broken(_) => slice.unknown(error.into()),
        ClientError::Refused(ref refusal) => {
            let line = refusal.body.index.and_then(|index| slice.lines.get(index).copied());
            slice.refused(error.into(), line)
        }
        ClientError::NotReachable { .. } => slice.refused(error.into(), None),
    })?;
    if format == Format::Json {
        taken.tasks.extend(all.tasks);
        return Ok(());
    }
    let words = || all.tasks.iter().map(|task| task.id.to_string()).collect::<Vec<_>>().join("\n");
    output::list(format, &all, &all.tasks, |task: &Enqueued| task.id, words)
}

/// Lines that are handed in together.
#[derive(Debug, Default)]
struct Slice {
    json: Vec<u8>,
    /// Their numbers, from 1.
    lines: Vec<usize>,
}

impl Slice {
    fn has_room_for(&self, line: &[u8]) -> bool {
        self.lines.is_empty()
            || (self.lines.len() < BULK_TASKS_MAX && self.json.len() + 1 + line.len() <= LINES_BYTES_MAX)
    }

    fn add(&mut self, number: usize, line: &[u8]) {
        if !self.lines.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(line);
        self.lines.push(number);
    }

    fn body(&mut self) -> Vec<u8> {
        [OPENING, &self.json, CLOSING].concat()
    }

    /// Nothing of this slice was taken, and `line` is why.
    fn refused(&self, error: CliError, line: Option<usize>) -> CliError {
        let first = self.lines.first().copied().or(line).unwrap_or(1);
        let before = match first {
            1 => "nothing was added".to_owned(),
            _ => format!("all before line {first} is in, and nothing from there on"),
        };
        told(error, line, &before)
    }

    /// No answer came.
    fn unknown(&self, error: CliError) -> CliError {
        let (first, last) = (self.lines.first().unwrap_or(&1), self.lines.last().unwrap_or(&1));
        let all =
            format!("whether lines {first} to {last} are in is unknown; with a name in each, just send them again");
        told(error, None, &all)
    }
}

/// Names the line instead of the place in its slice.
fn told(mut error: CliError, line: Option<usize>, state: &str) -> CliError {
    let body = &mut error.body;
    if let (Some(_), Some((_, message))) = (body.index.take(), body.message.split_once(": ")) {
        body.message = message.to_owned();
    }
    if let Some(line) = line {
        body.message = format!("line {line}: {}", body.message);
    }
    body.hint = if body.hint.is_empty() { state.to_owned() } else { format!("{}; {state}", body.hint) };
    error
}

/// Without the end of the line; nothing at the end.
fn next_line(source: &mut dyn BufRead, path: &str) -> Result<Option<Vec<u8>>, CliError> {
    let mut line = Vec::new();
    let limit = LINES_BYTES_MAX as u64 + 1;
    source.take(limit).read_until(b'\n', &mut line).map_err(|error| unreadable(path, &error))?;
    if line.len() > LINES_BYTES_MAX {
        let message = format!("it is over {LINES_BYTES_MAX} bytes");
        return Err(CliError::usage(message, "write one task in each line, with a reference such as a path"));
    }
    Ok((!line.is_empty()).then_some(line))
}

fn unreadable(path: &str, error: &std::io::Error) -> CliError {
    CliError::usage(format!("cannot read {path}: {error}"), "give a file of JSON lines, or - for stdin")
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
