//! Which guarantee each feature of the host gives, and what is lost where it is missing. Pure.

use bytesize::ByteSize;

use super::facts::Facts;
use crate::shell::cgroup::Level;

/// One feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub feature: &'static str,
    /// What is there.
    pub state: String,
    pub guarantee: &'static str,
    /// What is lost here; nothing when the guarantee is given.
    pub lost: Option<String>,
}

pub fn report(facts: &Facts) -> Vec<Line> {
    vec![
        memory_budget(facts),
        memory_limit(facts),
        process_limit(facts),
        cpu_limit(facts),
        leftovers(facts),
        deaths(facts),
        orphans(facts),
        rights(facts),
        confinement(facts),
    ]
}

/// As it is told: a budget in GiB is read, one in bytes is not.
fn size(bytes: u64) -> String {
    ByteSize(bytes).display().iec().to_string()
}

fn memory_budget(facts: &Facts) -> Line {
    let whose = if facts.is_memory_limited { "that our group may have" } else { "of this machine" };
    Line {
        feature: "memory budget",
        state: format!("{} of the {} {whose}", size(facts.memory_budget_bytes), size(facts.memory_bytes)),
        guarantee: "a worker is started only when the memory that its pool declares fits beside what runs",
        lost: None,
    }
}

fn memory_limit(facts: &Facts) -> Line {
    let lost = "a worker that grows fast may have more for a moment, and press on its neighbours; pages that its processes share \
                count for each of them";
    limit(
        facts,
        "memory limit",
        facts.cgroup.level.controllers().memory,
        Limit {
            hard: "memory.max",
            soft: "measured 10 times a second",
            guarantee: "a worker with more than its `limits.memory` is killed alone, with all that it started",
            lost: lost.to_owned(),
        },
    )
}

fn process_limit(facts: &Facts) -> Line {
    let of_users = "RLIMIT_NPROC counts all processes of a user together";
    let lost = match &facts.root_pools[..] {
        [] => of_users.to_owned(),
        pools => format!(
            "{of_users}, and not at all those of root: nothing bounds those of {}; give them a `user`",
            pools.join(", ")
        ),
    };
    limit(
        facts,
        "process limit",
        facts.cgroup.level.controllers().pids,
        Limit {
            hard: "pids.max",
            soft: "RLIMIT_NPROC",
            guarantee: "a worker cannot start more than its `limits.processes`",
            lost,
        },
    )
}

fn cpu_limit(facts: &Facts) -> Line {
    limit(
        facts,
        "cpu limit",
        facts.cgroup.level.controllers().cpu,
        Limit {
            hard: "cpu.max",
            soft: "none",
            guarantee: "a worker gets no more of the cores than its `limits.cpu`",
            lost: "`limits.cpu` has no effect; `nice` has".to_owned(),
        },
    )
}

struct Limit {
    hard: &'static str,
    soft: &'static str,
    guarantee: &'static str,
    lost: String,
}

/// A limit that a controller enforces, or something else in its stead.
fn limit(facts: &Facts, feature: &'static str, is_hard: bool, limit: Limit) -> Line {
    let state = match is_hard {
        true => format!("hard: cgroup {}", limit.hard),
        false => format!("soft: {} ({})", limit.soft, facts.cgroup.why),
    };
    Line { feature, state, guarantee: limit.guarantee, lost: (!is_hard).then_some(limit.lost) }
}

fn leftovers(facts: &Facts) -> Line {
    let has_groups = facts.cgroup.level != Level::None;
    Line {
        feature: "leftovers",
        state: match has_groups {
            true => "cgroup.kill".to_owned(),
            false => format!("sessions and environments ({})", facts.cgroup.why),
        },
        guarantee: "whatever a worker has started dies with it, also when the supervisor was killed",
        lost: (!has_groups).then(|| {
            "what clears its environment and leaves its session outlives a supervisor that is killed".to_owned()
        }),
    }
}

fn deaths(facts: &Facts) -> Line {
    Line {
        feature: "deaths",
        state: format!("pidfd: {}", there(facts.has_pidfd)),
        guarantee: "the end of a worker is seen at once, and no signal hits a stranger",
        lost: (!facts.has_pidfd).then(|| "no worker can be started: Linux 5.3 or newer is needed".to_owned()),
    }
}

