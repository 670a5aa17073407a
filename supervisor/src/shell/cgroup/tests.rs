//! The protocol of files on made-up folders, and the real tree of this host as far as it can be had.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use queue_core::task::WorkerId;

use super::former::homes;
use super::group::values;
use super::groups::{before_move, home_name};
use super::level::Base;
use super::*;
use crate::config::{CgroupUse, WorkerLimits};

const MOUNTS: &str = "\
    25 1 0:22 / /sys rw,nosuid - sysfs sysfs rw\n\
    30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
    31 25 0:27 /box /sys/fs/cgroup/my\\040own rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const ALL: Controllers = Controllers { memory: true, pids: true, cpu: true };

#[test]
fn the_layout_is_read_from_what_the_kernel_says() {
    let own = "4:memory,cpu:/m/a\n1:name=systemd:/s\n0::/box/inner\n";
    let layout = Layout::of(MOUNTS, own);
    let mount = PathBuf::from("/sys/fs/cgroup/my own");
    assert_eq!(layout.unified, Some((mount.clone(), mount.join("inner"))));
    assert_eq!(layout.memory_v1, Some("/sys/fs/cgroup/memory/m/a".into()));
    for elsewhere in ["0::/other", "0::/../x", "", "0:", "::::"] {
        assert_eq!(Layout::of(MOUNTS, elsewhere), Layout::default(), "{elsewhere:?}");
    }
    assert_eq!(Layout::of("a - cgroup2\n\n1 2 3 4 5 6 - cgroup2 x", own), Layout::default());
}

#[test]
fn the_least_limit_on_the_way_up_counts() {
    let outer = tempfile::tempdir().unwrap();
    let (mount, own) = (outer.path().to_owned(), outer.path().join("a/b"));
    fs::create_dir_all(&own).unwrap();
    let layout = Layout { unified: Some((mount, own.clone())), memory_v1: Some(own.clone()) };
    assert_eq!(memory_limit_bytes(&layout), None);
    fs::write(own.join("memory.max"), "max\n").unwrap();
    fs::write(own.join("memory.stat"), "cache 1\nhierarchical_memory_limit 9223372036854771712\n").unwrap();
    assert_eq!(memory_limit_bytes(&layout), None);
    fs::write(outer.path().join("a/memory.max"), "7000\n").unwrap();
    assert_eq!(memory_limit_bytes(&layout), Some(7_000));
    fs::write(own.join("memory.stat"), "hierarchical_memory_limit 500\n").unwrap();
    assert_eq!(memory_limit_bytes(&layout), Some(500));
}

#[test]
fn what_can_be_had_is_decided_by_what_is_seen() {
    let folder = PathBuf::from("/g");
    let base = Base { folder, refused: None, available: ALL, is_root: false, has_others: false, is_own: true };
    let table = [
        (base.clone(), Level::Full(ALL), "below /g"),
        (Base { has_others: true, ..base.clone() }, Level::KillOnly, "holds other processes"),
        (Base { has_others: true, is_root: true, ..base.clone() }, Level::Full(ALL), "below /g"),
        (Base { available: Controllers::default(), ..base.clone() }, Level::KillOnly, "no controllers"),
        (Base { refused: Some("cannot write".into()), ..base }, Level::None, "cannot write; run as root, or"),
    ];
    for (base, level, part) in table {
        let verdict = base.judge();
        assert!(verdict.level == level && verdict.why.contains(part), "{base:?}: {verdict:?}");
    }
    let look = |wanted| look(&Layout::here(), &wanted).why;
    assert!(look(CgroupUse::At("/no/such".into())).contains("no group"), "{}", look(CgroupUse::At("/no/such".into())));
}

#[test]
fn limits_are_written_as_the_system_reads_them() {
    let limits =
        WorkerLimits { memory_bytes: Some(1 << 20), cpu: Some(1.5), processes: Some(64), ..WorkerLimits::default() };
    let written = |limits: &WorkerLimits, controllers| {
        let lines = values(limits, controllers).into_iter().map(|(file, value)| format!("{file}={value}"));
        lines.collect::<Vec<_>>().join(" ")
    };
    let all = "memory.max=1048576 memory.swap.max=0 memory.oom.group=1 pids.max=64 cpu.max=150000 100000";
    assert_eq!(written(&limits, ALL), all);
    assert_eq!(written(&limits, Controllers { pids: true, ..Controllers::default() }), "pids.max=64");
    assert_eq!(written(&WorkerLimits::default(), ALL), "");
    assert_eq!(
        written(&WorkerLimits { cpu: Some(0.001), ..limits }, Controllers { cpu: true, ..Controllers::default() }),
        "cpu.max=1000 100000"
    );
}

#[test]
fn who_is_started_in_the_leaf_of_a_former_life_takes_its_place() {
    let place = |own: &str| {
        let unified = Some((PathBuf::from("/g"), PathBuf::from(own)));
        before_move(Layout { unified, ..Layout::default() }, "7").unified.unwrap().1
    };
    assert_eq!(place("/g/a/mutirao-7/supervisor"), Path::new("/g/a"));
    for own in ["/g", "/g/a/supervisor", "/g/a/mutirao-7/w1", "/g/a/mutirao-7", "/g/a/mutirao-8/supervisor"] {
        assert_eq!(place(own), Path::new(own));
    }
}

