//! Rule: what must not be in the code, and where. One row of the table is one absence that the architecture promises.

use super::facts::{Call, Fact, What, facts};
use super::finding::Finding;

struct Absence {
    /// True when `fact` must not be in the file at `path`.
    is_broken: fn(path: &str, fact: &Fact) -> bool,
    message: &'static str,
}

const ABSENCES: [Absence; 6] = [
    Absence {
        is_broken: |path, fact| is_under(path, PURE) && is_impure(fact),
        message: "pure code has no async, clock, randomness, file, thread or process; take it as an argument",
    },
    Absence {
        is_broken: |path, fact| (fact.in_test || is_test_file(path)) && is_sleep(fact),
        message: "a test never sleeps; wait for a named signal",
    },
    Absence {
        is_broken: |_, fact| is_unbounded(fact),
        message: "every channel has a bound; use one with a named limit",
    },
    Absence {
        is_broken: |path, fact| !is_under(path, MAY_KNOW_SQL) && is_sql(fact),
        message: "only the store knows SQL; ask it by a verb",
    },
    Absence {
        is_broken: |path, fact| !is_under(path, MAY_BE_UNSAFE) && fact.names(&["unsafe"]),
        message: "`unsafe` is for the exec shim only; use a safe wrapper",
    },
    Absence {
        is_broken: |path, fact| {
            path.starts_with("supervisor/") && !is_under(path, MAY_USE_ANYHOW) && fact.names(&["anyhow"])
        },
        message: "`anyhow` is for the command line only; use the typed error",
    },
];

/// Where decisions are made.
const PURE: &[&str] = &[
    "queue-core/src/plan",
    "queue-core/src/priority",
    "queue-core/src/retry",
    "queue-core/src/state",
    "supervisor/src/core/",
];

/// The store, the tests that look into a database, and this file, which spells the openings.
const MAY_KNOW_SQL: &[&str] = &["queue-core/src/store/", "queue-core/tests/", "scripts/src/tidy/absences.rs", "tests/"];

const MAY_BE_UNSAFE: &[&str] = &["supervisor/src/shell/shim.rs"];

/// Where a person reads the error.
const MAY_USE_ANYHOW: &[&str] = &["supervisor/src/cli/", "supervisor/src/demo/", "supervisor/src/main.rs"];

/// Programs beside the tests: what they play or load may take its time.
const PROGRAMS_OF_TESTS: &[&str] = &["tests/src/bin/"];

const IMPURE: &[&[&str]] = &[
    &["Instant", "now"],
    &["Rng", "new"],
    &["SystemTime", "now"],
    &["async"],
    &["std", "env"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "process"],
    &["std", "thread"],
    &["thread", "sleep"],
    &["tokio"],
];

const SQL_OPENINGS: &[&str] = &["SELECT ", "INSERT INTO ", "DELETE FROM "];

pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let facts = match facts(text) {
        Ok(facts) => facts,
        Err(error) => return vec![Finding::at(path, error.span().start().line, "is not Rust; does it compile?")],
    };
    let broken_by = |fact: &Fact| {
        let broken = ABSENCES.iter().filter(|absence| (absence.is_broken)(path, fact));
        broken.map(|absence| Finding::at(path, fact.line, absence.message)).collect::<Vec<_>>()
    };
    facts.iter().flat_map(broken_by).collect()
}

