//! Rule: the top level of the repository is fixed, and a folder's name is its package's name.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::metadata::Metadata;

/// Everything that may stand at the top; all else lives with its owner.
const ALLOWED: [&str; 21] = [
    ".cargo",
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "ipc-contract",
    "migrations",
    "queue-core",
    "rustfmt.toml",
    "scripts",
    "supervisor",
    "tests",
    "worker",
];

pub(super) fn check<'a>(paths: impl Iterator<Item = &'a str>, metadata: &Metadata) -> Vec<Finding> {
    let top: BTreeSet<&str> = paths.filter_map(|path| path.split('/').next()).collect();
    let stray = top
        .into_iter()
        .filter(|name| !ALLOWED.contains(name))
        .map(|name| Finding::in_file(name, "the top level is fixed; move this to the package that owns it"));
    let misnamed = metadata.members().filter(|package| package.name != package.folder()).map(|package| {
        let message = format!("package `{}` must have the name of its folder", package.name);
        Finding::in_file(&package.manifest(), message)
    });
    stray.chain(misnamed).collect()
}

#[cfg(test)]
mod tests {
    use super::super::metadata::samples::metadata;
    use super::*;

    #[test]
    fn strays_are_found_once() {
        let paths = ["README.md", "worker/src/lib.rs", "docs/a.md", "docs/b.md", "Makefile", "src/main.rs"];
        let findings = check(paths.into_iter(), &metadata(&[("worker", &[])], &[]));
        let text: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert_eq!(text.len(), 3, "{text:?}");
        assert!(
            text[0].starts_with("Makefile:") && text[1].starts_with("docs:") && text[2].starts_with("src:"),
            "{text:?}"
        );
    }

    #[test]
    fn a_package_with_another_name_than_its_folder_is_found() {
        let value = serde_json::json!({
            "packages": [
                { "id": "a", "name": "mutirao-worker", "dependencies": [], "manifest_path": "/root/worker/Cargo.toml" }
            ],
            "workspace_members": ["a"],
            "resolve": { "nodes": [] },
        });
        let metadata = serde_json::from_value(value).expect("the shape of cargo metadata");
        assert_eq!(check(std::iter::empty(), &metadata).len(), 1);
    }
}
