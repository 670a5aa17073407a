//! Reading what the rules look at: the files that git knows or would add, and cargo's metadata. Judges nothing.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use super::metadata::Metadata;
use crate::cargo::{ROOT, cargo_output, git_output};

/// The product is for Linux; what only other systems need is not shipped.
const METADATA: [&str; 7] = [
    "metadata",
    "--format-version",
    "1",
    "--filter-platform",
    "x86_64-unknown-linux-gnu",
    "--filter-platform",
    "aarch64-unknown-linux-gnu",
];

pub(super) struct Tree {
    /// Text by path, relative to the root; the text is empty for files that no rule reads.
    pub(super) files: BTreeMap<String, String>,
    pub(super) metadata: Metadata,
}

impl Tree {
    /// Reads the whole tree; files that are deleted but still tracked are left out.
    pub(super) fn read() -> Result<Self> {
        let list = git_output(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let list = String::from_utf8(list).context("a file name is not UTF-8; rename it")?;
        let exists = |path: &&str| !path.is_empty() && Path::new(ROOT).join(path).exists();
        let files = list.split('\0').filter(exists).map(|path| Ok((path.to_owned(), read_text(path)?)));
        let metadata = serde_json::from_slice(&cargo_output(&METADATA)?).context("cargo metadata has another shape")?;
        Ok(Self { files: files.collect::<Result<_>>()?, metadata })
    }

    /// The files whose name ends in `ending`, as (path, text).
    pub(super) fn ending(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.ends_with(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn read_text(path: &str) -> Result<String> {
    if !path.ends_with(".rs") && !path.ends_with(".md") {
        return Ok(String::new());
    }
    std::fs::read_to_string(Path::new(ROOT).join(path)).with_context(|| format!("cannot read {path}"))
}
