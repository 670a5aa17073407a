//! What changes when one configuration follows another: in lines for people, and whether workers of a pool must be replaced. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ipc_contract::CommandTemplate;

use super::pool::Pool;
use super::resolved::{Config, Kind};
use super::words::{Words, words};

/// Of a value, what is shown.
const VALUE_CHARS_MAX: usize = 80;
/// What waits for the next start: the file is open, the groups are made, the memory is counted.
const AT_NEXT_START: [(&str, &str); 3] = [("", "db"), ("host", "memory"), ("host", "cgroup")];

/// What changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// What is in force at once, such as `pools.images.workers: 0..8 -> 0..12`.
    pub now: Vec<String>,
    /// What takes effect at the next start only.
    pub later: Vec<String>,
}

impl Diff {
    /// From the configuration that is in force to one as it was read.
    pub fn of(was: &Config, is: &Config) -> Diff {
        let (was, is) = (words(was), words(is));
        let mut diff = Diff::default();
        for table in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            match (was.get(table), is.get(table)) {
                (None, _) => diff.now.push(format!("{table}: added")),
                (_, None) => diff.now.push(format!("{table}: removed")),
                (Some(was), Some(is)) => diff.compare(table, was, is),
            }
        }
        diff
    }

    fn compare(&mut self, table: &str, was: &Words, is: &Words) {
        for (key, was) in was {
            let Some(is) = is.get(key).filter(|is| *is != was) else { continue };
            let path = if table.is_empty() { (*key).to_owned() } else { format!("{table}.{key}") };
            let line = format!("{path}: {} -> {}", shown(was), shown(is));
            if AT_NEXT_START.contains(&(table, key)) {
                self.later.push(format!("{line} (takes effect at the next start)"));
            } else {
                self.now.push(line);
            }
        }
    }

    /// All lines.
    pub fn lines(self) -> Vec<String> {
        [self.now, self.later].concat()
    }
}

fn shown(value: &str) -> String {
    let mut short: String = value.chars().take(VALUE_CHARS_MAX).collect();
    if short.len() < value.len() {
        short.push_str("...");
    }
    short
}

/// What a new configuration means for the workers that a pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// They go on, perhaps more or fewer of them, and are told nothing.
    Keep,
    /// New ones are started otherwise: these are replaced, few at a time, and take tasks until then.
    Gradual,
    /// The same, and tasks may now be of kinds that they do not know: they get nothing more to do.
    AtOnce,
}

impl Renewal {
    /// `was` and `is` are one pool, in the configurations of then and now.
    pub fn of(was: (&Config, &Pool), is: (&Config, &Pool)) -> Renewal {
        if start_of(was) == start_of(is) {
            return Renewal::Keep;
        }
        let known = kinds_of(was);
        let is_known = kinds_of(is).iter().all(|(kind, run)| known.get(kind) == Some(run));
        if is_known { Renewal::Gradual } else { Renewal::AtOnce }
    }
}

/// Everything by which a worker's process is started.
fn start_of<'a>((config, pool): (&'a Config, &'a Pool)) -> impl PartialEq + use<'a> {
    let commands: Kinds = kinds_of((config, pool)).into_iter().filter(|(_, run)| run.is_some()).collect();
    (&config.folder, &pool.program, pool.channel, pool.limits, &pool.process, config.host.require_user, commands)
}

/// By name, with the plain command that a kind stands for.
type Kinds = BTreeMap<String, Option<Vec<String>>>;

/// The kinds that are routed to a pool.
fn kinds_of((config, pool): (&Config, &Pool)) -> Kinds {
    let routed = |kind: &Kind| kind.queue.as_ref().is_some_and(|queue| pool.queues.contains(queue));
    let kinds = config.kinds.iter().filter(|(_, kind)| routed(kind));
    kinds.map(|(name, kind)| (name.clone(), kind.run.as_ref().map(CommandTemplate::tokens))).collect()
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
