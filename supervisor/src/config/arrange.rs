//! A configuration that follows another in the same life: each pool keeps its place, since everything that runs names pools by
//! it; what cannot change while the supervisor runs stays as it was. Pure.

use std::collections::BTreeMap;

use super::pool::{Pool, Workers};
use super::resolved::{Config, Host};

/// Places of pools, those that are gone included: each name that ever was in a life has one.
pub const PLACES_MAX: usize = 1_024;

/// A place without a pool: nothing is routed to it, and it is to have no workers.
pub fn is_retired(pool: &Pool) -> bool {
    pool.queues.is_empty()
}

impl Config {
    /// The pools that there are.
    pub fn pools_in_use(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(|pool| !is_retired(pool))
    }

    /// This configuration, as it can follow `was` in the same life.
    ///
    /// # Errors
    /// More names of pools have been used than there are places.
    pub fn following(self, was: &Config) -> Result<Config, String> {
        let mut named: BTreeMap<String, Pool> = self.pools.into_iter().map(|pool| (pool.name.clone(), pool)).collect();
        let place = |old: &Pool| named.remove(&old.name).unwrap_or_else(|| retired(old));
        let mut pools: Vec<Pool> = was.pools.iter().map(place).collect();
        pools.extend(named.into_values());
        if pools.len() > PLACES_MAX {
            return Err(format!(
                "more than {PLACES_MAX} names of pools have been used in this life; start the supervisor anew"
            ));
        }
        let host = Host { require_user: self.host.require_user, ..was.host.clone() };
        let (db, folder) = (was.db.clone(), was.folder.clone());
        Ok(Config { db, folder, pools, queues: self.queues, kinds: self.kinds, host })
    }
}

fn retired(old: &Pool) -> Pool {
    Pool { queues: Vec::new(), weights: Vec::new(), workers: Workers::fixed(0), ..old.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Program;

    fn config(names: &[&str]) -> Config {
        let pool = |name: &&str| Pool::new(name, Program::Stock, vec![(*name).to_owned()], Workers::fixed(2));
        Config { pools: names.iter().map(pool).collect(), ..Config::default() }
    }

    /// The names, those of places without a pool in brackets.
    fn places(config: &Config) -> String {
        let name = |pool: &Pool| if is_retired(pool) { format!("[{}]", pool.name) } else { pool.name.clone() };
        config.pools.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_pool_keeps_its_place_as_long_as_the_life_lasts() {
        let table: [(&[&str], &str); 6] = [
            (&["b", "c"], "b c"),
            (&["a", "b", "c"], "b c a"),
            (&["a", "c"], "[b] c a"),
            (&["a", "d"], "[b] [c] a d"),
            (&["a", "b"], "b [c] a [d]"),
            (&[], "[b] [c] [a] [d]"),
        ];
        let mut was = config(&["b", "c"]);
        for (names, want) in table {
            was = config(names).following(&was).unwrap();
            assert_eq!(places(&was), want);
            assert_eq!(was.pools_in_use().count(), names.len());
            let workers = was.pools.iter().map(|pool| pool.workers.max).sum::<u32>();
            assert_eq!(workers, 2 * names.len() as u32);
            assert_eq!(was.policies().pools.len(), was.pools.len());
        }
    }

    #[test]
    fn places_are_not_without_end() {
        let names: Vec<String> = (0..PLACES_MAX).map(|n| format!("p{n}")).collect();
        let full = config(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(config(&["p0"]).following(&full).is_ok());
        assert!(config(&["new"]).following(&full).unwrap_err().contains("start the supervisor anew"));
    }
}
