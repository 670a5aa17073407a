//! Writes what the contract prints from its code: the tables of its pages and the golden vectors. Decides nothing about them.
//!
//! `gen-contract` writes, `gen-contract --check` compares, prints what differs and exits 1.

mod conversation;
mod difference;
mod kit;
mod tables;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

type Files = BTreeMap<PathBuf, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => write(root),
        ["--check"] => check(root),
        _ => {
            eprintln!("usage: gen-contract [--check]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Every generated file as it should be, by its path below `root`.
fn wanted(root: &Path) -> io::Result<Files> {
    let mut files = vectors::files()?;
    type Fill = fn(&str) -> Result<String, String>;
    let pages: [(&str, Fill); 2] = [(tables::PAGE, tables::fill), (kit::PAGE, kit::fill)];
    for (page, fill) in pages {
        let text = fs::read_to_string(root.join(page))?;
        files.insert(PathBuf::from(page), fill(&text).map_err(io::Error::other)?);
    }
    Ok(files)
}

fn write(root: &Path) -> io::Result<()> {
    let files = wanted(root)?;
    for stale in present(root)?.difference(&files.keys().cloned().collect()) {
        fs::remove_file(root.join(stale))?;
    }
    for (path, text) in &files {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

fn check(root: &Path) -> io::Result<()> {
    let files = wanted(root)?;
    let mut paths = present(root)?;
    paths.extend(files.keys().cloned());
    let mut differences = Vec::new();
    for path in paths {
        let present = match fs::read_to_string(root.join(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            present => Some(present?),
        };
        differences.extend(difference::of(&path, files.get(&path).map(String::as_str), present.as_deref()));
    }
    difference::report(&differences).map_or(Ok(()), |report| Err(io::Error::other(report)))
}

/// The vectors that are there, by their paths below `root`.
fn present(root: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut paths = BTreeSet::new();
    let folder = Path::new(vectors::FOLDER);
    if !root.join(folder).exists() {
        return Ok(paths);
    }
    for group in fs::read_dir(root.join(folder))? {
        let group = folder.join(group?.file_name());
        for file in fs::read_dir(root.join(&group))? {
            paths.insert(group.join(file?.file_name()));
        }
    }
    Ok(paths)
}
