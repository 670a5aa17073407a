//! The part of `cargo metadata` that the rules read, in cargo's own shape.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) license: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
    manifest_path: String,
}

/// A dependency as the manifest declares it: normal, for tests or for building, optional or not.
#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    pkg: String,
    dep_kinds: Vec<LinkKind>,
}

#[derive(Deserialize)]
struct LinkKind {
    /// None is a normal dependency, else `dev` or `build`.
    kind: Option<String>,
}

impl Metadata {
    /// Our own packages.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The ids of everything that `id` is linked with by normal dependencies, itself included.
    pub(super) fn linked_with<'a>(&'a self, id: &'a str) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.resolve.nodes.iter().filter(|node| node.id == id).flat_map(Node::normal));
            }
        }
        seen
    }
}

impl Node {
    fn normal(&self) -> impl Iterator<Item = &str> {
        let is_normal = |link: &&Link| link.dep_kinds.iter().any(|kind| kind.kind.is_none());
        self.deps.iter().filter(is_normal).map(|link| link.pkg.as_str())
    }
}

impl Package {
    /// The name of the folder that holds the manifest.
    pub(super) fn folder(&self) -> &str {
        let folder = Path::new(&self.manifest_path).parent().and_then(Path::file_name);
        folder.and_then(|name| name.to_str()).unwrap_or_default()
    }

    pub(super) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder())
    }
}

/// Small metadata for the tests of the rules.
#[cfg(test)]
pub(super) mod samples {
    use serde_json::json;

    use super::Metadata;

    /// Members with the names of their dependencies, and foreign packages with their licences. Every link is normal.
    pub(in super::super) fn metadata(members: &[(&str, &[&str])], foreign: &[(&str, Option<&str>)]) -> Metadata {
        let ours = members.iter().map(|(name, dependencies)| {
            let dependencies: Vec<_> = dependencies.iter().map(|name| json!({ "name": name })).collect();
            let manifest_path = format!("/root/{name}/Cargo.toml");
            json!({ "id": name, "name": name, "license": "MIT", "dependencies": dependencies, "manifest_path": manifest_path })
        });
        let others = foreign.iter().map(|(name, license)| {
            let manifest_path = format!("/registry/{name}-1.0.0/Cargo.toml");
            json!({ "id": name, "name": name, "license": license, "dependencies": [], "manifest_path": manifest_path })
        });
        let nodes = members.iter().map(|(name, dependencies)| {
            let links = dependencies.iter().map(|name| json!({ "pkg": name, "dep_kinds": [{ "kind": null }] }));
            json!({ "id": name, "deps": links.collect::<Vec<_>>() })
        });
        let value = json!({
            "packages": ours.chain(others).collect::<Vec<_>>(),
            "workspace_members": members.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "resolve": { "nodes": nodes.collect::<Vec<_>>() },
        });
        serde_json::from_value(value).expect("the shape of cargo metadata")
    }
}
