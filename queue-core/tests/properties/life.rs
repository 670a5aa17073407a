//! Plays a script on a queue, holds every turn against the model, and at last lets the queue run empty.

use queue_core::op::{Demand, Op, RunKey, WorkerRow};
use queue_core::plan::CLAIMS_MAX;
use queue_core::state::TaskState;
use queue_core::task::{Ending, Outcome, PoolId, TaskId, WorkerId};
use queue_core::tick::Turn;

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
}

/// Everything that was said in a life.
pub(crate) fn live(rig: Rig, script: &[Step]) -> Vec<Turn> {
    let mut life = Life { rig, model: Model::default(), said: Vec::new() };
    for step in script {
        match step {
            Step::Turn(asks) => {
                let ops: Vec<Op> = asks.iter().map(|ask| life.op(ask)).collect();
                life.turn(&ops, &[]);
            }
            Step::Demand(pool, credits) => life.turn(&[], &[demand(PoolId(*pool), *credits)]),
            Step::Pass(us) => life.rig.pass(*us),
            Step::SetWall(us) => life.rig.now.wall_us += us,
            Step::NextLife => life.next_life(),
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
        match ask {
            Ask::Enqueue(new) => Op::Enqueue(new.clone()),
            Ask::Cancel(index) => Op::Cancel(any_task(index)),
            Ask::Finish { run, outcome, retry, refill } if !live.is_empty() => {
                let ending = Ending { retry: *retry, result: vec![1], ..Ending::bare(*outcome, "") };
                Op::Finish { run: live[run.index(live.len())], ending, refill: refill.then_some(MAIN) }
            }
            Ask::Finish { run, outcome, .. } => finish(RunKey { task: any_task(run), epoch: 1 }, *outcome),
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
            let rig = &mut self.rig;
            self.model.noticed(notice, |id| rig.view(id));
        }
        self.said.push(turn);
        self.check();
    }

    fn check(&mut self) {
        let rows = self.rig.book.rows();
        let total: i64 = TaskState::ALL.iter().map(|state| rows.counts.get(*state)).sum();
        assert_eq!(total, self.model.tasks.len() as i64, "every answered task is there, and no other");
        assert_eq!(rows.running.len(), self.model.live().len());
        for (pool, credits) in &self.model.credits {
            assert_eq!(rows.credits.get(pool).copied().unwrap_or(0), *credits);
        }
        for (id, known) in &self.model.tasks {
            let view = self.rig.store.task(*id).unwrap().unwrap();
            assert_eq!(view.state.is_final(), known.ended.is_some(), "{view:?}");
            assert_eq!(view.state == TaskState::Running, known.live, "{view:?}");
            if let Some(ended) = &known.ended {
                assert_eq!(&view, ended, "final is final");
            }
        }
    }

    fn next_life(&mut self) {
        let lost = self.model.live();
        assert_eq!(self.rig.next_life().runs, lost.len());
        self.model.credits.clear();
        for run in lost {
            let view = self.rig.view(run.task);
            self.model.tasks.entry(run.task).or_default().live = false;
            if view.state.is_final() {
                self.model.ended(run.task, view);
            }
        }
        self.check();
    }

    /// Without further trouble everything comes to its end.
    fn drain(&mut self) {
        for _ in 0..DRAIN_TURNS_MAX {
            if self.model.tasks.values().all(|known| known.ended.is_some()) {
                return;
            }
            let ends: Vec<Op> = self.model.live().into_iter().map(|run| finish(run, Outcome::Ok)).collect();
            if let Some(due) = self.rig.store.next_due().unwrap() {
                self.rig.now.wall_us = self.rig.now.wall_us.max(due);
            }
            self.turn(&ends, &[MAIN, SIDE, HELPER].map(|pool| demand(pool, CLAIMS_MAX as i64)));
        }
        panic!("work is left: {:?}", self.model.tasks);
    }
}
