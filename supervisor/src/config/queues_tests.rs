//! Tables of queues: what good ones become, and what is said about bad ones.

use super::super::raw::Raw;
use super::super::resolve::resolve;
use super::*;

fn resolved(text: &str) -> Result<Config, Vec<String>> {
    let (config, problems) = resolve(toml::from_str::<Raw>(text).unwrap(), "/q/queue.db".into(), "/q".into(), 4);
    if problems.is_empty() { Ok(config) } else { Err(problems.iter().map(ToString::to_string).collect()) }
}

#[test]
fn every_key_arrives() {
    let config = resolved(
        r#"
        [pools.a]
        command = ["a"]
        queues = { small = 1, large = 3, mid = 1 }
        [queues.large]
        limit = 8
        limit_per_key = 2
        order = "fair"
        weights = { paying = 3, "user:7" = 2 }
        rate = { allowed = 100, per = "1m" }
        rates.tokens = { allowed = 5000, per = "1s", cost = 500 }
        rates.usd = { allowed = 1, per = "1day" }
        aging = "off"
        timeout = "1h"
        [queues.small]
        aging = "5s"
        "#,
    )
    .unwrap();
    let (_, pool) = config.pool("a").unwrap();
    assert_eq!(
        (&pool.queues[..], &pool.weights[..]),
        (&["large", "mid", "small"].map(String::from)[..], &[3, 1, 1][..])
    );
    assert_eq!(config.policies().pools[0].weights, [3, 1, 1]);
    let rate = |unit: &str, allowed, per_us, cost| Rate { unit: unit.to_owned(), allowed, per_us, cost };
    let large = QueuePolicy {
        limit: Some(8),
        limit_per_key: Some(2),
        order: Order::Fair,
        weights: BTreeMap::from([("paying".to_owned(), 3), ("user:7".to_owned(), 2)]),
        rates: vec![
            rate("tasks", 100, 60_000_000, 1),
            rate("tokens", 5_000, 1_000_000, 500),
            rate("usd", 1, 86_400_000_000, 0),
        ],
        aging_step_us: AGING_OFF_US,
        timeout_ms: Some(3_600_000),
    };
    let policies = config.policies();
    assert_eq!(*policies.queue("large"), large);
    assert_eq!(*policies.queue("small"), QueuePolicy { aging_step_us: 5_000_000, ..QueuePolicy::default() });
    assert_eq!(*policies.queue("mid"), QueuePolicy::default());
}

#[test]
fn each_problem_is_a_sentence_with_its_key() {
    let table = [
        ("[queues.comands]", "queues.comands: no pool serves queue \"comands\"; did you mean commands?"),
        (
            "[queues.commands]\nlimit = 0",
            "queues.commands.limit: must be 1 to 1000000; `supervisor pause` stops a queue",
        ),
        ("[queues.commands]\nlimit_per_key = -1", "queues.commands.limit_per_key: must be 1 to 1000000"),
        ("[queues.commands]\norder = 'random'", "queues.commands.order: \"random\" is not known; the orders are"),
        ("[queues.commands]\nweights = { a = 2 }", "queues.commands.weights: are those of keys in a fair queue"),
        (
            "[queues.commands]\norder = 'fair'\nweights = { a = 101 }",
            "queues.commands.weights: has a weight of 101; a weight is 1 (the default) to 100",
        ),
        (
            "[queues.commands]\norder = 'fair'\nweights = { '' = 1 }",
            "queues.commands.weights: key \"\" must be one line",
        ),
        ("[queues.commands]\nrate = { per = '1m' }", "queues.commands.rate: must say allowed, 1 to"),
        ("[queues.commands]\nrate = { allowed = 1 }", "queues.commands.rate: must say per"),
        ("[queues.commands]\nrate = { allowed = 1, per = '0s' }", "queues.commands.rate.per: must be 1ms to 365days"),
        ("[queues.commands]\nrate = { allowed = 1, per = '1s', cost = -1 }", "queues.commands.rate.cost: must be 0 to"),
        ("[queues.commands]\nrates.A = { allowed = 1, per = '1s' }", "queues.commands.rates.A: unit \"A\" is no name"),
        (
            "[queues.commands]\nrate = { allowed = 1, per = '1s' }\nrates.tasks = { allowed = 1, per = '1s' }",
            "queues.commands.rate: and rates.tasks are the same",
        ),
        ("[queues.commands]\naging = 'never'", "queues.commands.aging: \"never\" is not a duration"),
        ("[queues.commands]\naging = '0s'", "queues.commands.aging: must be 1ms to 365days, or \"off\""),
        ("[pools.a]\ncommand = ['a']\nqueues = { b = 0 }", "pools.a.queues: has a weight of 0"),
        ("[pools.a]\ncommand = ['a']\nqueues = {}", "pools.a.queues: is empty"),
    ];
    for (text, expected) in table {
        let problems = resolved(text).unwrap_err();
        let matching = problems.iter().filter(|problem| problem.starts_with(expected));
        assert_eq!((matching.count(), problems.len()), (1, 1), "{text}: {problems:#?}");
    }
}
