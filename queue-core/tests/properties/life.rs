//! Plays a script on a queue, holds every turn against the model, and at last lets the queue run empty.

use std::collections::BTreeMap;

use queue_core::op::{Demand, Op, RunKey, WorkerRow};
use queue_core::plan::CLAIMS_MAX;
use queue_core::policy::Policies;
use queue_core::state::TaskState;
use queue_core::store::LOG_PARTS_MAX;
use queue_core::task::{Ending, Outcome, PoolId, TaskId, WorkerId};
use queue_core::tick::Turn;

use crate::known::Known;
use crate::model::Model;
use crate::script::{Ask, Step};
use crate::support::border::{HELPER, MAIN, SIDE, demand, finish};
use crate::support::rig::Rig;

/// More turns than any script leaves work for.
const DRAIN_TURNS_MAX: usize = 500;

struct Life {
    rig: Rig,
    model: Model,
    said: Vec<Turn>,
    /// Queues and keys of which more ran than the policies allow that came meanwhile: how many still do.
    over: BTreeMap<(String, Option<String>), u32>,
}

/// Everything that was said in a life, whose policies are one of these sets, the first to begin with.
pub(crate) fn live(rig: Rig, script: &[Step], sets: &[Policies]) -> Vec<Turn> {
    let rig = rig.under(sets[0].clone());
    let mut life = Life { rig, model: Model::default(), said: Vec::new(), over: BTreeMap::new() };
    for step in script {
        match step {
            Step::Turn(asks) => {
                let ops: Vec<Op> = asks.iter().map(|ask| life.op(ask)).collect();
                life.turn(&ops, &[]);
            }
            Step::Demand(pool, credits) => life.turn(&[], &[demand(PoolId(*pool), *credits)]),
            Step::Pass(us) => life.rig.pass(*us),
            Step::SetWall(us) => life.rig.now.wall_us += us,
            Step::NextLife(index) => {
                life.rig.policies = sets[index % sets.len()].clone();
                life.next_life();
            }
            Step::Reconfigure(index) => {
                life.over = life.running();
                life.rig.reconfigure(sets[index % sets.len()].clone());
                life.check();
            }
        }
    }
    life.drain();
    life.said
}

impl Life {
    fn op(&mut self, ask: &Ask) -> Op {
        let live = self.model.live();
        let known = self.model.tasks.len();
        // One more than there are: asking for a task that does not exist is allowed.
        let any_task = |index: &proptest::sample::Index| TaskId(index.index(known + 1) as i64 + 1);
        // A live one, when there is any.
        let any_run = |index: &proptest::sample::Index| match live.as_slice() {
            [] => RunKey { task: any_task(index), epoch: 1 },
            live => live[index.index(live.len())],
        };
        let late_by = |run: RunKey, epochs: i64| RunKey { epoch: run.epoch - epochs, ..run };
        match ask {
            Ask::Enqueue(new) => Op::Enqueue(new.clone()),
            Ask::EnqueueAll(list) => Op::EnqueueAll(list.clone()),
            Ask::Cancel(index) => Op::Cancel(any_task(index)),
            Ask::Retry(index) => Op::Retry(any_task(index)),
            Ask::Reprioritise(index, priority) => Op::Reprioritise { id: any_task(index), priority: *priority },
            Ask::Pause(queue, key, us) => {
                Op::Pause { queue: (*queue).into(), key: key.map(str::to_owned), for_us: *us, reason: "told".into() }
            }
            Ask::Resume(queue, key) => Op::Resume { queue: (*queue).into(), key: key.map(str::to_owned) },
            Ask::Note { run, late, note } => Op::Note { run: late_by(any_run(run), *late), note: note.clone() },
            Ask::Log { run, late, log } => Op::Log { run: late_by(any_run(run), *late), log: log.clone() },
            Ask::Finish { run, outcome, retry, scope, refill, follow_ups } => {
                let follow_ups = if *outcome == Outcome::Ok { follow_ups.clone() } else { vec![] };
                let ending =
                    Ending { retry: *retry, scope: *scope, result: vec![1], follow_ups, ..Ending::bare(*outcome, "") };
                Op::Finish { run: any_run(run), ending, refill: refill.then_some(MAIN) }
            }
            Ask::Late { task, epoch } => finish(RunKey { task: any_task(task), epoch: *epoch }, Outcome::Ok),
            Ask::WorkerUp => {
                self.model.workers += 1;
                let (pool, boot_id, tag) = ("main".into(), "b".into(), "t".into());
                Op::WorkerUp(WorkerRow { id: WorkerId(self.model.workers), pool, pid: 1, start_time: 1, boot_id, tag })
            }
            Ask::WorkerGone(id) => Op::WorkerGone(WorkerId(*id)),
        }
    }

