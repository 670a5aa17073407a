//! `test`: the one command that CI and contributors run; the list of its steps and nothing of their work.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::cargo::{BUILD_SYSTEM_PROGRAMS, cargo};
use crate::{generate, node, python, tidy};

struct Step {
    name: &'static str,
    action: Action,
    /// What to do when the step is red.
    hint: &'static str,
}

enum Action {
    Cargo(&'static [&'static str]),
    Call(fn() -> Result<()>),
}

/// Cheap steps first, so that a slip is told in seconds.
const STEPS: [Step; 8] = [
    Step { name: "format", action: Action::Cargo(&["fmt", "--all", "--check"]), hint: "run `cargo fmt --all`" },
    Step {
        name: "lints",
        action: Action::Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        hint: "mend what clippy names above",
    },
    Step {
        name: "python",
        action: Action::Call(python::test),
        hint: "run one with `python3 -m unittest tests.test_codec` in worker/python",
    },
    Step {
        name: "node",
        action: Action::Call(node::test),
        hint: "run one with `npm run pretest && node --test build/tests/codec.test.js` in worker/node",
    },
    Step { name: "build", action: Action::Cargo(BUILD_SYSTEM_PROGRAMS), hint: "mend what the compiler names above" },
    Step {
        name: "tests",
        action: Action::Cargo(&["test", "--workspace"]),
        hint: "run the failed test alone with `cargo test -p PACKAGE NAME`",
    },
    Step { name: "tidy", action: Action::Call(tidy::run), hint: "mend each finding above" },
    Step {
        name: "generated files",
        action: Action::Call(|| generate::run(true)),
        hint: "run `cargo run -p scripts -- gen` and read the difference",
    },
];

/// Runs the steps in order and stops at the first red one.
pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    for step in &STEPS {
        println!("==> {}", step.name);
        let step_start = Instant::now();
        let result = match step.action {
            Action::Cargo(args) => cargo(args),
            Action::Call(call) => call(),
        };
        let seconds = step_start.elapsed().as_secs_f64();
        result.with_context(|| format!("{} is red after {seconds:.1} s: {}", step.name, step.hint))?;
        println!("==> {} is green after {seconds:.1} s", step.name);
    }
    println!("==> all is green after {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
