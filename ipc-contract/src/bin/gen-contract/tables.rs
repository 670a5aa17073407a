//! The tables of SPEC.md, each between its markers `<!-- table: NAME -->` and `<!-- end -->`.

use std::fmt::Write;

use ipc_contract::coverage::{Pair, Visited, coverage};
use ipc_contract::limits::{Limit, Range};
use ipc_contract::session::next;
use ipc_contract::transcript;
use ipc_contract::{ContractError, Feature, Kind, State};

use crate::conversation::conversation;

/// The page, below the folder of the package.
pub(crate) const PAGE: &str = "SPEC.md";

const END: &str = "<!-- end -->";

/// The transcript that is shown byte by byte.
const SHOWN: &str = "echo";

/// SPEC.md with each table as the code has it. Errors name a marker that is missing, or a pair that no transcript visits.
pub(crate) fn fill(spec: &str) -> Result<String, String> {
    let printed = |text: Result<String, ContractError>| text.map_err(|error| error.to_string());
    let tables = [
        ("messages", messages()),
        ("features", features()),
        ("states", states()),
        ("limits", limits()),
        ("ranges", ranges()),
        ("coverage", printed(covered())?),
        ("conversation", printed(shown())?),
    ];
    tables.iter().try_fold(spec.to_owned(), |spec, (name, table)| replace(PAGE, &spec, name, table))
}

/// `text` with this table; `page` is its name in errors.
pub(crate) fn replace(page: &str, text: &str, name: &str, table: &str) -> Result<String, String> {
    let begin = format!("<!-- table: {name} -->");
    let missing = || format!("{page} lacks {begin} followed by {END}");
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{table}{END}{after}"))
}

fn messages() -> String {
    let mut table = "| name | direction | needs the feature |\n|---|---|---|\n".to_owned();
    for kind in Kind::ALL {
        let feature = kind.feature().map_or(String::new(), |feature| format!("`{}`", feature.name()));
        let _ = writeln!(table, "| `{}` | {} | {feature} |", kind.name(), kind.direction().name());
    }
    table
}

fn features() -> String {
    let mut table = "| feature | allows |\n|---|---|\n".to_owned();
    for feature in Feature::ALL {
        let _ = writeln!(table, "| `{}` | {} |", feature.name(), feature.allows());
    }
    table
}

/// Message by state; each cell is the state that follows.
fn states() -> String {
    let mut table = "| |".to_owned();
    for state in State::ALL {
        let _ = write!(table, " {} |", state.name());
    }
    let _ = writeln!(table, "\n|---|{}", "---|".repeat(State::ALL.len()));
    for &kind in Kind::ALL {
        let _ = write!(table, "| `{}` |", kind.name());
        for &state in State::ALL {
            let _ = write!(table, " {} |", next(state, kind).map_or("-", State::name));
        }
        table.push('\n');
    }
    table
}

fn limits() -> String {
    let mut table = "| limit | unit | default | maximum |\n|---|---|---|---|\n".to_owned();
    for Limit { name, unit, default, max } in Limit::ALL {
        let _ = writeln!(table, "| `{name}` | {unit} | {default} | {max} |");
    }
    table
}

fn ranges() -> String {
    let mut table = "| setting | unit | least | default | most |\n|---|---|---|---|---|\n".to_owned();
    for Range { name, unit, min, default, max } in Range::ALL {
        let default = default.map_or("unset".to_owned(), |default| default.to_string());
        let _ = writeln!(table, "| `{name}` | {unit} | {min} | {default} | {max} |");
    }
    table
}

fn covered() -> Result<String, ContractError> {
    let mut table = "| state | message | session | worker | supervisor |\n|---|---|---|---|---|\n".to_owned();
    let visited = |visited: Visited| match visited {
        Visited::In(count) => count.to_string(),
        Visited::Never(why) => why.to_owned(),
    };
    for Pair { state, kind, session, worker, supervisor } in coverage(&transcript::all()?)? {
        let (worker, supervisor) = (visited(worker), visited(supervisor));
        let _ = writeln!(table, "| {} | `{}` | {session} | {worker} | {supervisor} |", state.name(), kind.name());
    }
    Ok(table)
}

fn shown() -> Result<String, ContractError> {
    let transcripts = transcript::all()?;
    let shown = transcripts.iter().find(|(name, _)| *name == SHOWN);
    shown.map_or(Ok(String::new()), |(_, transcript)| conversation(transcript))
}
