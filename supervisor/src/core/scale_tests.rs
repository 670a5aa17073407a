//! How many workers there are: what waits brings them, need that is over takes them away, one at a time; memory and operators
//! have their say.

use ipc_contract::message::{Booting, FromWorker};
use queue_core::backlog::Backlog;
use queue_core::task::{PoolId, WorkerId};

use super::event::{Event, Exit, Sample};
use super::host::{HostFacts, MemoryCap};
use super::order::{Leave, Order};
use super::play::{Play, bye, claim, claimed_for, done, gone, hello, ready, says, spawned};
use super::view::HeldBy;
use crate::config::{Config, Pool, Program, Recycle, Scale, WorkerLimits, Workers};

const MIB: u64 = 1 << 20;

fn pool(name: &str, min: u32, max: u32) -> Pool {
    let scale = Scale { target_wait_us: 1_000_000, cooldown_us: 10_000_000 };
    let program = Program::Command(vec![name.into()]);
    Pool { scale, ..Pool::new(name, program, vec![name.into()], Workers { min, max }) }
}

#[test]
fn a_program_of_which_nothing_is_known_is_started_once() {
    let config = Config { db: "q".into(), folder: "/".into(), pools: vec![pool("p", 0, 8)], ..Config::default() };
    let mut play = Play::under(config);
    play.at(0, Event::Start, &["spawn 1"]);
    assert_eq!(last_why(&play, 0), "its program is new: one worker is to say what it can run");
    arrives(&mut play, 1, 1);
    assert_eq!(play.does(10_300, Event::Tick), ["demand -1", "stop 1: Scaling 10000ms"], "nothing waits");
}

fn with_memory(pool: Pool, mib: u64) -> Pool {
    let limits = WorkerLimits { memory_bytes: Some(mib * MIB), ..pool.limits };
    Pool { limits, ..pool }
}

fn play(pools: Vec<Pool>) -> Play {
    // In a former life all of them have said what they can run.
    let offers = pools.iter().map(|pool| (pool.name.clone(), "echo".to_owned())).collect();
    Play::knowing(offers, Config { db: "q".into(), folder: "/".into(), pools, ..Config::default() })
}

fn backlog(pool: usize, tasks: u64) -> Event {
    Event::Backlog(Backlog { pool: PoolId(pool), tasks, ..Backlog::default() })
}

/// The worker is started, greets and is ready; what followed.
fn arrives(play: &mut Play, worker: i64, at_ms: i64) -> Vec<String> {
    play.does(at_ms, spawned(worker));
    play.does(at_ms, says(worker, FromWorker::Hello(hello())));
    play.does(at_ms, ready(worker))
}

/// It leaves as it was told.
fn leaves(play: &mut Play, worker: i64, at_ms: i64) -> Vec<String> {
    play.does(at_ms, bye(worker));
    play.does(at_ms, gone(worker, Exit::Code(0)))
}

fn last_why(play: &Play, pool: usize) -> String {
    play.machine.views(0)[pool].decisions.last().map(|last| last.why.clone()).unwrap_or_default()
}

#[test]
fn from_zero_to_what_is_needed_and_back_one_at_a_time() {
    let mut play = play(vec![pool("p", 0, 8)]);
    play.at(0, Event::Start, &[]);
    play.at(0, backlog(0, 25), &["spawn 1", "spawn 2", "spawn 3"]);
    assert!(last_why(&play, 0).starts_with("25 tasks wait, "), "{}", last_why(&play, 0));
    for worker in 1..=3 {
        arrives(&mut play, worker, 10);
    }
    play.does(100, backlog(0, 0));
    play.does(9_000, Event::Tick);
    assert_eq!(play.machine.slots().len(), 3, "not before the cooldown");
    let mut left = Vec::new();
    for at_ms in (9_000..60_000).step_by(100) {
        for word in play.does(at_ms, Event::Tick) {
            if let Some(stop) = word.strip_prefix("stop ") {
                left.push((at_ms, stop.to_owned()));
                let worker = stop[..1].parse().unwrap();
                leaves(&mut play, worker, at_ms);
            }
        }
    }
    let workers: Vec<&str> = left.iter().map(|(_, stop)| stop.as_str()).collect();
    assert_eq!(workers, ["3: Scaling 10000ms", "2: Scaling 10000ms", "1: Scaling 10000ms"]);
    assert!(left.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 10_000), "{left:?}");
    assert_eq!((play.machine.slots().len(), play.machine.next_deadline()), (0, None), "and then it sleeps");
    let why = last_why(&play, 0);
    assert!(why.starts_with("for 10s one less would have done: nothing waits"), "{why}");
}

