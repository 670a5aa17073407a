//! What the workers of a pool are started as: command line, folder, environment, limits, user. Built once, from the
//! configuration and what this host has.

use std::path::PathBuf;

use queue_core::task::WorkerId;

use super::former_life::TAG_VARIABLE;
use super::shim::OWN_BINARY;
use super::spawner::Launch;
use crate::config::{
    Channel, Config, Identity, Pool, Prepared, Problem, ProcessSpec, Program, WorkerLimits, is_retired,
};

/// Variables that every worker gets when the supervisor has them: without these hardly any program runs.
const ENV_ALWAYS: [&str; 6] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ"];
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
    limits: WorkerLimits,
    process: ProcessSpec,
    identity: Option<Identity>,
}

impl Recipe {
    /// One for each pool, in the order of the configuration.
    ///
    /// # Errors
    /// This host lacks what a pool names, since it was checked.
    pub fn all(config: &Config) -> Result<Vec<Recipe>, Vec<Problem>> {
        config.pools.iter().map(|pool| Recipe::of(config, pool)).collect()
    }

    fn of(config: &Config, pool: &Pool) -> Result<Recipe, Vec<Problem>> {
        let argv = match &pool.program {
            Program::Command(argv) => argv.clone(),
            Program::Stock => stock_argv(config, pool),
        };
        // A place without a pool starts nothing, and what its pool named may be gone.
        let prepared = if is_retired(pool) { Ok(Prepared::default()) } else { Prepared::of(pool, &config.host) };
        let Prepared { identity, variables } = prepared?;
        let names = ENV_ALWAYS.iter().copied().chain(pool.process.env.iter().map(String::as_str));
        let value = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        Ok(Recipe {
            pool: pool.name.clone(),
            channel: pool.channel,
            argv,
            folder: config.folder.clone(),
            // A later one of the same name counts.
            env: names.filter_map(value).chain(variables).collect(),
            limits: pool.limits,
            process: pool.process.clone(),
            identity,
        })
    }

    /// `uid` is the database's: with it every tag begins, so that a next life finds what is left of this one.
    pub fn launch(&self, worker: WorkerId, uid: &str, random: u64) -> Launch {
        let tag = format!("{uid}-{random:0TAG_RANDOM_DIGITS$x}");
        let mut env = self.env.clone();
        env.push((TAG_VARIABLE.to_owned(), tag.clone()));
        env.push((COOKIE_VARIABLE.to_owned(), tag.clone()));
        env.push((CHANNEL_VARIABLE.to_owned(), self.channel.name().to_owned()));
        Launch {
            worker,
            pool: self.pool.clone(),
            channel: self.channel,
            argv: self.argv.clone(),
            folder: self.folder.clone(),
            env,
            tag,
            limits: self.limits,
            process: self.process.clone(),
            identity: self.identity.clone(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Workers;

    #[test]
    fn what_a_pool_names_must_be_there_unless_the_pool_is_gone() {
        let pool = |queues: &[&str]| {
            let queues = queues.iter().map(|queue| (*queue).to_owned()).collect();
            let mut pool = Pool::new("p", Program::Stock, queues, Workers::fixed(1));
            pool.process.env_file = Some("/no/such.env".into());
            Config { pools: vec![pool], ..Config::default() }
        };
        let problems = Recipe::all(&pool(&["q"])).err().unwrap();
        assert_eq!(problems[0].key, "pools.p.env_file");
        assert_eq!(Recipe::all(&pool(&[])).unwrap().len(), 1, "its place stays");
    }
}
