//! Which queues are claimed from, and how many: all policy between queues is here, SQL knows none. Pure.
//!
//! Queues of one pool share its credits by their weights, as long as they have tasks that may run: each has its next turn,
//! and the earliest is served. The turns go on between ticks, so that a pool with one free slot serves each in turn.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::{PoolPolicy, WEIGHT_MAX};
use crate::task::PoolId;

/// Claims of one tick; the rest follows in the next, so that no transaction grows without a limit.
pub const CLAIMS_MAX: u64 = 512;

/// From one turn of a queue of weight 1 to its next; one of weight `w` waits so much less.
const STRIDE: u64 = 1 << 20;
const _: () = assert!(STRIDE > WEIGHT_MAX as u64);

/// Claim up to `count` tasks from the head of `queue` for `pool`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub pool: PoolId,
    pub queue: String,
    pub count: u64,
}

/// Where the round of a pool stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The turn that was served last.
    now: u64,
    /// The next turn of each queue, by its place in the pool. One that has been idle has no claim on what it missed.
    next: Vec<u64>,
}

impl Turns {
    /// The same round among the queues that the pool serves now. A new one has its turn with the others.
    pub(crate) fn under(&self, was: &PoolPolicy, is: &PoolPolicy) -> Turns {
        let place = |queue: &String| was.queues.iter().position(|served| served == queue);
        let next = |queue| place(queue).and_then(|place| self.next.get(place)).copied().unwrap_or(0);
        Turns { now: self.now, next: is.queues.iter().map(next).collect() }
    }
}

/// Decides the claims of a tick. `open` counts by queue what may be claimed, `turns` is where each pool's round stands; `most`
/// is how many may be claimed in all, [`CLAIMS_MAX`] less what this tick has claimed already.
pub fn plan(
    pools: &[PoolPolicy],
    credits: &BTreeMap<PoolId, i64>,
    mut open: BTreeMap<&str, u64>,
    turns: &mut BTreeMap<PoolId, Turns>,
    most: u64,
) -> Vec<Claim> {
    let mut room = most;
    let mut claims = Vec::new();
    for (index, pool) in pools.iter().enumerate() {
        let id = PoolId(index);
        let free = u64::try_from(credits.get(&id).copied().unwrap_or(0)).unwrap_or(0).min(room);
        if free == 0 {
            continue;
        }
        for (place, count) in share(pool, free, &open, turns.entry(id).or_default()) {
            let queue = pool.queues[place].as_str();
            room -= count;
            *open.get_mut(queue).expect("only what is open is shared") -= count;
            claims.push(Claim { pool: id, queue: queue.to_owned(), count });
        }
    }
    claims
}

/// Those that serve a queue.
pub fn serving(pools: &[PoolPolicy], queue: &str) -> impl Iterator<Item = PoolId> {
    let serves = move |pool: &PoolPolicy| pool.queues.iter().any(|served| served == queue);
    pools.iter().enumerate().filter(move |(_, pool)| serves(pool)).map(|(index, _)| PoolId(index))
}

