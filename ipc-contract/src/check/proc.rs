//! What the system tells of the processes below a worker. Reads `/proc`, changes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A process below another one.
#[derive(Clone)]
pub(super) struct Below {
    folder: PathBuf,
}

/// A process that a handler has started.
pub(super) struct Child {
    pub(super) process: Below,
    /// False when it goes on with the worker's own program: then nothing that is closed on exec is closed yet.
    pub(super) is_program: bool,
}

/// The numbers of all processes below this one.
pub(super) fn below(pid: i32) -> BTreeSet<i32> {
    let parents: Vec<(i32, i32)> = numbers().filter_map(|child| Some((child, parent(child)?))).collect();
    let mut found = BTreeSet::new();
    let mut generation = BTreeSet::from([pid]);
    while !generation.is_empty() {
        let is_next = |(child, parent): &&(i32, i32)| generation.contains(parent) && !found.contains(child);
        generation = parents.iter().filter(is_next).map(|(child, _)| *child).collect();
        found.extend(&generation);
    }
    found
}

fn numbers() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in brackets and may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

impl Below {
    pub(super) fn new(pid: i32) -> Self {
        Self { folder: Path::new("/proc").join(pid.to_string()) }
    }

    /// The program and its arguments, as they were started: a process that was only forked has those of its parent.
    pub(super) fn command(&self) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join("cmdline"))
    }

    /// The names of the variables that it was started with.
    pub(super) fn variables(&self) -> io::Result<Vec<String>> {
        let environment = fs::read(self.folder.join("environ"))?;
        let entries = environment.split(|byte| *byte == 0).map(|entry| entry.split(|byte| *byte == b'=').next());
        Ok(entries.flatten().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Its open descriptors, and what each is of, such as `/dev/null` or `pipe:[17]`.
    pub(super) fn descriptors(&self) -> io::Result<Vec<(String, String)>> {
        let entries = fs::read_dir(self.folder.join("fd"))?;
        let of_entry = |entry: fs::DirEntry| {
            let target = fs::read_link(entry.path()).ok()?;
            Some((entry.file_name().to_string_lossy().into_owned(), target.to_string_lossy().into_owned()))
        };
        Ok(entries.flatten().filter_map(of_entry).collect())
    }
}
