//! Scripts of lives, drawn at random. What a step picks is an index into what there is by then.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use queue_core::priority::TaskPriority;
use queue_core::task::{LogParts, NewTask, Note, Outcome, Overrides, Progress, RetryScope, RetryWish};

use crate::known::USD_BUDGET;
use crate::support::border::SECOND;
use crate::support::values::task;

const DAY: i64 = 86_400 * SECOND;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Turn(Vec<Ask>),
    /// Credits for a pool, by index.
    Demand(usize, i64),
    /// Time goes on.
    Pass(i64),
    /// The wall clock alone is set.
    SetWall(i64),
    /// Under the policies at this index.
    NextLife(usize),
    /// The same life, under the policies at this index.
    Reconfigure(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Enqueue(NewTask),
    EnqueueAll(Vec<NewTask>),
    Cancel(Index),
    Retry(Index),
    Reprioritise(Index, TaskPriority),
    /// A queue, or a key of it; until a time from now, or until it is resumed.
    Pause(&'static str, Option<&'static str>, Option<i64>),
    Resume(&'static str, Option<&'static str>),
    /// A live run says something; with an epoch so much older, a run that ended.
    Note {
        run: Index,
        late: i64,
        note: Note,
    },
    Log {
        run: Index,
        late: i64,
        log: LogParts,
    },
    /// The end of a live run.
    Finish {
        run: Index,
        outcome: Outcome,
        retry: RetryWish,
        scope: RetryScope,
        refill: bool,
        /// Of a success.
        follow_ups: Vec<NewTask>,
    },
    /// The end of a run of any known task, live or not.
    Late {
        task: Index,
        epoch: i64,
    },
    WorkerUp,
    /// A worker by number, known or not.
    WorkerGone(i64),
}

pub(crate) fn script(steps: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..=steps)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec(ask(), 0..6).prop_map(Step::Turn),
        8 => (0..3_usize, -2..6_i64).prop_map(|(pool, credits)| Step::Demand(pool, credits)),
        4 => (0..40 * SECOND).prop_map(Step::Pass),
        1 => (-DAY..DAY).prop_map(Step::SetWall),
        1 => (0..8_usize).prop_map(Step::NextLife),
        1 => (0..8_usize).prop_map(Step::Reconfigure),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let follow_ups = prop_oneof![2 => Just(vec![]), 1 => vec(new_task(), 1..3)];
    let finish = (any::<Index>(), select(&Outcome::ALL[..]), (retry(), scope()), any::<bool>(), follow_ups);
    prop_oneof![
        6 => new_task().prop_map(Ask::Enqueue),
        1 => vec(new_task(), 0..4).prop_map(Ask::EnqueueAll),
        1 => any::<Index>().prop_map(Ask::Cancel),
        1 => any::<Index>().prop_map(Ask::Retry),
        1 => (any::<Index>(), priority()).prop_map(|(task, priority)| Ask::Reprioritise(task, priority)),
        1 => (queue(), key(), option::of(0..60 * SECOND)).prop_map(|(queue, key, us)| Ask::Pause(queue, key, us)),
        1 => (queue(), key()).prop_map(|(queue, key)| Ask::Resume(queue, key)),
        2 => (any::<Index>(), late(), note()).prop_map(|(run, late, note)| Ask::Note { run, late, note }),
        2 => (any::<Index>(), late(), log()).prop_map(|(run, late, log)| Ask::Log { run, late, log }),
        12 => finish.prop_map(|(run, outcome, (retry, scope), refill, follow_ups)| {
            Ask::Finish { run, outcome, retry, scope, refill, follow_ups }
        }),
        1 => (any::<Index>(), 0..4_i64).prop_map(|(task, epoch)| Ask::Late { task, epoch }),
        1 => Just(Ask::WorkerUp),
        1 => (0..4_i64).prop_map(Ask::WorkerGone),
    ]
}

fn queue() -> impl Strategy<Value = &'static str> {
    select(&["q", "a", "b"][..])
}

fn key() -> impl Strategy<Value = Option<&'static str>> {
    option::of(select(&["x", "y", "z"][..]))
}

fn priority() -> impl Strategy<Value = TaskPriority> {
    (-100..=100_i64).prop_map(|value| TaskPriority::new(value).unwrap())
}

fn scope() -> impl Strategy<Value = RetryScope> {
    prop_oneof![4 => Just(RetryScope::Task), 1 => Just(RetryScope::Key), 1 => Just(RetryScope::Queue)]
}

fn retry() -> impl Strategy<Value = RetryWish> {
    prop_oneof![
        6 => Just(RetryWish::ByPolicy),
        2 => (0..60_000_u64).prop_map(RetryWish::AfterMs),
        1 => Just(RetryWish::Never),
    ]
}

fn late() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(0), 1 => 1..3_i64]
}

fn note() -> impl Strategy<Value = Note> {
    let some = option::of(0..100_i32).prop_map(|done| done.map(f64::from));
    let progress = option::of(some.prop_map(|done| Progress { done, ..Progress::default() }));
    let unit = select(&["usd", "tokens"][..]).prop_map(str::to_owned);
    let spend = btree_map(unit, 1..1_000_i64, 0..3);
    (progress, spend, option::of(any::<u64>())).prop_map(|(progress, spend, seq)| Note { progress, spend, seq })
}

fn log() -> impl Strategy<Value = LogParts> {
    let parts = vec((0..6_i64, vec(any::<u8>(), 0..3)), 0..3);
    (parts, 0..6_i64, 0..3_i64).prop_map(|(parts, from, count)| LogParts { parts, dropped: from..from + count })
}

fn new_task() -> impl Strategy<Value = NewTask> {
    let delay_us = prop_oneof![3 => Just(0), 1 => 0..30 * SECOND];
    let name = option::weighted(0.3, select(&["n", "m"][..]).prop_map(str::to_owned));
    let kind = select(&["plain", "other"][..]).prop_map(str::to_owned);
    let line = (queue(), key(), priority(), option::of(0..9_u32));
    let limits = (option::of(1..4_u32), option::of(1..4_u32));
    (kind, line, delay_us, name, limits).prop_map(
        |(kind, (queue, key, priority, cost), delay_us, name, (max_attempts, max_crashes))| {
            let (queue, key) = (queue.to_owned(), key.map(str::to_owned));
            let overrides = Overrides { max_attempts, max_crashes, ..Overrides::default() };
            let cost = cost.map(|cost| ("tokens".to_owned(), cost)).into_iter().collect();
            NewTask {
                kind,
                queue,
                key,
                cost,
                priority,
                delay_us,
                name,
                overrides,
                budget: BTreeMap::from([("usd".to_owned(), USD_BUDGET)]),
                ..task()
            }
        },
    )
}
