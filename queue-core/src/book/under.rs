//! The book of a queue that goes on under other policies: from rows, with what only the book knew. No SQL.

use std::collections::BTreeMap;

use super::{Book, Mirror};
use crate::lane::Lane;
use crate::plan::Turns;
use crate::policy::{Order, Policies};
use crate::task::{Now, PoolId};

impl Book {
    /// `standing` is what stands in line and runs, as the rows have it; `meters_us` the newest time that a meter of these policies
    /// has seen. The pools keep their places: credits are those of places.
    pub(crate) fn under(&self, policies: Policies, standing: Mirror, meters_us: i64, now: Now) -> Book {
        let was = &self.rows;
        let mut rows = Mirror {
            counts: was.counts,
            stale: was.stale,
            credits: was.credits.clone(),
            turns: self.rounds(&policies),
            ..standing
        };
        self.keep_turns(&policies, &mut rows);
        Book {
            policies,
            rows,
            clock_us: self.clock_us(now),
            clock_read_at_us: self.clock_read_at_us.max(now.mono_us),
            meters_began_us: (self.meters_us(now).max(meters_us), now.mono_us),
            paces: self.paces.clone(),
            looked: self.looked.anew(),
        }
    }

    /// Where the round of each pool stands among its queues of then.
    fn rounds(&self, policies: &Policies) -> BTreeMap<PoolId, Turns> {
        let round = |(id, turns): (&PoolId, &Turns)| {
            let (was, is) = (self.policies.pools.get(id.0)?, policies.pools.get(id.0)?);
            Some((*id, turns.under(was, is)))
        };
        self.rows.turns.iter().filter_map(round).collect()
    }

    /// The keys of a queue that stays fair go on taking turns where they were.
    fn keep_turns(&self, policies: &Policies, rows: &mut Mirror) {
        let stays_fair = |queue: &str| [&self.policies, policies].iter().all(|of| of.queue(queue).order == Order::Fair);
        for (queue, was) in self.rows.queues.iter().filter(|(queue, _)| stays_fair(queue)) {
            let mut line = rows.queues.get(queue).cloned().unwrap_or_default();
            line.turn = was.turn;
            rows.put_queue(queue.clone(), line);
        }
        for (key, was) in self.rows.lanes.iter().filter(|(key, _)| stays_fair(&key.0)) {
            let mut lane: Lane = rows.lanes.get(key).cloned().unwrap_or_default();
            // Those that were taken out of line have not had their turns.
            let lost =
                was.admitted.iter().filter(|(entry, _)| !lane.admitted.contains_key(entry)).map(|(_, turn)| *turn);
            lane.next_turn = lost.fold(was.next_turn, i64::min);
            rows.put_lane(policies, key.clone(), lane);
        }
    }
}