/// What looks like a group with these controllers.
fn made_up(folder: &Path, controllers: &str) -> Base {
    fs::write(folder.join("cgroup.controllers"), controllers).unwrap();
    fs::write(folder.join("cgroup.procs"), std::process::id().to_string()).unwrap();
    fs::write(folder.join("cgroup.type"), "domain").unwrap();
    let unified = Some((folder.to_owned(), folder.to_owned()));
    Base::find(&Layout { unified, ..Layout::default() }, &CgroupUse::Auto).unwrap()
}

#[test]
fn a_group_of_ours_alone_is_divided_from_a_leaf() {
    let outer = tempfile::tempdir().unwrap();
    let at = |name: &str| outer.path().join(name);
    let base = made_up(outer.path(), "cpu io memory pids\n");
    let home = home_name("7");
    fs::create_dir(at(&home)).unwrap();
    for file in ["cgroup.kill", "cgroup.subtree_control"] {
        fs::write(at(&home).join(file), "").unwrap();
    }
    let (groups, verdict) = Groups::take(&base, "7", true);
    assert_eq!(fs::read_to_string(at(&home).join("supervisor/cgroup.procs")).unwrap(), "0", "we have moved");
    assert_eq!(fs::read_to_string(at("cgroup.subtree_control")).unwrap(), "+cpu", "the last one that was asked for");
    // A file keeps what was written, a group answers in its own way.
    assert_eq!((verdict.level, groups.unwrap().controllers()), (Level::KillOnly, Controllers::default()));
    fs::write(at("cgroup.procs"), "1\n").unwrap();
    let others = made_up(outer.path(), "memory");
    fs::write(at("cgroup.procs"), format!("{} 1", std::process::id())).unwrap();
    assert!(!others.has_others);
}

/// The real tree, where groups can be made; else the reason is printed.
fn real(uid: &str) -> Option<Groups> {
    match Groups::open(&CgroupUse::Auto, uid) {
        Ok((Some(groups), _)) => Some(groups),
        Ok((None, verdict)) => {
            eprintln!("skipped: {}", verdict.why);
            None
        }
        Err(why) => panic!("{why}"),
    }
}

/// A process in a group, with a child that has left its session and forgotten its environment.
fn populate(group: &Group) -> std::process::Child {
    let script = "echo 0 > \"$0/cgroup.procs\"; env -i setsid sleep 1000 < /dev/null > /dev/null & exec sleep 1000";
    let child = Command::new("sh").args(["-c", script]).arg(group.folder()).stdin(Stdio::null()).spawn().unwrap();
    while group.processes().len() < 2 {
        std::thread::yield_now();
    }
    child
}

#[test]
fn everything_in_a_real_group_is_killed() {
    let Some(groups) = real("test-kill") else { return };
    let group = groups.make(WorkerId(1), &WorkerLimits::default()).unwrap();
    assert!(!group.is_populated());
    let mut child = populate(&group);
    assert!(group.is_populated() && group.processes().contains(&child.id().cast_signed()));
    group.end().unwrap();
    assert_eq!((group.is_populated(), group.processes()), (false, vec![]));
    child.wait().unwrap();
    group.remove();
    groups.close();
    assert!(!group.folder().exists() && homes(group.folder().parent().unwrap(), "test-kill").is_empty());
}

#[test]
fn a_former_life_is_ended_by_its_groups() {
    let Some(groups) = real("test-former") else { return };
    let group = groups.make(WorkerId(1), &WorkerLimits::default()).unwrap();
    fs::create_dir(group.folder().join("inner")).unwrap();
    let mut child = populate(&Group::at(group.folder().join("inner")));
    assert_eq!(end_former("test-former").unwrap(), 2);
    assert!(!group.folder().exists());
    child.wait().unwrap();
    assert_eq!(end_former("test-former").unwrap(), 0, "nothing is left");
    groups.close();
}

#[test]
fn a_place_that_is_named_is_taken_or_refused() {
    let Some(groups) = real("test-at") else { return };
    let place = groups.make(WorkerId(1), &WorkerLimits::default()).unwrap();
    let (at, verdict) = Groups::open(&CgroupUse::At(place.folder().to_owned()), "test-at-inner").unwrap();
    let at = at.unwrap();
    assert!(!at.is_optional && verdict.level != Level::None);
    let group = at.make(WorkerId(1), &WorkerLimits::default()).unwrap();
    assert!(group.folder().starts_with(place.folder()));
    group.remove();
    at.close();
    place.remove();
    groups.close();
    let gone = Groups::open(&CgroupUse::At(place.folder().to_owned()), "test-at-inner").unwrap_err();
    assert!(gone.contains("is no group; make it below /"), "{gone}");
}

#[test]
fn the_system_kills_who_has_too_much_in_memory() {
    let Some(groups) = real("test-memory") else { return };
    if !groups.controllers().memory {
        let verdict = look(&Layout::here(), &CgroupUse::Auto);
        eprintln!("skipped: no memory.max here: {}", verdict.why);
        return groups.close();
    }
    let limits = WorkerLimits { memory_bytes: Some(32 << 20), ..WorkerLimits::default() };
    let group = groups.make(WorkerId(1), &limits).unwrap();
    let script = "echo 0 > \"$0/cgroup.procs\"; head -c 256M /dev/zero | tail -c 256M";
    let status = Command::new("sh").args(["-c", script]).arg(group.folder()).stdout(Stdio::null()).status().unwrap();
    assert!(!status.success() && group.was_out_of_memory(), "{status}");
    assert!(group.peak_bytes().is_none_or(|peak| peak <= 32 << 20));
    group.end().unwrap();
    group.remove();
    groups.close();
}
