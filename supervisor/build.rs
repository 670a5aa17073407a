//! Lists the files of the Python package, which the demo carries with it. Only the list is made here.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// From the folder of this package.
const SOURCES: &str = "../worker/python/src";
/// Nothing that tools leave beside them.
const ENDINGS: [&str; 2] = ["py", "typed"];

fn main() -> io::Result<()> {
    let folder = |variable| env::var_os(variable).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let root = folder("CARGO_MANIFEST_DIR")?.join(SOURCES).canonicalize()?;
    let mut files = find(&root)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        // Not the folder, which changes whenever Python caches something. A new file matters once an old one imports it.
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&root).unwrap_or(file);
        writeln!(list, "    ({name:?}, include_str!({file:?})),").map_err(io::Error::other)?;
    }
    fs::write(folder("OUT_DIR")?.join("python_package.rs"), list + "]\n")
}

fn find(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(find(&path)?);
        } else if path.extension().and_then(OsStr::to_str).is_some_and(|ending| ENDINGS.contains(&ending)) {
            files.push(path);
        }
    }
    Ok(files)
}
