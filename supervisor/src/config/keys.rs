//! Every key that the configuration file may have, and what kind of value it takes: one table, no decision.

use Takes::{Count, Named, NamedTexts, Number, Queues, Switch, Table, Text, Texts, Weights, Whole};

/// A key, what it takes, and a value that is right in form.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) example: &'static str,
}

pub(super) enum Takes {
    Text,
    Texts,
    /// Whole numbers, each under a name of the user's own.
    Weights,
    /// Texts or weights.
    Queues,
    /// Texts, each under a name of the user's own.
    NamedTexts,
    /// A whole number, or a table with these keys.
    Count(&'static [Key]),
    Whole,
    Number,
    Switch,
    /// A table with these keys.
    Table(&'static [Key]),
    /// Tables with these keys, each under a name of the user's own.
    Named(&'static [Key]),
}

impl Takes {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Text => "text in quotes",
            Texts => "a list of texts",
            Weights => "a table of whole numbers",
            Queues => "a list of texts, or a table of whole numbers",
            NamedTexts => "a table of texts",
            Count(_) => "a whole number, or a table",
            Whole => "a whole number",
            Number => "a number",
            Switch => "true or false",
            Table(_) | Named(_) => "a table",
        }
    }
}

const fn key(name: &'static str, takes: Takes, example: &'static str) -> Key {
    Key { name, takes, example }
}

pub(super) const FILE: &[Key] = &[
    key("db", Text, "db = \"queue.db\""),
    key("pools", Named(POOL), "[pools.images]"),
    key("queues", Named(QUEUE), "[queues.images]"),
    key("kinds", Named(KIND), "[kinds.resize]"),
    key("host", Table(HOST), "[host]"),
];

const HOST: &[Key] = &[
    key("memory", Text, "memory = \"80%\""),
    key("cgroup", Text, "cgroup = \"auto\""),
    key("require_user", Switch, "require_user = true"),
];

const POOL: &[Key] = &[
    key("command", Texts, "command = [\"python3\", \"-m\", \"images\"]"),
    key("stock", Switch, "stock = true"),
    key("queues", Queues, "queues = [\"images\"]"),
    key("channel", Text, "channel = \"stdio\""),
    key("workers", Count(WORKERS), "workers = { min = 0, max = 8 }"),
    key("scale", Table(SCALE), "scale = { target_wait = \"2s\", cooldown = \"10s\" }"),
    key("limits", Table(LIMITS), "limits = { memory = \"512MiB\" }"),
    key("recycle", Table(RECYCLE), "recycle = { tasks = 1000 }"),
    key("boot_timeout", Text, "boot_timeout = \"10s\""),
    key("dump_on_hang", Switch, "dump_on_hang = true"),
    key("nice", Whole, "nice = 5"),
    key("umask", Text, "umask = \"077\""),
    key("user", Text, "user = \"worker\""),
    key("env", Texts, "env = [\"API_KEY\"]"),
    key("env_file", Text, "env_file = \"images.env\""),
    key("secrets", NamedTexts, "secrets = { API_KEY = \"api.key\" }"),
];

const WORKERS: &[Key] = &[key("min", Whole, "min = 0"), key("max", Whole, "max = 8")];

const SCALE: &[Key] = &[key("target_wait", Text, "target_wait = \"2s\""), key("cooldown", Text, "cooldown = \"10s\"")];

const LIMITS: &[Key] = &[
    key("memory", Text, "memory = \"512MiB\""),
    key("cpu", Number, "cpu = 1.5"),
    key("open_files", Whole, "open_files = 256"),
    key("processes", Whole, "processes = 64"),
    key("file_size", Text, "file_size = \"1GiB\""),
];

const RECYCLE: &[Key] = &[
    key("tasks", Whole, "tasks = 1000"),
    key("age", Text, "age = \"1h\""),
    key("idle", Text, "idle = \"5m\""),
    key("memory", Text, "memory = \"400MiB\""),
];

const KIND: &[Key] = &[
    key("run", Texts, "run = [\"sha256sum\", \"{path}\"]"),
    key("queue", Text, "queue = \"images\""),
    key("timeout", Text, "timeout = \"2m\""),
    key("progress_timeout", Text, "progress_timeout = \"1m\""),
    key("max_attempts", Whole, "max_attempts = 5"),
    key("max_crashes", Whole, "max_crashes = 3"),
    key("backoff", Table(BACKOFF), "backoff = { base = \"15s\" }"),
];

const QUEUE: &[Key] = &[
    key("limit", Whole, "limit = 8"),
    key("limit_per_key", Whole, "limit_per_key = 2"),
    key("order", Text, "order = \"fair\""),
    key("weights", Weights, "weights = { paying = 3 }"),
    key("rate", Table(RATE), "rate = { allowed = 100, per = \"1m\" }"),
    key("rates", Named(RATE), "rates.tokens = { allowed = 100000, per = \"1m\", cost = 500 }"),
    key("aging", Text, "aging = \"1m\""),
    key("timeout", Text, "timeout = \"2m\""),
];

const RATE: &[Key] =
    &[key("allowed", Whole, "allowed = 100"), key("per", Text, "per = \"1m\""), key("cost", Whole, "cost = 1")];

const BACKOFF: &[Key] =
    &[key("base", Text, "base = \"15s\""), key("cap", Text, "cap = \"1h\""), key("jitter", Number, "jitter = 0.2")];

/// The names of all keys, some of them more than once.
#[cfg(test)]
pub(crate) fn key_names() -> Vec<&'static str> {
    [FILE, HOST, POOL, WORKERS, SCALE, LIMITS, RECYCLE, QUEUE, RATE, KIND, BACKOFF]
        .into_iter()
        .flatten()
        .map(|key| key.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::raw::Raw;
    use super::*;

    /// The keys that serde accepts at a place, in order: it names them all when it meets one that it does not know.
    fn accepted(text: &str) -> Vec<String> {
        let error = toml::from_str::<Raw>(text).unwrap_err();
        let said = error.message().split_once("expected ").unwrap_or_else(|| panic!("{error}")).1;
        // Names stand between backticks.
        said.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_table_and_the_types_know_the_same_keys() {
        let table = [
            (FILE, "_ = 1"),
            (HOST, "[host]\n_ = 1"),
            (POOL, "[pools.a]\n_ = 1"),
            (SCALE, "[pools.a.scale]\n_ = 1"),
            (LIMITS, "[pools.a.limits]\n_ = 1"),
            (RECYCLE, "[pools.a.recycle]\n_ = 1"),
            (QUEUE, "[queues.a]\n_ = 1"),
            (RATE, "[queues.a.rate]\n_ = 1"),
            (KIND, "[kinds.a]\n_ = 1"),
            (BACKOFF, "[kinds.a.backoff]\n_ = 1"),
        ];
        for (keys, text) in table {
            assert_eq!(keys.iter().map(|key| key.name).collect::<Vec<_>>(), accepted(text), "{text}");
        }
    }

    #[test]
    fn every_example_is_right() {
        let tables = [
            (FILE, ""),
            (HOST, "[host]\n"),
            (POOL, "[pools.a]\n"),
            (WORKERS, "[pools.a.workers]\n"),
            (SCALE, "[pools.a.scale]\n"),
            (LIMITS, "[pools.a.limits]\n"),
            (RECYCLE, "[pools.a.recycle]\n"),
            (QUEUE, "[queues.a]\n"),
            (RATE, "[queues.a.rate]\n"),
            (KIND, "[kinds.a]\n"),
            (BACKOFF, "[kinds.a.backoff]\n"),
        ];
        for (keys, header) in tables {
            for key in keys {
                assert!(toml::from_str::<Raw>(&format!("{header}{}", key.example)).is_ok(), "{}", key.example);
            }
        }
    }
}
