//! Which queues are claimed from, and how many: all policy between queues is here, SQL knows none. Pure.
//!
//! Queues of one pool share its credits evenly as long as they have tasks; the turn moves on between ticks, so that a
//! pool with one free slot serves each in turn.

use std::collections::BTreeMap;

use crate::policy::PoolPolicy;
use crate::task::PoolId;

/// Claims of one tick; the rest follows in the next, so that no transaction grows without a limit.
pub const CLAIMS_MAX: u64 = 512;

/// Claim `count` tasks from the head of `queue` for `pool`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub pool: PoolId,
    pub queue: String,
    pub count: u64,
}

/// Decides the claims of a tick. `ready` counts the claimable by queue, `turns` is where each pool's round starts.
pub fn plan(
    pools: &[PoolPolicy],
    credits: &BTreeMap<PoolId, i64>,
    ready: &BTreeMap<String, u64>,
    turns: &mut BTreeMap<PoolId, usize>,
) -> Vec<Claim> {
    let mut left: BTreeMap<&str, u64> = ready.iter().map(|(queue, count)| (queue.as_str(), *count)).collect();
    let mut room = CLAIMS_MAX;
    let mut claims = Vec::new();
    for (index, pool) in pools.iter().enumerate() {
        let id = PoolId(index);
        let free = u64::try_from(credits.get(&id).copied().unwrap_or(0)).unwrap_or(0).min(room);
        let turn = turns.entry(id).or_insert(0);
        let shares = share(&pool.queues, free, &left, turn);
        for (queue, count) in pool.queues.iter().zip(shares).filter(|(_, count)| *count > 0) {
            room -= count;
            *left.entry(queue).or_insert(count) -= count;
            claims.push(Claim { pool: id, queue: queue.clone(), count });
        }
    }
    claims
}

/// Deals `free` slots to the queues one by one, beginning at `turn`, which ends behind the last one served.
fn share(queues: &[String], mut free: u64, left: &BTreeMap<&str, u64>, turn: &mut usize) -> Vec<u64> {
    let mut shares = vec![0; queues.len()];
    let mut idle = 0;
    while free > 0 && idle < queues.len() {
        let at = *turn % queues.len();
        *turn = (at + 1) % queues.len();
        if shares[at] < left.get(queues[at].as_str()).copied().unwrap_or(0) {
            shares[at] += 1;
            free -= 1;
            idle = 0;
        } else {
            idle += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(queues: &[&str], credits: i64, ready: &[(&str, u64)], turn: usize) -> (Vec<(String, u64)>, usize) {
        let pools = [PoolPolicy { name: "p".into(), queues: queues.iter().map(|q| (*q).to_owned()).collect() }];
        let ready = ready.iter().map(|(q, n)| ((*q).to_owned(), *n)).collect();
        let mut turns = BTreeMap::from([(PoolId(0), turn)]);
        let claims = plan(&pools, &BTreeMap::from([(PoolId(0), credits)]), &ready, &mut turns);
        (claims.into_iter().map(|claim| (claim.queue, claim.count)).collect(), turns[&PoolId(0)])
    }

    #[test]
    fn queues_share_evenly_and_take_turns() {
        let named = |pairs: &[(&str, u64)]| pairs.iter().map(|(q, n)| ((*q).to_owned(), *n)).collect::<Vec<_>>();
        assert_eq!(check(&["a", "b"], 4, &[("a", 9), ("b", 9)], 0).0, named(&[("a", 2), ("b", 2)]));
        assert_eq!(check(&["a", "b"], 4, &[("a", 9), ("b", 1)], 0).0, named(&[("a", 3), ("b", 1)]));
        assert_eq!(check(&["a", "b"], 1, &[("a", 9), ("b", 9)], 0), (named(&[("a", 1)]), 1));
        assert_eq!(check(&["a", "b"], 1, &[("a", 9), ("b", 9)], 1), (named(&[("b", 1)]), 0));
        assert_eq!(check(&["a"], -3, &[("a", 9)], 0).0, []);
        assert_eq!(check(&[], 3, &[("a", 9)], 0).0, []);
        assert_eq!(check(&["a"], 3, &[], 0).0, []);
    }

    #[test]
    fn pools_that_share_a_queue_do_not_claim_twice_and_a_tick_is_bounded() {
        let pool = |name: &str| PoolPolicy { name: name.into(), queues: vec!["q".into()] };
        let credits = BTreeMap::from([(PoolId(0), 2), (PoolId(1), i64::MAX)]);
        let mut turns = BTreeMap::new();
        let pools = [pool("one"), pool("two")];
        let few = plan(&pools, &credits, &BTreeMap::from([("q".to_owned(), 3)]), &mut turns);
        assert_eq!(few.iter().map(|claim| claim.count).collect::<Vec<_>>(), [2, 1]);
        let many = plan(&pools, &credits, &BTreeMap::from([("q".to_owned(), 1 << 40)]), &mut turns);
        assert_eq!(many.iter().map(|claim| claim.count).sum::<u64>(), CLAIMS_MAX);
    }
}