fn is_under(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

fn is_test_file(path: &str) -> bool {
    let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
    is_test && !is_under(path, PROGRAMS_OF_TESTS)
}

fn is_impure(fact: &Fact) -> bool {
    IMPURE.iter().any(|name| fact.names(name)) || draws_from_global_generator(fact)
}

/// A generator that is passed in is fine; the functions of the crates draw from one that nobody has seeded.
fn draws_from_global_generator(fact: &Fact) -> bool {
    let What::Path(segments, _) = &fact.what else { return false };
    matches!(&segments[..], [first, second, ..] if ["fastrand", "rand"].contains(&first.as_str()) && second != "Rng")
}

fn is_sleep(fact: &Fact) -> bool {
    let What::Path(segments, call) = &fact.what else { return false };
    *call != Call::None && segments.last().is_some_and(|name| name.starts_with("sleep"))
}

/// The `mpsc::channel` of the standard library takes no bound; tokio's cannot be called without one.
fn is_unbounded(fact: &Fact) -> bool {
    let What::Path(segments, call) = &fact.what else { return false };
    let is_plain = segments.ends_with(&["mpsc".into(), "channel".into()]) && *call != Call::WithArguments;
    is_plain || fact.names(&["unbounded_channel"])
}

fn is_sql(fact: &Fact) -> bool {
    match &fact.what {
        What::Path(..) => fact.names(&["sql_query"]),
        What::Literal(text) => SQL_OPENINGS.iter().any(|opening| text.contains(opening)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "supervisor/src/core/machine.rs";
    const SHELL: &str = "supervisor/src/shell/writer.rs";

    #[test]
    fn pure_code_is_pure() {
        let broken = [
            "async fn f() {}",
            "let now = Instant::now();",
            "let now = std::time::SystemTime::now();",
            "use std::{cmp, fs::File};",
            "std::process::exit(1)",
            "use std::thread;",
            "thread::sleep(d)",
            "tokio::spawn(f)",
            "fastrand::u64(..)",
            "rand::rng()",
            "fastrand::Rng::new()",
        ];
        for text in broken {
            for path in [CORE, "queue-core/src/plan.rs", "queue-core/src/state/legal.rs"] {
                assert!(!check(path, text).is_empty(), "{path}: {text}");
            }
            assert_eq!(check(SHELL, text), [], "{text}");
        }
        let fine = "// Instant::now()\nfn f(now: Instant, rng: &mut fastrand::Rng) -> &str { \"tokio\" }";
        assert_eq!(check(CORE, fine), []);
    }

    #[test]
    fn tests_do_not_sleep() {
        let call = "thread::sleep(d)";
        let below = format!("#[cfg(test)]\nmod tests {{ fn f() {{ {call} }} }}");
        let table = [
            ("tests/system/kill.rs", call, 1),
            ("tests/src/lib.rs", "tokio::time::sleep_until(t).await", 1),
            ("queue-core/tests/store.rs", call, 1),
            ("worker/src/runtime/tests.rs", call, 1),
            ("worker/src/stock.rs", &below, 1),
            ("worker/src/stock.rs", call, 0),
            ("tests/src/bin/rogue-worker.rs", call, 0),
            ("tests/system/kill.rs", "fn sleep() { add(\"sleep 100\") }", 0),
        ];
        for (path, text, count) in table {
            assert_eq!(check(path, text).len(), count, "{path}: {text}");
        }
    }

    #[test]
    fn channels_have_a_bound() {
        let table = [
            ("std::sync::mpsc::channel()", 1),
            ("mpsc::channel::<Vec<u8>>()", 1),
            ("use std::sync::mpsc::{channel, Sender};", 1),
            ("tokio::sync::mpsc::unbounded_channel()", 1),
            ("mpsc::sync_channel(8)", 0),
            ("tokio::sync::mpsc::channel::<u8>(8)", 0),
            ("oneshot::channel()", 0),
        ];
        for (text, count) in table {
            assert_eq!(check(SHELL, text).len(), count, "{text}");
        }
    }

    #[test]
    fn only_the_store_knows_sql() {
        for text in ["diesel::sql_query(text)", "\"SELECT id FROM ready\"", "r#\"DELETE FROM running\"#"] {
            assert_eq!(check(SHELL, text).len(), 1, "{text}");
            assert_eq!(check("queue-core/src/tick.rs", text).len(), 1, "{text}");
            assert_eq!(check("queue-core/src/store/hot.rs", text), [], "{text}");
            assert_eq!(check("tests/system/doctor.rs", text), [], "{text}");
        }
    }

    #[test]
    fn unsafe_is_for_the_shim() {
        assert_eq!(check(SHELL, "unsafe { f() }").len(), 1);
        assert_eq!(check("supervisor/src/shell/shim.rs", "unsafe { f() }"), []);
        assert_eq!(check(SHELL, "#![deny(unsafe_code)] // unsafe"), []);
    }

    #[test]
    fn anyhow_is_for_the_command_line() {
        assert_eq!(check(SHELL, "use anyhow::Result;").len(), 1);
        for path in ["supervisor/src/main.rs", "supervisor/src/cli/list.rs", "tests/src/lib.rs"] {
            assert_eq!(check(path, "anyhow::bail!()"), [], "{path}");
        }
    }

    #[test]
    fn what_is_not_rust_is_found() {
        assert_eq!(check(SHELL, "fn f( {").len(), 1);
    }
}
