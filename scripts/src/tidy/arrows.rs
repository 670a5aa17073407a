//! Rule: which package may know which. The table is the law of the architecture; tests count as knowing.

use super::finding::Finding;
use super::metadata::{Metadata, Package};

/// Each of our packages, and those of ours that it may depend on.
const ARROWS: [(&str, &[&str]); 6] = [
    ("ipc-contract", &[]),
    ("queue-core", &[]),
    ("worker", &["ipc-contract"]),
    ("supervisor", &["queue-core", "ipc-contract", "worker"]),
    ("tests", &["ipc-contract", "queue-core", "worker", "supervisor"]),
    ("scripts", &[]),
];

/// Where a person reads the error; libraries have typed errors.
const MAY_USE_ANYHOW: [&str; 3] = ["supervisor", "scripts", "tests"];

/// Pure decisions and blocking storage need no runtime.
const WITHOUT_TOKIO: &str = "queue-core";

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    metadata.members().flat_map(|package| check_package(package, metadata)).collect()
}

fn check_package(package: &Package, metadata: &Metadata) -> Vec<Finding> {
    let name = package.name.as_str();
    let finding = |message| Finding::in_file(&package.manifest(), message);
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        return vec![finding(format!("package `{name}` is not in the table of arrows; give it to an owner"))];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let to = dependency.name.as_str();
        if metadata.members().any(|member| member.name == to) && !allowed.contains(&to) {
            findings.push(finding(format!("`{name}` must not know `{to}`; it may know {allowed:?}")));
        }
        if to == "anyhow" && !MAY_USE_ANYHOW.contains(&name) {
            findings.push(finding(format!("`{name}` must not use `anyhow`; give it a typed error")));
        }
    }
    if name == WITHOUT_TOKIO && links_tokio(package, metadata) {
        findings
            .push(finding(format!("`{name}` must not link `tokio`; `cargo tree -p {name} -i tokio` shows the way")));
    }
    findings
}

fn links_tokio(package: &Package, metadata: &Metadata) -> bool {
    let linked = metadata.linked_with(&package.id);
    metadata.packages.iter().any(|other| other.name == "tokio" && linked.contains(other.id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::metadata::samples::metadata;
    use super::*;

    #[test]
    fn the_table_itself_is_tidy() {
        assert_eq!(check(&metadata(&ARROWS, &[])), []);
    }

    #[test]
    fn every_other_arrow_is_found() {
        for (from, allowed) in ARROWS {
            for (to, _) in ARROWS {
                let only_to = std::slice::from_ref(&to);
                let members = ARROWS.map(|(name, _)| (name, if name == from { only_to } else { &[] }));
                let count = usize::from(!allowed.contains(&to));
                assert_eq!(check(&metadata(&members, &[])).len(), count, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn a_package_outside_the_table_is_found() {
        assert_eq!(check(&metadata(&[("web", &[])], &[])).len(), 1);
    }

    #[test]
    fn anyhow_is_found_in_libraries_only() {
        let foreign = [("anyhow", Some("MIT"))];
        assert_eq!(check(&metadata(&[("worker", &["anyhow"])], &foreign)).len(), 1);
        assert_eq!(check(&metadata(&[("supervisor", &["anyhow"])], &foreign)), []);
    }

    #[test]
    fn tokio_is_found_in_the_core_only() {
        let foreign = [("tokio", Some("MIT"))];
        assert_eq!(check(&metadata(&[("queue-core", &["tokio"])], &foreign)).len(), 1);
        assert_eq!(check(&metadata(&[("supervisor", &["tokio"])], &foreign)), []);
    }
}