fn orphans(facts: &Facts) -> Line {
    Line {
        feature: "orphans",
        state: format!("subreaper: {}", there(facts.has_subreaper)),
        guarantee: "a process whose parent has died stays with its worker, and is found",
        lost: (!facts.has_subreaper).then(|| "no worker can be started: Linux 3.4 or newer is needed".to_owned()),
    }
}

fn rights(facts: &Facts) -> Line {
    let pools = facts.root_pools.join(", ");
    Line {
        feature: "rights",
        state: match pools.is_empty() {
            true => format!("supervisor: uid {}; no worker runs as root", facts.uid),
            false => format!("supervisor: uid {}; as root run the workers of {pools}", facts.uid),
        },
        guarantee: "a task cannot do what only root may",
        lost: (!pools.is_empty())
            .then(|| "whatever a task does, it does with all rights; give the pool a `user`".to_owned()),
    }
}

fn confinement(facts: &Facts) -> Line {
    let landlock = facts.landlock_abi.map_or_else(|| "missing".to_owned(), |abi| format!("version {abi}"));
    Line {
        feature: "confinement",
        state: format!("landlock: {landlock}; seccomp: {}; neither is used yet", there(facts.has_seccomp)),
        guarantee: "a task reaches no file and no system call beyond those of its pool",
        lost: Some("a task may do all that its user may; no_new_privs keeps it from becoming another".to_owned()),
    }
}

fn there(is_there: bool) -> &'static str {
    if is_there { "there" } else { "missing" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::cgroup::{Controllers, Verdict};

    fn full() -> Facts {
        let all = Controllers { memory: true, pids: true, cpu: true };
        Facts {
            uid: 1000,
            memory_bytes: 4 << 30,
            memory_budget_bytes: 3 << 30,
            cgroup: Verdict { level: Level::Full(all), why: "below /g".into() },
            has_pidfd: true,
            has_subreaper: true,
            landlock_abi: Some(7),
            has_seccomp: true,
            ..Facts::default()
        }
    }

    /// The features that lack something.
    fn lacking(facts: &Facts) -> Vec<&'static str> {
        report(facts).into_iter().filter(|line| line.lost.is_some()).map(|line| line.feature).collect()
    }

    fn line(facts: &Facts, feature: &str) -> Line {
        report(facts).into_iter().find(|line| line.feature == feature).unwrap()
    }

    #[test]
    fn each_feature_that_is_missing_costs_its_guarantee_alone() {
        let full = full();
        let with = |level, why: &str| Facts { cgroup: Verdict { level, why: why.into() }, ..full.clone() };
        let table = [
            (full.clone(), &[][..]),
            (with(Level::KillOnly, "no controllers"), &["memory limit", "process limit", "cpu limit"]),
            (with(Level::None, "not mounted"), &["memory limit", "process limit", "cpu limit", "leftovers"]),
            (Facts { has_pidfd: false, ..full.clone() }, &["deaths"]),
            (Facts { has_subreaper: false, ..full.clone() }, &["orphans"]),
            (Facts { root_pools: vec!["a".into()], ..full.clone() }, &["rights"]),
        ];
        for (facts, missing) in table {
            assert_eq!(lacking(&facts), [missing, &["confinement"]].concat(), "{facts:?}");
        }
    }

    #[test]
    fn what_is_there_and_why_not_more_is_told() {
        let full = full();
        assert_eq!(line(&full, "memory budget").state, "3.0 GiB of the 4.0 GiB of this machine");
        assert_eq!(line(&full, "memory limit").state, "hard: cgroup memory.max");
        let cgroup = Verdict { level: Level::KillOnly, why: "no controllers".into() };
        let root = Facts { cgroup, root_pools: vec!["a".into(), "b".into()], uid: 0, ..full };
        assert_eq!(line(&root, "process limit").state, "soft: RLIMIT_NPROC (no controllers)");
        let lost = line(&root, "process limit").lost.unwrap();
        assert!(lost.contains("not at all those of root: nothing bounds those of a, b"), "{lost}");
        assert_eq!(line(&root, "leftovers").state, "cgroup.kill");
        assert_eq!(line(&root, "rights").state, "supervisor: uid 0; as root run the workers of a, b");
    }
}
