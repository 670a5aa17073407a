//! Tables of configurations: what good ones become, and what is said about bad ones.

use super::super::pool::{Channel, Pool, Program, Workers};
use super::*;

fn resolved(text: &str) -> Result<Config, Vec<String>> {
    let (config, problems) = resolve(toml::from_str(text).unwrap(), "/q/queue.db".into(), "/q".into(), 4);
    if problems.is_empty() { Ok(config) } else { Err(problems.iter().map(Problem::to_string).collect()) }
}

#[test]
fn nothing_said_is_the_built_in_pool_alone() {
    let config = resolved("").unwrap();
    let four = Workers { min: 0, max: 4 };
    let commands = Pool::new("commands", Program::Stock, vec!["commands".to_owned()], four);
    let command = Kind { queue: Some("commands".to_owned()), ..Kind::default() };
    assert_eq!(config.pools, [commands]);
    assert_eq!(config.kinds, BTreeMap::from([("command".to_owned(), command)]));
    assert_eq!(resolve(Raw::default(), "/q".into(), "/".into(), 1000).0.pools[0].workers.max, WORKERS_MAX);
}

#[test]
fn every_key_arrives() {
    let config = resolved(
        r#"
        [pools.images]
        command = ["python3", "-m", "images"]
        queues = ["thumbs", "large"]
        channel = "fd3"
        workers = 3
        env = ["HOME", "LANG"]
        [pools.tools]
        stock = true
        [kinds.resize]
        queue = "large"
        timeout = "1m 30s"
        max_attempts = 7
        max_crashes = 1
        backoff = { base = "100ms", cap = "5s", jitter = 0 }
        [kinds.digest]
        run = ["sha256sum", "{path}"]
        [kinds.free]
        backoff = { cap = "1s" }
        "#,
    )
    .unwrap();
    let (id, images) = config.pool("images").unwrap();
    assert_eq!((id.0, images.workers, images.process.env.len()), (1, Workers::fixed(3), 2));
    assert_eq!((images.channel, config.pool("tools").unwrap().1.channel), (Channel::Fd3, Channel::Stdio));
    assert_eq!(images.program, Program::Command(vec!["python3".into(), "-m".into(), "images".into()]));
    let resize = &config.kinds["resize"];
    let backoff = Backoff { base_ms: 100, cap_ms: 5_000, jitter: 0.0 };
    let limits = Limits { timeout_ms: Some(90_000), max_attempts: 7, max_crashes: 1, backoff };
    assert_eq!((resize.queue.as_deref(), resize.limits), (Some("large"), limits));
    let free = config.kinds["free"].limits.backoff;
    assert_eq!((free.base_ms, free.cap_ms), (1_000, 1_000), "a small cap alone is no contradiction");
    assert_eq!(config.kinds["digest"].queue.as_deref(), Some("tools"), "the only stock pool of the file");
    assert_eq!(config.kinds["command"].queue.as_deref(), Some("commands"));
    let known = |pool: &str| config.stock_kinds(config.pool(pool).unwrap().1).into_keys().collect::<Vec<_>>();
    assert_eq!((known("tools"), known("commands"), known("images")), (vec!["digest".to_owned()], vec![], vec![]));
    let policies = config.policies();
    assert_eq!(policies.pools[1].queues, ["thumbs", "large"]);
    assert_eq!(policies.kinds["resize"], limits);
}

#[test]
fn a_plain_command_without_a_queue_goes_to_the_stock_pool() {
    let table = [
        ("", "commands"),
        ("[pools.tools]\nstock = true\nqueues = ['a', 'b']", "a"),
        ("[pools.commands]\nstock = true\nqueues = ['c']", "c"),
        ("[pools.w]\ncommand = ['w']", "commands"),
    ];
    for (pools, queue) in table {
        let config = resolved(&format!("{pools}\n[kinds.k]\nrun = ['true']")).unwrap();
        assert_eq!(config.kinds["k"].queue.as_deref(), Some(queue), "{pools}");
    }
}

