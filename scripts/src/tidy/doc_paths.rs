//! Rule: a path of this tree that a document names exists. Looks at links, back-ticked words and code blocks.

use std::collections::BTreeSet;

use super::finding::Finding;

/// Every file and folder of the tree.
pub(super) struct KnownPaths<'a>(BTreeSet<&'a str>);

impl<'a> KnownPaths<'a> {
    pub(super) fn new(files: impl Iterator<Item = &'a str>) -> Self {
        let with_folders = |file: &'a str| {
            let folders = file.match_indices('/').map(|(at, _)| &file[..at]);
            folders.chain([file])
        };
        Self(files.flat_map(with_folders).collect())
    }

    fn has(&self, path: &str) -> bool {
        path.is_empty() || self.0.contains(path)
    }

    /// True when `word` starts in a folder of the top level.
    fn may_hold(&self, word: &str) -> bool {
        word.split_once('/').is_some_and(|(top, _)| self.0.contains(top))
    }
}

pub(super) fn check(path: &str, text: &str, known: &KnownPaths<'_>) -> Vec<Finding> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        let words =
            if in_block || is_fence { code_words(line) } else { back_ticked(line).flat_map(code_words).collect() };
        let links = if in_block { Vec::new() } else { links(line, folder) };
        let named = words.into_iter().filter(|word| known.may_hold(word)).flat_map(|word| expand_braces(&word));
        for missing in named.chain(links).filter(|word| !known.has(word.trim_end_matches('/'))) {
            let message = format!("names `{missing}`, which does not exist; say where it is now");
            findings.push(Finding::at(path, index + 1, message));
        }
    }
    findings
}

/// What stands between back-ticks in one line.
fn back_ticked(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The words that are spelled like a path, without `:line`, `::item` or punctuation at their end.
fn code_words(code: &str) -> Vec<String> {
    let is_path = |char: char| char.is_ascii_alphanumeric() || "._-/{},".contains(char);
    let words = code.split_whitespace().map(|word| word.split(':').next().unwrap_or_default());
    let words = words.map(|word| word.trim_end_matches(['.', ',']).trim_start_matches("./"));
    words.filter(|word| word.chars().all(is_path)).map(str::to_owned).collect()
}

/// The targets of links inside the tree, relative to its root.
fn links(line: &str, folder: &str) -> Vec<String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.map(|target| target.split('#').next().unwrap_or_default());
    targets.filter(|target| !target.is_empty() && !target.contains(':')).map(|target| resolve(folder, target)).collect()
}

/// `docs` and `../src/a.rs` are `src/a.rs`; a leading `/` is the root of the tree.
fn resolve(folder: &str, target: &str) -> String {
    let start = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return target.to_owned(),
            ".." => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn expand_braces(word: &str) -> Vec<String> {
    let parts =
        word.split_once('{').and_then(|(head, rest)| rest.split_once('}').map(|(list, tail)| (head, list, tail)));
    match parts {
        None => vec![word.to_owned()],
        Some((head, list, tail)) => {
            list.split(',').flat_map(|name| expand_braces(&format!("{head}{name}{tail}"))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 5] =
        ["README.md", "worker/docs/a.md", "worker/src/lib.rs", "worker/src/stock/run.rs", ".ci/run"];

    fn missing(path: &str, text: &str) -> Vec<String> {
        let findings = check(path, text, &KnownPaths::new(FILES.into_iter()));
        let name = |finding: &Finding| finding.to_string().split('`').nth(1).unwrap_or_default().to_owned();
        findings.iter().map(name).collect()
    }

    #[test]
    fn existing_paths_and_other_words_are_fine() {
        let fine = "`worker/src/lib.rs`, `worker/src/`, `worker/src/lib.rs::run`, `worker/src/lib.rs:12`, `./.ci/run`, \
                    `cat worker/src/{lib.rs,stock/run.rs}`, `and/or`, `worker`, `worker/<name>`, worker/none \
                    [a](worker/docs/a.md#x) [b](https://a.example/b) [c](#d)";
        assert_eq!(missing("README.md", fine), [""; 0]);
        assert_eq!(missing("worker/docs/a.md", "[a](../src/lib.rs) [b](/README.md) [c](a.md) [d](../..)"), [""; 0]);
    }

    #[test]
    fn missing_paths_are_found() {
        let table = [
            ("see `worker/src/gone.rs`.", "worker/src/gone.rs"),
            ("`worker/gone.rs:12`", "worker/gone.rs"),
            ("`worker/gone.rs::run`", "worker/gone.rs"),
            ("`cat ./worker/gone`", "worker/gone"),
            ("`worker/src/{lib,gone}.rs`", "worker/src/gone.rs"),
            ("```\n.ci/gone  what it does\n```", ".ci/gone"),
            ("[a](worker/gone.md#x)", "worker/gone.md"),
            ("[a](../outside.md)", "../outside.md"),
        ];
        for (text, gone) in table {
            assert_eq!(missing("README.md", text), [gone], "{text}");
        }
        assert_eq!(missing("worker/docs/a.md", "[a](lib.rs)"), ["worker/docs/lib.rs"]);
    }
}
