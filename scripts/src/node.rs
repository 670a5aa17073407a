//! Build and tests of the Node package, started as a contributor starts them. What they say is theirs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::ROOT;

/// Where the package is, seen from the root of the tree.
const FOLDER: &str = "worker/node";

/// What the package needs, then its build, which the system tests use as well, then its own tests.
const STEPS: [&[&str]; 3] =
    [&["ci", "--no-audit", "--no-fund", "--prefer-offline"], &["run", "--silent", "build"], &["test", "--silent"]];

/// Runs them with the `node` of this machine.
pub(crate) fn test() -> Result<()> {
    for args in STEPS {
        let status = Command::new("npm")
            .args(args)
            .current_dir(Path::new(ROOT).join(FOLDER))
            .status()
            .context("npm cannot be started; install Node 20 or newer")?;
        ensure!(status.success(), "`npm {}` in {FOLDER} failed", args.join(" "));
    }
    Ok(())
}