#[test]
fn each_problem_is_a_sentence_with_its_key() {
    let table = [
        ("[pools.Images]\nstock = true", "pools.Images: pool \"Images\" is no name"),
        ("[pools.a]", "pools.a: has neither command nor stock"),
        ("[pools.a]\nstock = true\ncommand = ['x']", "pools.a: has both command and stock"),
        ("[pools.a]\ncommand = []", "pools.a.command: a command must have a program"),
        ("[pools.a]\ncommand = ['']", "pools.a.command: a command must have a program"),
        ("[pools.a]\ncommand = ['a', \"b\\u0000\"]", "pools.a.command: argument"),
        ("[pools.commands]\ncommand = ['x']", "pools.commands: is the pool of plain commands and must be stock"),
        ("[pools.a]\nstock = true\nqueues = []", "pools.a.queues: is empty"),
        ("[pools.a]\nstock = true\nqueues = ['b', 'b']", "pools.a.queues: names \"b\" twice"),
        ("[pools.a]\nstock = true\nqueues = ['B']", "pools.a.queues: queue \"B\" is no name"),
        (
            "[pools.a]\ncommand = ['x']\nchannel = 'fd4'",
            "pools.a.channel: \"fd4\" is not known; the channels are \"stdio\" and \"fd3\"",
        ),
        ("[pools.a]\nstock = true\nchannel = 'fd3'", "pools.a.channel: is for workers of your own"),
        (
            "[pools.a]\nstock = true\nworkers = 0",
            "pools.a.workers: must be 1 to 256 (left out, from 0 to 4, one for each core)",
        ),
        ("[pools.a]\nstock = true\nworkers = 257", "pools.a.workers: must be 1 to 256"),
        ("[pools.a]\nstock = true\nworkers = -1", "pools.a.workers: must be 1 to 256"),
        ("[pools.a]\nstock = true\nenv = ['A=1']", "pools.a.env: \"A=1\" is not the name of a variable"),
        ("[kinds.'a b']", "kinds.a b: kind \"a b\" is no name"),
        ("[kinds.command]\nrun = ['x']", "kinds.command.run: this kind is built in"),
        ("[kinds.a]\nrun = []", "kinds.a.run: a command must have a program"),
        ("[kinds.a]\nrun = ['{x}']", "kinds.a.run: argument \"{x}\": the program itself must be fixed"),
        ("[kinds.a]\nqueue = 'comands'", "kinds.a.queue: no pool serves queue \"comands\"; did you mean commands?"),
        ("[kinds.a]\nqueue = 'images'", "kinds.a.queue: no pool serves queue \"images\"; served are commands"),
        ("[kinds.a]\ntimeout = '2'", "kinds.a.timeout: \"2\" is not a duration"),
        ("[kinds.a]\ntimeout = '0s'", "kinds.a.timeout: timeout_ms is 0 ms, it must be 1 to"),
        ("[kinds.a]\ntimeout = '999999years'", "kinds.a.timeout: timeout_ms is"),
        ("[kinds.a]\nmax_attempts = 0", "kinds.a.max_attempts: max_attempts is 0 runs, it must be 1 to 1000"),
        ("[kinds.a]\nmax_crashes = 99999999999", "kinds.a.max_crashes: max_crashes is 99999999999"),
        ("[kinds.a]\nbackoff = { base = '2h' }", "kinds.a.backoff.base: is above cap, which is 1h"),
        ("[kinds.a]\nbackoff = { cap = '0s' }", "kinds.a.backoff.cap: must be 1ms to 365days"),
        ("[kinds.a]\nbackoff = { cap = '400days' }", "kinds.a.backoff.cap: must be 1ms to 365days"),
        ("[kinds.a]\nbackoff = { jitter = 1.1 }", "kinds.a.backoff.jitter: must be 0.0 (none) to 1.0"),
        ("[kinds.a]\nbackoff = { jitter = nan }", "kinds.a.backoff.jitter: must be 0.0 (none) to 1.0"),
        (
            "[pools.a]\nstock = true\n[pools.b]\nstock = true\n[kinds.k]\nrun = ['x']",
            "kinds.k: has no queue, and the pools a, b are all stock; say queue",
        ),
        (
            "[pools.a]\ncommand = ['a']\n[kinds.k]\nrun = ['x']\nqueue = 'a'",
            "kinds.k.queue: queue \"a\" is served by pool a, which is not stock",
        ),
        (
            "[pools.a]\ncommand = ['a']\nqueues = ['commands']",
            "kinds.command: queue \"commands\" is served by pool a, which is not stock",
        ),
    ];
    for (text, expected) in table {
        let problems = resolved(text).unwrap_err();
        let matching = problems.iter().filter(|problem| problem.starts_with(expected));
        assert_eq!((matching.count(), problems.len()), (1, 1), "{text}: {problems:#?}");
    }
}

#[test]
fn all_problems_are_said_at_once() {
    let text = "[pools.a]\nworkers = 0\n[kinds.b]\nqueue = 'x'\ntimeout = 'soon'\nmax_attempts = 0";
    assert_eq!(resolved(text).unwrap_err().len(), 5);
}
