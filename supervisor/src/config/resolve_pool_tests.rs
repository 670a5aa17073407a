//! Tables of pools and hosts: what good ones become, and what is said about bad ones.

use super::super::problem::Problem;
use super::super::resolve::resolve;
use super::super::resolved::Config;
use super::*;

fn resolved(text: &str) -> (Config, Vec<String>) {
    let (config, problems) = resolve(toml::from_str(text).unwrap(), "/q/queue.db".into(), "/q".into(), 4);
    (config, problems.iter().map(Problem::to_string).collect())
}

fn pool_of(lines: &str) -> (Pool, Vec<String>) {
    let (config, problems) = resolved(&format!("[pools.a]\ncommand = ['a']\n{lines}"));
    (config.pool("a").unwrap().1.clone(), problems)
}

#[test]
fn every_key_of_a_pool_arrives() {
    let (pool, problems) = pool_of(
        r#"
        workers = { min = 1, max = 9 }
        scale = { target_wait = "500ms", cooldown = "1s" }
        limits = { memory = "512MiB", cpu = 1.5, open_files = 256, processes = 64, file_size = "1GB" }
        recycle = { tasks = 1000, age = "1h", idle = "5m", memory = "400MiB" }
        boot_timeout = "10m"
        dump_on_hang = true
        nice = -5
        umask = "027"
        user = "nobody"
        env_file = "a.env"
        secrets = { API_KEY = "keys/api" }
        "#,
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(pool.workers, Workers { min: 1, max: 9 });
    assert_eq!(pool.scale, Scale { target_wait_us: 500_000, cooldown_us: 1_000_000 });
    let limits = WorkerLimits {
        memory_bytes: Some(512 << 20),
        cpu: Some(1.5),
        open_files: Some(256),
        processes: Some(64),
        file_size_bytes: Some(1_000_000_000),
    };
    assert_eq!(pool.limits, limits);
    let recycle = Recycle {
        tasks: Some(1000),
        age_us: Some(3_600_000_000),
        idle_us: Some(300_000_000),
        memory_bytes: Some(400 << 20),
    };
    assert_eq!((pool.recycle, pool.boot_timeout_us, pool.dump_on_hang), (recycle, 600_000_000, true));
    let secrets = [("API_KEY".to_owned(), PathBuf::from("/q/keys/api"))].into();
    let process = ProcessSpec {
        nice: Some(-5),
        umask: 0o27,
        user: Some("nobody".into()),
        env_file: Some("/q/a.env".into()),
        secrets,
        ..ProcessSpec::default()
    };
    assert_eq!(pool.process, process);
}

#[test]
fn a_number_of_workers_is_fixed_or_has_bounds() {
    let table = [
        ("", 0, 4),
        ("workers = 3", 3, 3),
        ("workers = {}", 0, 4),
        ("workers = { max = 2 }", 0, 2),
        ("workers = { min = 6 }", 6, 6),
        ("workers = { min = 2, max = 256 }", 2, 256),
    ];
    for (line, min, max) in table {
        assert_eq!(pool_of(line), (Pool { workers: Workers { min, max }, ..pool_of("").0 }, vec![]), "{line}");
    }
}

#[test]
fn what_is_wrong_with_a_pool_is_told_with_its_place() {
    let table = [
        ("workers = 0", "pools.a.workers: must be 1 to 256 (left out, from 0 to 4, one for each core)"),
        ("workers = { max = 257 }", "pools.a.workers.max: must be 1 to 256"),
        ("workers = { min = -1 }", "pools.a.workers.min: must be 0 to 256"),
        ("workers = { min = 5, max = 2 }", "pools.a.workers.min: is above max, which is 2"),
        ("scale = { target_wait = '0s' }", "pools.a.scale.target_wait: must be 1ms to 365days"),
        ("scale = { cooldown = 'soon' }", "pools.a.scale.cooldown: \"soon\" is not a duration"),
        ("limits = { memory = 'much' }", "pools.a.limits.memory: \"much\" is not a size; write 512MiB, 2GiB or 500MB"),
        ("limits = { memory = '1KiB' }", "pools.a.limits.memory: must be 4MiB or more"),
        ("limits = { cpu = 0 }", "pools.a.limits.cpu: must be 0.01 to 4096 cores"),
        ("limits = { open_files = 3 }", "pools.a.limits.open_files: must be 16 to "),
        ("limits = { processes = 0 }", "pools.a.limits.processes: must be 1 to "),
        ("recycle = { tasks = 0 }", "pools.a.recycle.tasks: must be 1 to "),
        ("recycle = { idle = '0ms' }", "pools.a.recycle.idle: must be 1ms to 365days"),
        ("nice = 20", "pools.a.nice: must be -20 (goes first) to 19 (goes last)"),
        ("umask = '999'", "pools.a.umask: \"999\" is no mask; write three octal digits"),
        ("secrets = { 'A-B' = 'x' }", "pools.a.secrets: \"A-B\" cannot be part of a variable's name"),
        ("env = ['A=b']", "pools.a.env: \"A=b\" is not the name of a variable"),
    ];
    for (line, sentence) in table {
        let (_, problems) = pool_of(line);
        assert!(problems.len() == 1 && problems[0].starts_with(sentence), "{line}: {problems:?}");
    }
}

#[test]
fn a_host_has_a_budget_and_groups() {
    let host = |lines: &str| {
        let (config, problems) = resolved(&format!("[host]\n{lines}"));
        (config.host, problems)
    };
    let table = [
        ("", Host::default()),
        ("memory = '50%'", Host { memory: MemoryBudget::Share(0.5), ..Host::default() }),
        ("memory = '1GiB'", Host { memory: MemoryBudget::Bytes(1 << 30), ..Host::default() }),
        ("cgroup = 'off'", Host { cgroup: CgroupUse::Off, ..Host::default() }),
        ("cgroup = '/sys/fs/cgroup/a'", Host { cgroup: CgroupUse::At("/sys/fs/cgroup/a".into()), ..Host::default() }),
        ("require_user = true", Host { require_user: true, ..Host::default() }),
    ];
    for (line, expected) in table {
        assert_eq!(host(line), (expected, vec![]), "{line}");
    }
    let wrong = [
        ("memory = '0%'", "host.memory: \"0%\" is no share; write 1% to 100%, or a size such as 4GiB"),
        ("memory = 'all'", "host.memory: \"all\" is not a size"),
        ("cgroup = 'on'", "host.cgroup: \"on\" is not known; say \"auto\", \"off\", or the whole path of a group"),
    ];
    for (line, sentence) in wrong {
        let (_, problems) = host(line);
        assert!(problems.len() == 1 && problems[0].starts_with(sentence), "{line}: {problems:?}");
    }
}
