//! Where the control groups of this process are, by what the kernel says of its mounts and its places in them.

use std::fs;
use std::path::{Path, PathBuf};

/// What limits nothing is told as a number near the largest one.
const UNLIMITED_MIN: u64 = 1 << 60;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Version 2: the mount, and our own group below it.
    pub unified: Option<(PathBuf, PathBuf)>,
    /// Version 1: our own group of the memory controller.
    pub memory_v1: Option<PathBuf>,
}

impl Layout {
    /// Of this process, now.
    pub fn here() -> Layout {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        Layout::of(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
    }

    /// From the texts of `mountinfo` and `cgroup` of a process.
    pub(super) fn of(mounts: &str, own: &str) -> Layout {
        let mut layout = Layout::default();
        for Mount { root, point, kind, options } in mounts.lines().filter_map(Mount::parse) {
            let group = |controllers: &str| {
                let place = own.lines().find_map(|line| place_of(line, controllers))?;
                let below = Path::new(place).strip_prefix(&root).ok()?;
                // Put together anew, without a slash at its end.
                Some(point.join(below).components().collect())
            };
            match kind {
                "cgroup2" if layout.unified.is_none() => {
                    layout.unified = group("").map(|own| (point.clone(), own));
                }
                "cgroup" if options.split(',').any(|option| option == "memory") => layout.memory_v1 = group("memory"),
                _ => {}
            }
        }
        layout
    }
}

struct Mount<'a> {
    root: PathBuf,
    point: PathBuf,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Mount<'a>> {
        let (head, tail) = line.split_once(" - ")?;
        let mut head = head.split(' ').skip(3);
        let mut tail = tail.split(' ');
        // Blanks in paths are written as numbers.
        let path = |text: &str| PathBuf::from(text.replace("\\040", " "));
        let (root, point) = (path(head.next()?), path(head.next()?));
        Some(Mount { root, point, kind: tail.next()?, options: tail.nth(1)? })
    }
}

/// The path in a line such as `4:memory:/a`, if it is about these controllers; version 2 has none.
fn place_of<'a>(line: &'a str, controller: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, place) = rest.split_once(':')?;
    controllers.split(',').any(|name| name == controller).then_some(place)
}

/// The least that our own groups let us have in memory, if any of them limits it.
pub fn memory_limit_bytes(layout: &Layout) -> Option<u64> {
    let unified = layout.unified.iter().flat_map(|(mount, own)| {
        let groups = own.ancestors().take_while(move |group| group.starts_with(mount));
        groups.filter_map(|group| fs::read_to_string(group.join("memory.max")).ok()?.trim().parse().ok())
    });
    let v1 = layout.memory_v1.iter().filter_map(|own| {
        let text = fs::read_to_string(own.join("memory.stat")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("hierarchical_memory_limit "))?.parse().ok()
    });
    unified.chain(v1).filter(|limit: &u64| *limit < UNLIMITED_MIN).min()
}
