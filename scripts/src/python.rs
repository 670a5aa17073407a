//! The tests of the Python package, started as a contributor starts them. What they say is theirs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::ROOT;

/// Where the package is, seen from the root of the tree.
const FOLDER: &str = "worker/python";

/// Runs the tests of the package with the `python3` of this machine.
pub(crate) fn test() -> Result<()> {
    let status = Command::new("python3")
        .args([
            "-B",
            "-m",
            "unittest",
            "discover",
            "--quiet",
            "--start-directory",
            "tests",
            "--top-level-directory",
            ".",
        ])
        .current_dir(Path::new(ROOT).join(FOLDER))
        .status()
        .context("python3 cannot be started; install Python 3.10 or newer with pip and venv")?;
    ensure!(status.success(), "the tests of {FOLDER} failed");
    Ok(())
}