    fn turn(&mut self, ops: &[Op], demand: &[Demand]) {
        // Checks the rows among themselves and the book against them.
        let turn = self.rig.turn(ops, demand);
        for (op, reply) in ops.iter().zip(&turn.replies) {
            self.model.replied(op, reply);
        }
        for change in demand {
            *self.model.credits.entry(change.pool).or_insert(0) += change.credits;
        }
        for notice in &turn.notices {
            self.model.noticed(notice);
        }
        self.said.push(turn);
        self.check();
    }

    /// How many run of each queue, and of each key.
    fn running(&self) -> BTreeMap<(String, Option<String>), u32> {
        let mut running = BTreeMap::new();
        for run in self.rig.book.rows().running.values() {
            *running.entry((run.queue.clone(), None)).or_default() += 1;
            if let Some(key) = run.lane.clone().filter(|key| !key.is_empty()) {
                *running.entry((run.queue.clone(), Some(key))).or_default() += 1;
            }
        }
        running
    }

    fn check(&mut self) {
        let rows = self.rig.book.rows();
        let total: i64 = TaskState::ALL.iter().map(|state| rows.counts.get(*state)).sum();
        assert_eq!(total, self.model.tasks.len() as i64, "every answered task is there, and no other");
        assert_eq!(rows.running.len(), self.model.live().len());
        let running = self.running();
        self.over.retain(|line, _| running.contains_key(line));
        for (line, count) in running {
            let (policy, key) = (self.rig.book.policies.queue(&line.0), &line.1);
            let limit = if key.is_some() { policy.limit_per_key } else { policy.limit };
            let over = self.over.entry(line).or_default();
            *over = count.min(*over);
            assert!(count <= limit.unwrap_or(u32::MAX).max(*over), "{count} run");
        }
        let rows = self.rig.book.rows();
        for (pool, credits) in &self.model.credits {
            assert_eq!(rows.credits.get(pool).copied().unwrap_or(0), *credits);
        }
        assert_eq!(self.model.owed, [], "what was said is told");
        for (id, known) in &mut self.model.tasks {
            known.check(&self.rig.view(*id));
            let parts = self.rig.store.log(*id, 0, true, (0, -1)).unwrap();
            let printed = known.log.iter().take(LOG_PARTS_MAX as usize);
            assert!(
                parts
                    .iter()
                    .map(|part| ((part.epoch, part.part), &part.bytes))
                    .eq(printed.map(|(key, bytes)| (*key, bytes)))
            );
        }
    }

    fn next_life(&mut self) {
        let lost = self.model.live();
        assert_eq!(self.rig.next_life().runs, lost.len());
        self.model.credits.clear();
        for run in lost {
            let view = self.rig.view(run.task);
            self.model.lost(run.task, &view);
        }
        self.check();
    }

    /// Without further trouble everything comes to its end.
    fn drain(&mut self) {
        let keys = [None, Some("x"), Some("y"), Some("z")].map(|key| key.map(str::to_owned));
        let lanes =
            ["q", "a", "b"].into_iter().flat_map(|queue| keys.iter().map(move |key| (queue.to_owned(), key.clone())));
        let resumes: Vec<Op> = lanes.map(|(queue, key)| Op::Resume { queue, key }).collect();
        self.turn(&resumes, &[]);
        for _ in 0..DRAIN_TURNS_MAX {
            if self.model.tasks.values().all(Known::is_final) {
                return;
            }
            let ends: Vec<Op> = self.model.live().into_iter().map(|run| finish(run, Outcome::Ok)).collect();
            if let Some(due) = self.said.last().and_then(|turn| turn.next_due) {
                self.rig.pass((due - self.rig.now.wall_us).max(0));
            }
            self.turn(&ends, &[MAIN, SIDE, HELPER].map(|pool| demand(pool, CLAIMS_MAX as i64)));
        }
        panic!("work is left: {:?}", self.model.tasks);
    }
}
