//! What /proc says of processes. Reads only; a process that is gone meanwhile is simply not there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The facts of one process that identify it and place it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub pid: i32,
    /// `Z` and `X` are dead already.
    pub state: char,
    pub session: i32,
    /// Clock ticks since boot: with the pid and the boot id it is unique.
    pub start_time: i64,
}

impl Stat {
    pub fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

pub fn stat(pid: i32) -> Option<Stat> {
    parse_stat(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The second field is the program's name in parentheses and may hold anything, so the rest begins at the last one.
fn parse_stat(pid: i32, text: &str) -> Option<Stat> {
    let rest = &text[text.rfind(')')? + 1..];
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let state = fields.first()?.chars().next()?;
    Some(Stat { pid, state, session: fields.get(3)?.parse().ok()?, start_time: fields.get(19)?.parse().ok()? })
}

/// Every process that is there now.
pub fn all() -> Vec<Stat> {
    numbers(Path::new("/proc")).into_iter().filter_map(stat).collect()
}

/// The children of all threads of a process; dead ones that nobody has waited for are among them.
pub fn children(pid: i32) -> Vec<i32> {
    let tasks = numbers(Path::new(&format!("/proc/{pid}/task")));
    let read = |task| fs::read_to_string(format!("/proc/{pid}/task/{task}/children")).unwrap_or_default();
    let lists: Vec<String> = tasks.into_iter().map(read).collect();
    lists.iter().flat_map(|list| list.split_ascii_whitespace()).filter_map(|child| child.parse().ok()).collect()
}

/// Everything below a process that is not dead, itself not included.
pub fn living_below(pid: i32) -> Vec<i32> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let mut open = children(pid);
    while let Some(child) = open.pop() {
        // A number may come to be another's while we look.
        if !seen.insert(child) {
            continue;
        }
        open.extend(children(child));
        if stat(child).is_some_and(|stat| !stat.is_dead()) {
            found.push(child);
        }
    }
    found
}

/// What a process has in memory, shared pages included.
pub fn rss_bytes(pid: i32) -> Option<u64> {
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?.split(' ').nth(1)?.parse::<u64>().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Whether one of the variables that a process was started with begins like this.
pub fn environment_has(pid: i32, prefix: &[u8]) -> bool {
    let bytes = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).any(|variable| variable.starts_with(prefix))
}

/// Changes with each boot, so that a pid of another boot is never taken for ours.
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The kinds of descriptors that this process holds, as /proc/self/fd names them.
pub fn descriptors(kind: &str) -> usize {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return 0 };
    entries
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| target.to_string_lossy().starts_with(kind))
        .count()
}

fn numbers(folder: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_confuse_the_parser() {
        let text = "42 (a) b (c) S 1 40 41 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 1";
        assert_eq!(parse_stat(42, text), Some(Stat { pid: 42, state: 'S', session: 41, start_time: 987_654 }));
        assert_eq!(parse_stat(42, "42 (half"), None);
        assert_eq!(parse_stat(42, ""), None);
    }

    #[test]
    fn this_process_is_found() {
        let me = std::process::id() as i32;
        let mine = stat(me).unwrap();
        assert!(all().contains(&mine) || all().iter().any(|stat| stat.pid == me));
        assert!(!boot_id().is_empty());
        assert!(!environment_has(me, b"NO_SUCH_VARIABLE="));
    }
}