/// Deals `free` slots to the queues one by one, the earliest turn first. Gives what each place of the pool gets.
fn share(pool: &PoolPolicy, mut free: u64, left: &BTreeMap<&str, u64>, turns: &mut Turns) -> BTreeMap<usize, u64> {
    turns.next.resize(pool.queues.len(), 0);
    let has = |place: usize| left.get(pool.queues[place].as_str()).copied().unwrap_or(0);
    let mut waiting: BTreeSet<(u64, usize)> = (0..pool.queues.len())
        .filter(|place| has(*place) > 0)
        .map(|place| (turns.next[place].max(turns.now), place))
        .collect();
    let mut shares = BTreeMap::new();
    while free > 0 {
        let Some((turn, place)) = waiting.pop_first() else { break };
        let share = shares.entry(place).or_insert(0);
        *share += 1;
        free -= 1;
        turns.now = turn;
        turns.next[place] = turn + STRIDE / u64::from(pool.weight(place));
        if *share < has(place) {
            waiting.insert((turns.next[place], place));
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(queues: &[(&str, u32)]) -> PoolPolicy {
        let (queues, weights) = queues.iter().map(|(queue, weight)| ((*queue).to_owned(), *weight)).unzip();
        PoolPolicy { name: "p".into(), queues, weights }
    }

    fn deal(
        pool: &PoolPolicy,
        credits: i64,
        open: &[(&str, u64)],
        turns: &mut BTreeMap<PoolId, Turns>,
    ) -> Vec<(String, u64)> {
        let claims = plan(
            std::slice::from_ref(pool),
            &BTreeMap::from([(PoolId(0), credits)]),
            open.iter().copied().collect(),
            turns,
            CLAIMS_MAX,
        );
        claims.into_iter().map(|claim| (claim.queue, claim.count)).collect()
    }

    fn named(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
        pairs.iter().map(|(queue, count)| ((*queue).to_owned(), *count)).collect()
    }

    #[test]
    fn queues_share_evenly_and_take_turns() {
        let once = |queues, credits, open| deal(&pool(queues), credits, open, &mut BTreeMap::new());
        let two: &[(&str, u32)] = &[("a", 1), ("b", 1)];
        assert_eq!(once(two, 4, &[("a", 9), ("b", 9)]), named(&[("a", 2), ("b", 2)]));
        assert_eq!(once(two, 4, &[("a", 9), ("b", 1)]), named(&[("a", 3), ("b", 1)]));
        assert_eq!(once(&[("a", 1)], -3, &[("a", 9)]), []);
        assert_eq!(once(&[], 3, &[("a", 9)]), []);
        assert_eq!(once(&[("a", 1)], 3, &[]), []);
        let mut turns = BTreeMap::new();
        let mut one = || deal(&pool(two), 1, &[("a", 9), ("b", 9)], &mut turns);
        assert_eq!([one(), one(), one()], [named(&[("a", 1)]), named(&[("b", 1)]), named(&[("a", 1)])]);
    }

    #[test]
    fn a_heavier_queue_has_more_turns_and_an_idle_one_saves_none_up() {
        let pool = pool(&[("heavy", 3), ("light", 1)]);
        let mut turns = BTreeMap::new();
        let both: &[(&str, u64)] = &[("heavy", 1 << 20), ("light", 1 << 20)];
        let mut served = BTreeMap::<String, u64>::new();
        for _ in 0..400 {
            for (queue, count) in deal(&pool, 1, both, &mut turns) {
                *served.entry(queue).or_default() += count;
            }
        }
        assert_eq!(served["light"], 100);
        for _ in 0..400 {
            deal(&pool, 1, &[("heavy", 9)], &mut turns);
        }
        let after = (0..8).filter(|_| deal(&pool, 1, both, &mut turns)[0].0 == "light").count();
        assert_eq!(after, 2);
    }

    #[test]
    fn a_round_goes_on_when_the_pool_serves_other_queues() {
        let was = pool(&[("a", 1), ("b", 1)]);
        let mut turns = BTreeMap::new();
        let all: &[(&str, u64)] = &[("a", 9), ("b", 9), ("c", 9)];
        assert_eq!(deal(&was, 3, all, &mut turns), named(&[("a", 2), ("b", 1)]));
        for (queues, want) in [(&[("b", 1), ("a", 1)], "b"), (&[("a", 1), ("c", 1)], "c"), (&[("a", 1), ("b", 1)], "b")]
        {
            let is = pool(queues);
            let mut turns = BTreeMap::from([(PoolId(0), turns[&PoolId(0)].under(&was, &is))]);
            assert_eq!(deal(&is, 1, all, &mut turns), named(&[(want, 1)]), "{queues:?}");
        }
    }

    #[test]
    fn pools_that_share_a_queue_do_not_claim_twice_and_a_tick_is_bounded() {
        let credits = BTreeMap::from([(PoolId(0), 2), (PoolId(1), i64::MAX)]);
        let mut turns = BTreeMap::new();
        let pools = [pool(&[("q", 1)]), pool(&[("q", 1)])];
        let few = plan(&pools, &credits, BTreeMap::from([("q", 3)]), &mut turns, CLAIMS_MAX);
        assert_eq!(few.iter().map(|claim| claim.count).collect::<Vec<_>>(), [2, 1]);
        let many = plan(&pools, &credits, BTreeMap::from([("q", 1 << 40)]), &mut turns, CLAIMS_MAX);
        assert_eq!(many.iter().map(|claim| claim.count).sum::<u64>(), CLAIMS_MAX);
    }
}
