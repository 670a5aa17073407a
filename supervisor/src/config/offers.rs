//! Which pool can run what, by the word of its workers. Values only.

use std::collections::{BTreeMap, BTreeSet};

/// The kinds that the workers of each pool named in their last hello. A pool that never spoke is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers(pub BTreeMap<String, BTreeSet<String>>);

impl Offers {
    /// A worker of the pool has said hello: what it can run replaces what was known. Says whether that is news.
    pub fn said(&mut self, pool: &str, kinds: &[String]) -> bool {
        let kinds: BTreeSet<String> = kinds.iter().cloned().collect();
        let news = self.0.get(pool) != Some(&kinds);
        self.0.insert(pool.to_owned(), kinds);
        news
    }
}

impl FromIterator<(String, String)> for Offers {
    /// From pairs of pool and kind.
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Offers {
        let mut offers = Offers::default();
        for (pool, kind) in pairs {
            offers.0.entry(pool).or_default().insert(kind);
        }
        offers
    }
}
