//! Where words go: data on stdout, everything else on stderr, as tables or JSON.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;

use super::exit::CliError;
use crate::http::error::ErrorBody;
use crate::text::printable;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: one JSON value on stdout and nothing else
    Json,
}

/// Writes data. A reader that has seen enough, such as `head`, is no error.
pub fn data(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
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
    match format {
        Format::Json => note(&serde_json::to_string(body).unwrap_or_else(|_| body.message.clone())),
        Format::Table if body.hint.is_empty() => note(&format!("error: {}", body.message)),
        Format::Table => note(&format!("error: {}\n  hint: {}", body.message, body.hint)),
    }
}

/// Rows under a heading, columns apart by blanks.
pub fn table(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(heading.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell.as_bytes())));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_plain_text() {
        let rows = [vec!["7".to_owned(), "resize".to_owned()], vec!["12".to_owned(), "a\x1b[2J".to_owned()]];
        assert_eq!(table(&["id", "kind"], rows), "id  kind\n7   resize\n12  a\\u{1b}[2J");
    }
}
