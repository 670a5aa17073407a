//! What the workers of a pool are started as: command line, folder and environment. Built once, from the configuration.

use std::path::PathBuf;

use queue_core::task::WorkerId;

use super::former_life::TAG_VARIABLE;
use super::shim::OWN_BINARY;
use super::spawner::Launch;
use crate::config::{Channel, Config, Pool, Program};

/// Variables that every worker gets when the supervisor has them: without these hardly any program runs.
const ENV_ALWAYS: [&str; 7] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"];
const COOKIE_VARIABLE: &str = "MUTIRAO_COOKIE";
/// Says where the channel is.
const CHANNEL_VARIABLE: &str = "MUTIRAO_CHANNEL";
/// Random part of a worker's tag.
const TAG_RANDOM_DIGITS: usize = 16;

pub struct Recipe {
    pool: String,
    channel: Channel,
    argv: Vec<String>,
    folder: PathBuf,
    env: Vec<(String, String)>,
}

impl Recipe {
    /// One for each pool, in the order of the configuration.
    pub fn all(config: &Config) -> Vec<Recipe> {
        config.pools.iter().map(|pool| Recipe::of(config, pool)).collect()
    }

    fn of(config: &Config, pool: &Pool) -> Recipe {
        let argv = match &pool.program {
            Program::Command(argv) => argv.clone(),
            Program::Stock => stock_argv(config, pool),
        };
        let names = ENV_ALWAYS.iter().copied().chain(pool.process.env.iter().map(String::as_str));
        let value = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        Recipe {
            pool: pool.name.clone(),
            channel: pool.channel,
            argv,
            folder: config.folder.clone(),
            env: names.filter_map(value).collect(),
        }
    }

    /// `uid` is the database's: with it every tag begins, so that a next life finds what is left of this one.
    pub fn launch(&self, worker: WorkerId, uid: &str, random: u64) -> Launch {
        let tag = format!("{uid}-{random:0TAG_RANDOM_DIGITS$x}");
        let mut env = self.env.clone();
        env.push((TAG_VARIABLE.to_owned(), tag.clone()));
        env.push((COOKIE_VARIABLE.to_owned(), tag.clone()));
        env.push((CHANNEL_VARIABLE.to_owned(), self.channel.name().to_owned()));
        let (pool, argv, folder) = (self.pool.clone(), self.argv.clone(), self.folder.clone());
        Launch { worker, pool, channel: self.channel, argv, folder, env, tag }
    }
}

/// Our own binary again, with the plain commands that this pool runs.
fn stock_argv(config: &Config, pool: &Pool) -> Vec<String> {
    let tokens = |template: &ipc_contract::CommandTemplate| template.tokens();
    let kinds: std::collections::BTreeMap<_, _> =
        config.stock_kinds(pool).into_iter().map(|(kind, template)| (kind, tokens(template))).collect();
    let kinds = serde_json::to_string(&kinds).unwrap_or_default();
    [OWN_BINARY, "worker", "--stock", &kinds].map(str::to_owned).to_vec()
}
