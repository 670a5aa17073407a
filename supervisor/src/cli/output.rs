//! Where words go: data on stdout, everything else on stderr, in the form that was asked for.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::colour;
use super::exit::CliError;
use super::table;
use crate::http::error::ErrorBody;
use crate::text::printable;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: one JSON value on stdout and nothing else
    Json,
    /// One JSON object on each line
    Jsonl,
    /// One id on each line
    Id,
}

impl Format {
    /// Whether errors are JSON as well.
    fn is_json(self) -> bool {
        matches!(self, Format::Json | Format::Jsonl)
    }
}

/// Writes one thing. `id` is that of the task that it is about, if any; `words` say it to people.
///
/// # Errors
/// Ids were asked for and it has none; stdout cannot be written.
pub fn one(
    format: Format,
    value: &impl Serialize,
    id: Option<i64>,
    words: impl FnOnce() -> String,
) -> Result<(), CliError> {
    match (format, id) {
        (Format::Table, _) => data(&words()),
        (Format::Json, _) => json(value),
        (Format::Jsonl, _) => data(&line(value)?),
        (Format::Id, Some(id)) => data(&id.to_string()),
        (Format::Id, None) => Err(CliError::usage("there is no id to print here", "use -o table, json or jsonl")),
    }
}

/// Writes a list: for JSON the `whole`, else one of its `items` on each line.
///
/// # Errors
/// Stdout cannot be written.
pub fn list<T: Serialize>(
    format: Format,
    whole: &impl Serialize,
    items: &[T],
    id: impl Fn(&T) -> i64,
    words: impl FnOnce() -> String,
) -> Result<(), CliError> {
    let lines = match format {
        Format::Table => return data(&words()),
        Format::Json => return json(whole),
        Format::Jsonl => items.iter().map(line).collect::<Result<Vec<_>, _>>()?,
        Format::Id => items.iter().map(|item| id(item).to_string()).collect(),
    };
    if lines.is_empty() { Ok(()) } else { data(&lines.join("\n")) }
}

/// A value as JSON in one line.
///
/// # Errors
/// It has no form in JSON.
pub fn line(value: &impl Serialize) -> Result<String, CliError> {
    Ok(serde_json::to_string(value).map_err(io::Error::from)?)
}

/// Writes data. A reader that has seen enough, such as `head`, is no error.
pub fn data(text: &str) -> Result<(), CliError> {
    try_data(text).map(drop)
}

/// Writes data; false when its reader has seen enough.
pub fn try_data(text: &str) -> Result<bool, CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub fn json(value: &impl Serialize) -> Result<(), CliError> {
    data(&serde_json::to_string_pretty(value).map_err(io::Error::from)?)
}

/// Writes foreign text as data: as it is for a program, harmless for a terminal.
pub fn foreign(text: &str) -> Result<(), CliError> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if io::stdout().is_terminal() { data(&printable(text.as_bytes())) } else { data(text) }
}

/// Says something that is no data.
pub fn note(text: &str) {
    // A stderr that is gone must not change what the command does.
    let _ = writeln!(io::stderr(), "{text}");
}

pub fn error(body: &ErrorBody, format: Format) {
    if format.is_json() {
        return note(&serde_json::to_string(body).unwrap_or_else(|_| body.message.clone()));
    }
    let hint = if body.hint.is_empty() { String::new() } else { format!("\n  hint: {}", body.hint) };
    say(&format!("error: {}{hint}", body.message));
}

/// Says what a person should know and what stands in no way.
pub fn warning(text: &str) {
    say(&format!("warning: {text}"));
}

fn say(text: &str) {
    let text = printable(text.as_bytes());
    note(&if colour::on(&io::stderr()) { colour::pointed(&text) } else { text });
}

/// Rows under a heading for stdout: as wide as they are, or as its terminal is.
pub fn table(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let stdout = io::stdout();
    let width = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
    table::render(heading, &Vec::from_iter(rows), width, colour::on(&stdout))
}
