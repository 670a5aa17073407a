//! Claims what can run: `plan` shares the free slots among the queues, limits and meters say how much each may start, and the
//! head of `ready` is taken. Lanes admit the next ones in between.

use std::collections::BTreeMap;

use super::Turning;
use crate::book::{QueueLine, Running};
use crate::lane::{ADMITTED_MAX, Entry};
use crate::op::{Claimed, Notice, RunKey};
use crate::plan::{CLAIMS_MAX, Claim, Turns, plan};
use crate::policy::Order;
use crate::state::{Event, Standing, TaskState};
use crate::store::{Head, StoreError, StoreErrorKind};
use crate::task::PoolId;

impl Turning<'_> {
    /// Gives how many were claimed.
    pub(super) fn claim(&mut self) -> Result<u64, StoreError> {
        let mut claimed = 0;
        // Queues of which nothing more can start in this turn, by their meters.
        let mut metered = BTreeMap::new();
        self.settle_lanes()?;
        while claimed < CLAIMS_MAX {
            let credits = self.over.credits(self.book);
            if credits.values().all(|free| *free <= 0) {
                break;
            }
            let mut open = self.over.ready(self.book);
            open.retain(|queue, _| !metered.contains_key(*queue));
            open.iter_mut().for_each(|(queue, count)| *count = self.open(queue, *count));
            let mut turns = self.turns();
            let claims = plan(&self.book.policies.pools, &credits, open, &mut turns, CLAIMS_MAX - claimed);
            self.over.turns = turns;
            if claims.is_empty() {
                break;
            }
            for claim in &claims {
                let may = self.may_start(claim, &mut metered)?;
                claimed += self.claim_head(&Claim { count: may, ..claim.clone() })?;
            }
            self.settle_lanes()?;
        }
        self.opens_at_us = metered.values().copied().min();
        Ok(claimed)
    }

    fn turns(&self) -> BTreeMap<PoolId, Turns> {
        if self.over.turns.is_empty() { self.book.rows().turns.clone() } else { self.over.turns.clone() }
    }

    /// How many of the `ready` ones of a queue may start, meters aside.
    fn open(&self, queue: &str, ready: u64) -> u64 {
        let unknown = QueueLine::default();
        let line = self.over.queue(self.book, queue).unwrap_or(&unknown);
        let policy = self.book.policies.queue(queue);
        if line.hold(policy).is_some() {
            return 0;
        }
        let free = policy.limit.map_or(u64::MAX, |limit| u64::from(limit).saturating_sub(line.running));
        // Behind these, lanes have better ones that only wait to be admitted.
        let known = if line.waiting > 0 { ADMITTED_MAX as u64 } else { u64::MAX };
        ready.min(free).min(known)
    }

    /// How many of a claim the meters let through; they are charged. Notes in `metered` when they let the next one through.
    fn may_start(&mut self, claim: &Claim, metered: &mut BTreeMap<String, i64>) -> Result<u64, StoreError> {
        let rates = &self.book.policies.queue(&claim.queue).rates;
        if rates.is_empty() || claim.count == 0 {
            return Ok(claim.count);
        }
        let costs = self.store.head_costs(&claim.queue, claim.count)?;
        if costs.len() as u64 != claim.count {
            return Err(self.disagree(claim, costs.len()));
        }
        let clock_us = self.book.meters_us(self.now);
        let line = self.over.queue_mut(self.book, &claim.queue);
        line.settle_meters(rates, clock_us);
        let mut may = 0;
        for cost in costs {
            if let Some((_, opens_at_us)) = line.metered(rates, &cost) {
                metered.insert(claim.queue.clone(), opens_at_us);
                break;
            }
            for (meter, rate) in line.meters.iter_mut().zip(rates) {
                meter.charge(rate, rate.cost_of(&cost));
            }
            may += 1;
        }
        if may > 0 {
            self.over.charged.insert(claim.queue.clone());
        }
        Ok(may)
    }

    fn claim_head(&mut self, claim: &Claim) -> Result<u64, StoreError> {
        if claim.count == 0 {
            return Ok(0);
        }
        let heads = self.store.head(&claim.queue, claim.count)?;
        let Some(last) = heads.last() else { return Err(self.disagree(claim, 0)) };
        if heads.len() as u64 != claim.count {
            return Err(self.disagree(claim, heads.len()));
        }
        self.store.take_head(&claim.queue, last, heads.len())?;
        self.over.add_ready(&claim.queue, -(heads.len() as i64));
        self.over.refill(claim.pool, -(heads.len() as i64));
        if self.book.policies.queue(&claim.queue).order == Order::Fair {
            let line = self.over.queue_mut(self.book, &claim.queue);
            line.turn = line.turn.max(last.rank);
        }
        self.over.queue_mut(self.book, &claim.queue).running += claim.count;
        for head in heads {
            self.start_run(claim, head)?;
        }
        Ok(claim.count)
    }

    fn start_run(&mut self, claim: &Claim, head: Head) -> Result<(), StoreError> {
        let limits = self.book.policies.limits(&claim.queue, &head.kind, head.overrides);
        let from = Standing { state: Some(TaskState::Available), cancelling: false, tally: head.tally };
        let (_, tally) = self.decide(from, Event::Claimed, &limits)?;
        let run = RunKey { task: head.id, epoch: tally.epoch };
        let wait_us = (self.clock_us - head.since_us).max(0);
        self.store.put_running(run, head.since_us, wait_us, self.now.wall_us)?;
        if let Some(lane) = &head.lane {
            let key = (claim.queue.clone(), lane.clone());
            let rank = head.priority.rank(head.since_us, self.book.policies.queue(&claim.queue).aging_step_us);
            self.over.lane_mut(self.book, &key).claimed(Entry { rank, id: head.id });
            self.over.unsettled.insert(key);
        }
        self.moved(Some(TaskState::Available), TaskState::Running);
        let running = Running {
            queue: claim.queue.clone(),
            lane: head.lane,
            priority: head.priority,
            since_us: head.since_us,
            tally,
            limits,
            wait_us,
            claimed_at_us: self.now.wall_us,
            cancelling: false,
        };
        self.over.running.insert(head.id, Some(running));
        self.notices.push(Notice::Claimed(Claimed {
            run,
            pool: claim.pool,
            kind: head.kind,
            args: head.args,
            attempt: tally.runs + 1,
            timeout_ms: limits.timeout_ms,
        }));
        Ok(())
    }

    fn disagree(&self, claim: &Claim, found: usize) -> StoreError {
        let detail = format!("the book has {} claimable tasks in queue {}, the rows {found}", claim.count, claim.queue);
        StoreError { kind: StoreErrorKind::Invariant, detail }
    }
}
