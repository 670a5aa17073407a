//! Ids as they are typed, and what became of each of several tasks.

use serde::Serialize;

use super::exit::{CliError, Exit};
use super::output::{self, Format};

/// Reads the id of a task.
pub fn task_id(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        "a task is named by its id, a whole number above 0; `supervisor list` shows the id of each".to_owned()
    })
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub id: i64,
    pub outcome: String,
}

/// Tells what became of each task, and each refusal; the exit code is that of the first that was not `done`.
///
/// # Errors
/// The first error that is not about one task alone.
pub fn tell(
    results: Vec<Result<Outcome, CliError>>,
    done: impl Fn(&str) -> bool,
    format: Format,
) -> Result<Exit, CliError> {
    let (count, exit) = (results.len(), exit_of(&results, done)?);
    let (mut outcomes, mut refusals) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => refusals.push(error.body),
        }
    }
    if !outcomes.is_empty() {
        output::list(format, &outcomes, &outcomes, |outcome| outcome.id, || words(&outcomes, count))?;
    }
    refusals.iter().for_each(|body| output::error(body, format));
    Ok(exit)
}

fn exit_of(results: &[Result<Outcome, CliError>], done: impl Fn(&str) -> bool) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    for result in results {
        let this = match result {
            Ok(outcome) if done(&outcome.outcome) => continue,
            Ok(_) => Exit::Refused,
            Err(error) if matches!(error.exit, Exit::NotFound | Exit::Refused) => error.exit,
            Err(error) => return Err(error.clone()),
        };
        exit = if exit == Exit::Done { this } else { exit };
    }
    Ok(exit)
}

/// One that is alone needs no name.
fn words(outcomes: &[Outcome], count: usize) -> String {
    let line = |Outcome { id, outcome }: &Outcome| match count {
        1 => outcome.clone(),
        _ => format!("{id}: {outcome}"),
    };
    outcomes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use queue_core::task::TaskId;

    use super::*;
    use crate::http::ApiError;

    #[test]
    fn an_id_is_a_number() {
        assert_eq!(task_id("42"), Ok(42));
        for text in ["abc", "0", "-1", "1.5", ""] {
            assert!(task_id(text).unwrap_err().contains("`supervisor list`"), "{text}");
        }
    }

    #[test]
    fn the_first_that_was_not_done_decides() {
        let outcome = |outcome: &str| Ok(Outcome { id: 7, outcome: outcome.to_owned() });
        let missing = || Err(ApiError::no_such_task(TaskId(8)).into());
        let table = [
            (vec![outcome("cancelled"), outcome("already cancelled")], Ok(Exit::Done)),
            (vec![outcome("cancelled"), missing(), outcome("already failed")], Ok(Exit::NotFound)),
            (vec![outcome("already failed"), missing()], Ok(Exit::Refused)),
            (vec![missing(), Err(CliError::usage("", ""))], Err(Exit::Usage)),
        ];
        for (results, exit) in table {
            let told = exit_of(&results, |outcome| outcome.ends_with("cancelled"));
            assert_eq!(told.map_err(|error| error.exit), exit, "{results:?}");
        }
    }

    #[test]
    fn several_are_told_apart() {
        let outcomes = [7, 8].map(|id| Outcome { id, outcome: "available".to_owned() });
        assert_eq!(words(&outcomes[..1], 1), "available");
        assert_eq!(words(&outcomes[..1], 2), "7: available");
        assert_eq!(words(&outcomes, 2), "7: available\n8: available");
    }
}
