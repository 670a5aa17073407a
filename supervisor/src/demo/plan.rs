//! Which tasks are asked for which files. Pure: no file is opened and no queue is asked.

use std::path::PathBuf;

use ipc_contract::{ContractError, Payload, TaskSpec};
use serde_json::{Value, json};

/// The plain command for each file.
pub(super) const DIGEST: &str = "digest";
/// The handler in Rust for each file.
pub(super) const TEXT_STATS: &str = "text_stats";
/// The handler in Python for each file; its tasks are asked for by an application of its own.
pub(super) const WORDS: &str = "words";
/// The handler that takes its worker down on the first attempt.
pub(super) const CRASH: &str = "crash";

/// Tasks of the kind that crashes.
const CRASHES: u32 = 4;
/// SIGSEGV: how native code usually dies.
const CRASH_SIGNAL: i32 = 11;
/// Skipped files that are told by name; the others are only counted.
const SKIPPED_NAMED_MAX: usize = 5;

/// What is to be asked of the queue.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) tasks: Vec<TaskSpec>,
    /// The files that work is asked for.
    pub(super) files: Vec<String>,
    pub(super) skipped: Skipped,
}

/// Files for which nothing can be asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    pub(super) count: usize,
    /// The first ones, each with the reason.
    pub(super) named: Vec<String>,
}

impl Skipped {
    pub(super) fn add(&mut self, what: impl std::fmt::Display, reason: impl std::fmt::Display) {
        self.count += 1;
        if self.named.len() < SKIPPED_NAMED_MAX {
            self.named.push(format!("{what}: {reason}"));
        }
    }
}

/// The crashing tasks first, then every kind of work for each file. Each task has the name `kind:path`, so that asking
/// for it again adds nothing. `skipped` is what could not even be found.
///
/// # Errors
/// The tasks without a file are refused by the contract.
pub(super) fn plan(files: &[PathBuf], skipped: Skipped) -> Result<Plan, ContractError> {
    let crash = |n| task(CRASH, &n, &json!({ "signal": CRASH_SIGNAL, "on_attempt": 1 }));
    let mut plan = Plan { tasks: (1..=CRASHES).map(crash).collect::<Result<_, _>>()?, files: Vec::new(), skipped };
    for file in files {
        let Some(path) = file.to_str() else {
            plan.skipped.add(file.display(), "its name is not UTF-8, and args are text");
            continue;
        };
        let work = |kind| task(kind, &path, &json!({ "path": path }));
        match [DIGEST, TEXT_STATS].into_iter().map(work).collect::<Result<Vec<_>, _>>() {
            Ok(tasks) => {
                plan.tasks.extend(tasks);
                plan.files.push(path.to_owned());
            }
            Err(error) => plan.skipped.add(format_args!("{path:?}"), error),
        }
    }
    Ok(plan)
}

fn task(kind: &str, of: &impl std::fmt::Display, args: &Value) -> Result<TaskSpec, ContractError> {
    let spec = TaskSpec {
        kind: kind.to_owned(),
        args: Payload::of(args)?,
        name: Some(format!("{kind}:{of}")),
        ..TaskSpec::default()
    };
    spec.validate()?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn names(plan: &Plan) -> Vec<&str> {
        plan.tasks.iter().filter_map(|task| task.name.as_deref()).collect()
    }

    #[test]
    fn every_file_gets_every_kind_of_work_under_a_name_of_its_own() {
        let plan = plan(&["/a b".into(), "/é".into()], Skipped::default()).unwrap();
        let crashes = ["crash:1", "crash:2", "crash:3", "crash:4"];
        let works = ["digest:/a b", "text_stats:/a b", "digest:/é", "text_stats:/é"];
        assert_eq!(names(&plan), [&crashes[..], &works[..]].concat());
        assert_eq!(plan.files, ["/a b", "/é"]);
        assert_eq!(plan.tasks[4].args.preview(), json!({ "path": "/a b" }));
        assert_eq!(plan.skipped, Skipped::default());
    }

    #[test]
    fn a_file_that_cannot_be_named_is_skipped_with_the_reason() {
        let long = format!("/{}", "d/".repeat(255));
        let table: [(&OsStr, &str); 3] = [
            (OsStr::from_bytes(b"/caf\xe9"), "not UTF-8"),
            (OsStr::new("/two\nlines"), "one line of printable text"),
            (OsStr::new(&long), "the limit is 512"),
        ];
        for (path, reason) in table {
            let plan = plan(&[path.into()], Skipped::default()).unwrap();
            assert_eq!(names(&plan).len(), CRASHES as usize, "{path:?}: all of its work is skipped, or none");
            assert_eq!(plan.files, [""; 0]);
            assert_eq!(plan.skipped.count, 1);
            assert!(plan.skipped.named[0].contains(reason), "{:?}", plan.skipped);
        }
    }

    #[test]
    fn the_first_skipped_are_named_and_all_are_counted() {
        let mut skipped = Skipped::default();
        (0..SKIPPED_NAMED_MAX + 2).for_each(|n| skipped.add(n, "gone"));
        assert_eq!((skipped.count, skipped.named.len()), (SKIPPED_NAMED_MAX + 2, SKIPPED_NAMED_MAX));
        assert_eq!(skipped.named[1], "1: gone");
    }
}
