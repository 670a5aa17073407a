//! `logs`: what the runs of a task printed.

use clap::Args as ClapArgs;

use super::client::blocking;
use super::exit::{CliError, Exit};
use super::ids::task_id;
use super::output::{self, Format, note};
use super::place::Place;
use super::source::Source;
use crate::http::dto::LogLine;

#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The id of the task
    #[arg(value_parser = task_id)]
    id: i64,
    /// Go on with what is printed from now on, in later attempts as well, until the task is final
    #[arg(short, long)]
    follow: bool,
    /// The attempt, by its number in `show`; without it, the last one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    attempt: Option<i64>,
}

pub fn run(args: &Args, place: &Place, format: Format) -> Result<Exit, CliError> {
    let config = place.load()?;
    if format == Format::Id {
        return Err(CliError::usage("a log has no ids to print", "use -o table, json or jsonl"));
    }
    let mut run = None;
    let put = |line: &LogLine| {
        let before = run.replace(line.run);
        if format != Format::Table {
            return output::try_data(&output::line(line)?);
        }
        if before.is_some_and(|before| before != line.run) {
            note(&format!("attempt {}:", line.run));
        }
        output::try_data(&words(line))
    };
    blocking(async { Source::open(&config).await?.log(args.id, args.attempt, args.follow, put).await })??;
    if run.is_none() {
        note(if args.follow {
            "it printed nothing"
        } else {
            "there is nothing in it; see `show` for where the task stands"
        });
    }
    Ok(Exit::Done)
}

/// `HH:MM:SS.mmm TEXT` in UTC; what is not plain output says what it is.
fn words(line: &LogLine) -> String {
    // Of RFC 3339, what is between the T and the Z.
    let time = line.at.get(11..23).unwrap_or(&line.at);
    match (line.source.as_str(), &line.level) {
        ("output", _) => format!("{time} {}", line.text),
        (_, Some(level)) => format!("{time} {level}: {}", line.text),
        (source, None) => format!("{time} [{source}] {}", line.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_and_says_where_it_is_from() {
        let lines: Vec<LogLine> = serde_json::from_str(include_str!("../http/golden/log.json")).unwrap();
        let told: Vec<String> = lines.iter().map(words).collect();
        let text = "\\u{1b}[31mresizing";
        let expected = ["", "[supervisor] ", "debug: ", "info: ", "warning: ", "error: "];
        assert_eq!(told, expected.map(|before| format!("12:34:59.199 {before}{text}")));
    }
}