#[test]
fn one_that_works_is_not_taken_away_and_need_that_comes_back_keeps_all() {
    let mut play = play(vec![pool("p", 0, 4)]);
    play.at(0, backlog(0, 5), &["spawn 1"]);
    arrives(&mut play, 1, 1);
    play.does(2, claim(7, None));
    play.does(3, backlog(0, 0));
    play.at(29_000, Event::Tick, &[]);
    play.does(29_000, done(1, 7));
    play.does(30_000, backlog(0, 5));
    play.does(30_001, backlog(0, 0));
    assert_eq!(play.does(39_900, Event::Tick), Vec::<String>::new(), "it was needed 10 s ago at the latest");
}

#[test]
fn a_worker_is_not_started_when_its_memory_does_not_fit_and_comes_when_it_does() {
    let pools = vec![with_memory(pool("a", 0, 4), 600), with_memory(pool("b", 0, 4), 600)];
    let mut play = play(pools).on(HostFacts { memory_budget_bytes: 1_024 * MIB, memory_cap: MemoryCap::Soft });
    play.at(0, backlog(0, 1), &["spawn 1"]);
    play.at(1, backlog(1, 1), &[]);
    let short = "waits for memory: a worker may need 600.0 MiB, and of the budget of 1.0 GiB 424.0 MiB are free";
    assert_eq!(last_why(&play, 1), short);
    arrives(&mut play, 1, 2);
    play.does(3, claim(7, None));
    play.does(3, backlog(0, 0));
    play.at(500, Event::Tick, &[]);
    // Its run is over: it has nothing to do, and makes room.
    assert!(play.does(600, done(1, 7)).contains(&"finish 7/1 ok refill".to_owned()));
    let all: Vec<String> = (601..900).step_by(10).flat_map(|at_ms| play.does(at_ms, Event::Tick)).collect();
    assert_eq!(all, ["demand -1", "stop 1: Memory 10000ms"]);
    assert_eq!(leaves(&mut play, 1, 900), ["down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn a_pool_without_workers_is_not_kept_waiting_for_ever_by_a_busy_one() {
    let pools = vec![with_memory(pool("a", 0, 4), 600), with_memory(pool("b", 0, 4), 600)];
    let mut play = play(pools).on(HostFacts { memory_budget_bytes: 1_024 * MIB, memory_cap: MemoryCap::Soft });
    play.does(0, backlog(0, 100));
    arrives(&mut play, 1, 1);
    play.does(2, claim(7, None));
    play.does(3, backlog(1, 1));
    play.does(10_100, Event::Tick);
    assert_eq!(play.does(10_200, done(1, 7)), ["finish 7/1 ok", "stop 1: Memory 10000ms"], "no further task for it");
    let after = leaves(&mut play, 1, 10_300);
    assert_eq!(after, ["down 1", "report gone 1", "spawn 2"]);
    assert_eq!(play.machine.slots()[&WorkerId(2)].pool, PoolId(1));
}

#[test]
fn a_pool_that_needs_nothing_any_more_is_not_in_line_for_memory() {
    let pools = vec![with_memory(pool("a", 0, 4), 600), with_memory(pool("b", 0, 4), 600)];
    let mut play = play(pools).on(HostFacts { memory_budget_bytes: 1_024 * MIB, memory_cap: MemoryCap::Soft });
    play.does(0, backlog(0, 1));
    arrives(&mut play, 1, 1);
    play.does(2, claim(7, None));
    play.does(3, backlog(1, 1));
    assert_eq!(play.machine.hold(PoolId(1)).map(|hold| hold.by), Some(HeldBy::Memory));
    // What waited for it was cancelled.
    play.does(4, backlog(1, 0));
    for at_ms in (5..30_000).step_by(100) {
        play.does(at_ms, Event::Tick);
    }
    assert_eq!((play.machine.target(PoolId(1)), play.machine.hold(PoolId(1))), (0, None));
    assert_eq!(play.does(30_000, done(1, 7)), ["finish 7/1 ok refill"], "it makes room for nobody");
}

#[test]
fn a_pool_that_never_fits_takes_no_memory_from_others() {
    let pools = vec![with_memory(pool("a", 0, 1), 600), with_memory(pool("huge", 0, 1), 2_048)];
    let mut play = play(pools).on(HostFacts { memory_budget_bytes: 1_024 * MIB, memory_cap: MemoryCap::Soft });
    play.at(0, backlog(0, 1), &["spawn 1"]);
    arrives(&mut play, 1, 1);
    play.does(2, claim(7, None));
    play.at(3, backlog(1, 1), &[]);
    let why = play.machine.hold(PoolId(1)).map(|hold| (hold.by, hold.why));
    let expected = "can have no worker: one may need 2.0 GiB in memory, and the budget is 1.0 GiB";
    assert_eq!(why, Some((HeldBy::Memory, expected.to_owned())));
    play.does(20_000, Event::Tick);
    assert_eq!(play.does(20_001, done(1, 7)), ["finish 7/1 ok refill"], "it makes no room");
    play.does(20_002, gone(1, Exit::Signal(9)));
    assert_eq!(play.machine.slots().values().map(|slot| slot.pool).collect::<Vec<_>>(), [PoolId(0)], "another comes");
}

#[test]
fn a_broken_pool_keeps_no_other_from_memory() {
    let pools = vec![with_memory(pool("a", 0, 4), 600), with_memory(pool("b", 0, 4), 600)];
    let mut play = play(pools).on(HostFacts { memory_budget_bytes: 1_024 * MIB, memory_cap: MemoryCap::Soft });
    play.at(0, backlog(0, 100), &["spawn 1"]);
    assert_eq!(play.machine.hold(PoolId(0)).map(|hold| hold.by), Some(HeldBy::Memory), "it wants more of them");
    for worker in 1..=5 {
        play.does(worker * 5_000, Event::Tick);
        play.does(worker * 5_000, spawned(worker));
        play.does(worker * 5_000, gone(worker, Exit::Code(1)));
    }
    assert_eq!(play.machine.hold(PoolId(0)).map(|hold| hold.by), Some(HeldBy::Broken));
    play.at(40_000, backlog(1, 1), &["spawn 6"]);
    assert_eq!(play.machine.slots()[&WorkerId(6)].pool, PoolId(1));
}

#[test]
fn who_has_not_run_anything_yet_is_not_taken_for_others() {
    let pools = vec![with_memory(pool("a", 0, 4), 600), with_memory(pool("b", 0, 4), 600)];
    let mut play = play(pools).on(HostFacts { memory_budget_bytes: 1_024 * MIB, memory_cap: MemoryCap::Soft });
    play.at(0, backlog(0, 9), &["spawn 1"]);
    play.does(1, backlog(1, 9));
    play.does(2, spawned(1));
    play.does(9_000, says(1, FromWorker::Booting(Booting {})));
    play.at(12_000, Event::Tick, &[]);
    play.does(18_000, says(1, FromWorker::Hello(hello())));
    play.does(18_000, ready(1));
    play.at(21_000, Event::Tick, &[]);
    play.does(21_000, claim(7, None));
    let after = play.does(30_100, done(1, 7));
    assert_eq!(after, ["finish 7/1 ok refill", "demand -1", "stop 1: Memory 10000ms"], "it has had its turn");
    assert_eq!(leaves(&mut play, 1, 30_300), ["down 1", "report gone 1", "spawn 2"]);
    assert_eq!(play.machine.slots()[&WorkerId(2)].pool, PoolId(1));
}

#[test]
fn a_worker_counts_by_what_it_was_allowed_when_it_was_started() {
    let config = |mib| {
        let pools = vec![with_memory(pool("a", 1, 2), mib), with_memory(pool("b", 0, 1), 600)];
        Config { db: "q".into(), folder: "/".into(), pools, ..Config::default() }
    };
    let soft = HostFacts { memory_budget_bytes: 1_024 * MIB, memory_cap: MemoryCap::Soft };
    let mut play = Play::under(config(600)).on(soft);
    play.at(0, Event::Start, &["spawn 1"]);
    arrives(&mut play, 1, 1);
    play.does(2, claim(7, None));
    // The new one fits beside the old one, a third does not.
    play.at(3, Event::Reload(Box::new(config(400))), &["spawn 2"]);
    play.at(4, backlog(1, 1), &[]);
    let sample = |mib| Event::Sampled(vec![Sample { worker: WorkerId(1), rss_bytes: mib * MIB }]);
    play.at(5, sample(600), &[]);
    play.at(6, sample(601), &["kill 1"]);
}

#[test]
fn who_has_more_in_memory_than_its_pool_allows_is_killed_and_its_task_is_oom() {
    let sample = |mib: u64| Event::Sampled(vec![Sample { worker: WorkerId(1), rss_bytes: mib * MIB }]);
    let soft = HostFacts { memory_cap: MemoryCap::Soft, ..HostFacts::default() };
    let mut soft = play(vec![with_memory(pool("p", 1, 1), 100)]).on(soft);
    soft.at(0, Event::Start, &["spawn 1"]);
    arrives(&mut soft, 1, 1);
    soft.does(2, claim(7, None));
    soft.at(3, sample(100), &[]);
    soft.at(4, sample(101), &["kill 1"]);
    soft.at(5, sample(900), &[]);
    soft.at(6, gone(1, Exit::Signal(9)), &["finish 7/1 oom", "down 1", "report gone 1", "spawn 2"]);
    assert_eq!(soft.machine.views(0)[0].kinds[0].peak_rss_bytes, 900 * MIB);
    let hard = HostFacts { memory_cap: MemoryCap::Hard, ..HostFacts::default() };
    let mut hard = play(vec![with_memory(pool("p", 1, 1), 100)]).on(hard);
    hard.does(0, Event::Start);
    arrives(&mut hard, 1, 1);
    hard.does(2, claim(7, None));
    hard.at(4, sample(101), &[]);
    let mut exit = gone(1, Exit::Signal(9));
    if let Event::Gone(exit) = &mut exit {
        exit.oom = true;
    }
    hard.at(6, exit, &["finish 7/1 oom", "down 1", "report gone 1", "spawn 2"]);
}

fn recycling(recycle: Recycle, min: u32, max: u32) -> Play {
    let mut play = play(vec![Pool { recycle, ..pool("p", min, max) }]);
    play.does(0, Event::Start);
    for worker in 1..=i64::from(min) {
        arrives(&mut play, worker, 1);
    }
    play
}

#[test]
fn a_worn_worker_is_replaced_first_where_there_is_room_and_else_leaves_first() {
    let tasks = |tasks| Recycle { tasks: Some(tasks), ..Recycle::default() };
    let mut room = recycling(tasks(100), 1, 2);
    for task in 1..=99 {
        room.does(task, claim(task, None));
        assert!(!room.does(task, done(1, task as u64)).contains(&"spawn 2".to_owned()), "not before its share: {task}");
    }
    room.does(100, claim(100, None));
    // At the limit itself it runs nothing more.
    assert_eq!(room.does(100, done(1, 100)), ["finish 100/1 ok", "stop 1: Recycling 10000ms", "spawn 2"]);
    let mut none = recycling(tasks(1), 1, 1);
    none.does(2, claim(7, None));
    assert_eq!(none.does(3, done(1, 7)), ["finish 7/1 ok", "stop 1: Recycling 10000ms"]);
    assert_eq!(leaves(&mut none, 1, 4), ["down 1", "report gone 1", "spawn 2"]);
}

#[test]
fn the_old_one_works_until_the_new_one_is_ready() {
    let mut play = recycling(Recycle { age_us: Some(60_000_000), ..Recycle::default() }, 1, 2);
    play.does(50_000, claim(7, None));
    assert_eq!(play.does(60_001, done(1, 7)), ["finish 7/1 ok refill", "spawn 2"]);
    play.does(60_010, claim(8, None));
    assert_eq!(play.does(60_011, done(1, 8)), ["finish 8/1 ok refill"]);
    assert_eq!(arrives(&mut play, 2, 60_020), ["demand +1", "demand -1", "stop 1: Recycling 10000ms"]);
    assert_eq!(leaves(&mut play, 1, 60_030), ["down 1", "report gone 1"], "it was replaced before");
}

#[test]
fn the_idle_are_replaced_by_their_age_and_what_has_too_much_in_memory_at_once() {
    let mut old = recycling(Recycle { age_us: Some(60_000_000), ..Recycle::default() }, 1, 1);
    old.at(59_999, Event::Tick, &["alert unresponsive"]);
    old.at(60_001, Event::Tick, &["demand -1", "stop 1: Recycling 10000ms"]);
    let mut fat = recycling(Recycle { memory_bytes: Some(100 * MIB), ..Recycle::default() }, 1, 2);
    fat.does(2, claim(7, None));
    fat.does(3, Event::Sampled(vec![Sample { worker: WorkerId(1), rss_bytes: 120 * MIB }]));
    assert_eq!(fat.does(4, done(1, 7)), ["finish 7/1 ok", "stop 1: Recycling 10000ms", "spawn 2"]);
}

#[test]
fn operators_scale_recycle_quieten_and_stop() {
    let mut play = recycling(Recycle::default(), 2, 4);
    play.at(10, Event::Order(Order::Scale(PoolId(0), Workers::fixed(3))), &["spawn 3"]);
    arrives(&mut play, 3, 11);
    play.at(12, Event::Order(Order::Scale(PoolId(0), Workers::fixed(2))), &["demand -1", "stop 3: Scaling 10000ms"]);
    leaves(&mut play, 3, 13);
    play.at(14, Event::Order(Order::Quiet(PoolId(0), true)), &["demand -2"]);
    play.at(15, claim(7, None), &["finish 7/1 recalled refill"]);
    play.at(16, Event::Order(Order::Quiet(PoolId(0), true)), &[]);
    play.at(16, gone(2, Exit::Signal(9)), &["down 2", "report gone 2"]);
    play.at(17, Event::Order(Order::Quiet(PoolId(0), false)), &["demand +1", "spawn 4"]);
    arrives(&mut play, 4, 17);
    play.does(18, claim(7, None));
    let stop = |leave| Event::Order(Order::StopWorker(WorkerId(1), leave));
    play.at(19, stop(Leave::AfterRun), &[]);
    play.at(20, stop(Leave::Now), &["stop 1: 7/1 Scaling 10000ms"]);
    play.at(21, gone(1, Exit::Code(0)), &["finish 7/1 recalled", "down 1", "report gone 1", "spawn 5"]);
    arrives(&mut play, 5, 22);
    // A fixed number: each leaves before its replacement comes, one at a time.
    play.at(23, Event::Order(Order::Recycle(PoolId(0))), &["demand -1", "stop 4: Recycling 10000ms"]);
    assert_eq!(leaves(&mut play, 4, 24), ["down 4", "report gone 4", "spawn 6"]);
    assert_eq!(arrives(&mut play, 6, 25), ["demand +1", "demand -1", "stop 5: Recycling 10000ms"]);
    assert_eq!(leaves(&mut play, 5, 26), ["down 5", "report gone 5", "spawn 7"]);
    assert_eq!(arrives(&mut play, 7, 27), ["demand +1"]);
}

#[test]
fn workers_that_cannot_know_a_new_kind_get_nothing_more_to_do() {
    let mut play = recycling(Recycle::default(), 2, 2);
    play.does(5, claim(7, None));
    let mut config = Config { db: "q".into(), folder: "/".into(), pools: vec![pool("p", 2, 2)], ..Config::default() };
    config.pools[0].program = Program::Command(vec!["other".into()]);
    let kind = crate::config::Kind { queue: Some(config.pools[0].queues[0].clone()), ..Default::default() };
    config.kinds.insert("new".into(), kind);
    let [working, ready] = if play.machine.slots()[&WorkerId(1)].run().is_some() { [1, 2] } else { [2, 1] };
    let told = play.does(6, Event::Reload(Box::new(config)));
    let stop = format!("stop {ready}: Reload 10000ms");
    assert!(told.contains(&"demand -1".to_owned()) && told.contains(&stop), "{told:?}");
    let ended = play.does(7, done(working, 7));
    assert_eq!(ended, ["finish 7/1 ok".to_owned(), format!("stop {working}: Reload 10000ms")]);
}

#[test]
fn a_changed_command_is_rolled_in_and_a_pool_that_is_gone_empties() {
    let mut play = recycling(Recycle::default(), 1, 1);
    play.does(5, claim(7, None));
    let mut config = Config { db: "q".into(), folder: "/".into(), pools: vec![pool("p", 1, 1)], ..Config::default() };
    play.at(6, Event::Reload(Box::new(config.clone())), &[]);
    config.pools[0].program = Program::Command(vec!["other".into()]);
    config.pools.push(pool("new", 1, 2));
    play.at(7, Event::Reload(Box::new(config.clone())), &["spawn 2"]);
    assert_eq!(play.does(8, done(1, 7)), ["finish 7/1 ok", "stop 1: Reload 10000ms"]);
    assert_eq!(leaves(&mut play, 1, 9), ["down 1", "report gone 1", "spawn 3"]);
    arrives(&mut play, 3, 10);
    play.does(11, claimed_for(PoolId(0), 8));
    config.pools[0] = Pool { queues: vec![], workers: Workers::fixed(0), ..config.pools[0].clone() };
    play.at(12, Event::Reload(Box::new(config)), &[]);
    assert_eq!(play.does(13, done(3, 8)), ["finish 8/1 ok", "stop 3: Scaling 10000ms"], "its last run ends in peace");
    assert_eq!(play.machine.views(13).len(), 2);
    assert_eq!(leaves(&mut play, 3, 14), ["down 3", "report gone 3"]);
    let names: Vec<String> = play.machine.views(15).into_iter().map(|pool| pool.name).collect();
    assert_eq!(names, ["new"], "a place without a pool is not shown");
}
