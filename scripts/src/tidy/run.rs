//! Running every rule over the whole tree.

use anyhow::{Result, ensure};

use super::finding::Finding;
use super::tree::Tree;
use super::{absences, arrows, doc_paths, licences, module_docs, size, toplevel};

/// Prints every finding; any finding is an error.
pub(crate) fn run() -> Result<()> {
    let findings = check(&Tree::read()?);
    for finding in &findings {
        eprintln!("{finding}");
    }
    ensure!(findings.is_empty(), "{} findings of the tidy rules", findings.len());
    Ok(())
}

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = arrows::check(&tree.metadata);
    findings.extend(licences::check(&tree.metadata));
    findings.extend(toplevel::check(tree.files.keys().map(String::as_str), &tree.metadata));
    for (path, text) in tree.ending(".rs") {
        findings.extend(size::check(path, text));
        findings.extend(module_docs::check(path, text));
        findings.extend(absences::check(path, text));
    }
    let known = doc_paths::KnownPaths::new(tree.files.keys().map(String::as_str));
    for (path, text) in tree.ending(".md") {
        findings.extend(doc_paths::check(path, text, &known));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let findings = check(&Tree::read().expect("git and cargo answer"));
        let text: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(text.is_empty(), "\n{}", text.join("\n"));
    }
}
