//! What a lane lets stand in `ready`: by limit, weight and gate, the best first, and never more than it may.

use proptest::prelude::*;

use super::*;

fn policy(limit_per_key: Option<u32>, order: Order) -> QueuePolicy {
    QueuePolicy { limit_per_key, order, weights: BTreeMap::from([("heavy".to_owned(), 3)]), ..QueuePolicy::default() }
}

fn entry(rank: i64, id: i64) -> Entry {
    Entry { rank, id: TaskId(id) }
}

#[test]
fn a_key_has_no_more_in_ready_than_it_may_run() {
    let policy = policy(Some(2), Order::Rank);
    let mut lane = Lane::default();
    assert_eq!(lane.arrive(entry(10, 1), &policy, "a", 0), [Step::Enter(entry(10, 1), 10)]);
    assert_eq!(lane.arrive(entry(20, 2), &policy, "a", 0), [Step::Enter(entry(20, 2), 20)]);
    assert_eq!(lane.arrive(entry(30, 3), &policy, "a", 0), [Step::Wait(entry(30, 3))]);
    let swap = [Step::Return(entry(20, 2), 20), Step::Enter(entry(5, 4), 5)];
    assert_eq!(lane.arrive(entry(5, 4), &policy, "a", 0), swap, "a better rank takes the place of the worst");
    lane.claimed(entry(5, 4));
    assert_eq!((lane.wants(&policy, "a"), lane.running, lane.waiting), (0, 1, 2));
    lane.running -= 1;
    assert_eq!(lane.wants(&policy, "a"), 1);
    assert_eq!(lane.admit(&[entry(20, 2)], &policy, "a", 0), [Step::Admit(entry(20, 2), 20)]);
    assert_eq!((lane.wants(&policy, "a"), lane.waiting), (0, 1));
}

#[test]
fn tasks_without_a_key_are_held_to_no_limit_per_key() {
    let policy = policy(Some(1), Order::Fair);
    let mut lane = Lane { running: 9, ..Lane::default() };
    assert_eq!(lane.arrive(entry(1, 1), &policy, "", 0), [Step::Enter(entry(1, 1), 0)]);
}

#[test]
fn behind_a_closed_gate_nothing_stands_in_ready() {
    let policy = policy(None, Order::Rank);
    let mut lane = Lane::default();
    lane.arrive(entry(1, 1), &policy, "a", 0);
    lane.arrive(entry(2, 2), &policy, "a", 0);
    lane.gate = Gate::ClosedUntil(99);
    assert_eq!(lane.retreat(&policy, "a"), [Step::Return(entry(2, 2), 2), Step::Return(entry(1, 1), 1)]);
    assert_eq!(lane.arrive(entry(0, 3), &policy, "a", 0), [Step::Wait(entry(0, 3))]);
    lane.gate = Gate::Open;
    assert_eq!(lane.wants(&policy, "a"), 3);
    assert_eq!(lane.retreat(&policy, "a"), []);
}

#[test]
fn in_a_fair_queue_a_key_has_as_many_turns_as_its_weight() {
    let policy = policy(None, Order::Fair);
    let (mut light, mut heavy) = (Lane::default(), Lane::default());
    let now_turn = 5 * TURN;
    let turns = |lane: &mut Lane, key: &str| {
        let steps = (1..=4).flat_map(|id| lane.arrive(entry(id, id), &policy, key, now_turn));
        steps.filter_map(|step| if let Step::Enter(_, turn) = step { Some(turn - now_turn) } else { None }).collect()
    };
    let (of_light, of_heavy): (Vec<i64>, Vec<i64>) = (turns(&mut light, "light"), turns(&mut heavy, "heavy"));
    assert_eq!(of_light, [0]);
    assert_eq!(of_heavy, [0, TURN / 3, TURN / 3 * 2]);
    // A better one has the first of the key's turns, and the others are moved along.
    let before: Vec<i64> = heavy.admitted.values().copied().collect();
    let steps = heavy.arrive(entry(0, 9), &policy, "heavy", now_turn);
    assert_eq!(steps[0], Step::Return(entry(3, 3), before[2]));
    assert_eq!(heavy.admitted.values().copied().collect::<Vec<_>>(), before);
    assert_eq!(heavy.admitted.first_key_value(), Some((&entry(0, 9), &before[0])));
    assert_eq!(steps.len(), 4);
}

#[test]
fn a_key_that_was_served_waits_for_the_others_even_when_it_is_empty_meanwhile() {
    let policy = policy(None, Order::Fair);
    let mut lane = Lane::default();
    lane.arrive(entry(1, 1), &policy, "a", 0);
    lane.claimed(entry(1, 1));
    lane.running -= 1;
    assert!(lane.is_empty());
    assert_eq!(lane.arrive(entry(2, 2), &policy, "a", 0), [Step::Enter(entry(2, 2), TURN)]);
}

/// What can happen to a lane.
#[derive(Clone, Debug)]
enum Act {
    Arrive(i64),
    Claim,
    End,
    Gate(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_i64..50).prop_map(Act::Arrive),
        3 => Just(Act::Claim),
        3 => Just(Act::End),
        1 => any::<bool>().prop_map(Act::Gate),
    ]
}

proptest! {
    /// Rows are written by the steps alone, and the lane's own account stays that of the rows.
    #[test]
    fn steps_and_account_agree(
        limit in prop::option::of(1_u32..5), is_fair: bool, key in prop::sample::select(vec!["a", "heavy", ""]),
        acts in prop::collection::vec(act(), 1..120),
    ) {
        let policy = policy(limit, if is_fair { Order::Fair } else { Order::Rank });
        let mut lane = Lane::default();
        let (mut ready, mut rows) = (BTreeMap::<i64, Vec<(Entry, i64)>>::new(), std::collections::BTreeSet::new());
        let mut now_turn = 0;
        for (id, act) in acts.into_iter().enumerate() {
            let mut steps = Vec::new();
            match act {
                Act::Arrive(rank) => steps = lane.arrive(entry(rank, id as i64), &policy, key, now_turn),
                Act::Claim => {
                    if let Some((turn, mut at)) = ready.pop_first() {
                        at.sort_unstable_by_key(|(entry, _)| entry.id);
                        let (first, _) = at.remove(0);
                        if !at.is_empty() {
                            ready.insert(turn, at);
                        }
                        lane.claimed(first);
                        now_turn = now_turn.max(turn);
                    }
                }
                Act::End => lane.running = lane.running.saturating_sub(1),
                Act::Gate(is_open) => {
                    lane.gate = if is_open { Gate::Open } else { Gate::Closed };
                    steps = lane.retreat(&policy, key);
                }
            }
            for round in 0..2 {
                for step in steps.drain(..) {
                    let enter = |ready: &mut BTreeMap<i64, Vec<(Entry, i64)>>, entry, turn| ready.entry(turn).or_default().push((entry, turn));
                    let leave = |ready: &mut BTreeMap<i64, Vec<(Entry, i64)>>, entry: Entry, turn: i64| {
                        let at = ready.get_mut(&turn).unwrap();
                        let place = at.iter().position(|(one, _)| *one == entry).unwrap();
                        at.remove(place);
                        if at.is_empty() {
                            ready.remove(&turn);
                        }
                    };
                    match step {
                        Step::Wait(entry) => prop_assert!(rows.insert(entry)),
                        Step::Enter(entry, turn) => enter(&mut ready, entry, turn),
                        Step::Admit(entry, turn) => {
                            prop_assert!(rows.remove(&entry));
                            enter(&mut ready, entry, turn);
                        }
                        Step::Return(entry, turn) => {
                            leave(&mut ready, entry, turn);
                            prop_assert!(rows.insert(entry));
                        }
                        Step::Move(entry, from, to) => {
                            leave(&mut ready, entry, from);
                            enter(&mut ready, entry, to);
                        }
                    }
                }
                if round == 0 {
                    let best: Vec<Entry> = rows.iter().copied().take(lane.wants(&policy, key) as usize).collect();
                    steps = lane.admit(&best, &policy, key, now_turn);
                }
            }
            prop_assert_eq!(lane.waiting, rows.len() as u64);
            let mut standing: Vec<(Entry, i64)> = ready.values().flatten().copied().collect();
            standing.sort_unstable();
            prop_assert_eq!(&standing, &lane.admitted.iter().map(|(entry, turn)| (*entry, *turn)).collect::<Vec<_>>());
            // Nobody who waits is better than one who was let through.
            if let (Some(worst), Some(best)) = (lane.admitted.last_key_value(), rows.first()) {
                prop_assert!(worst.0 < best);
            }
            if let Some(limit) = limit.filter(|_| !key.is_empty() && lane.gate.is_open()) {
                let taken = lane.running + lane.admitted.len() as u64;
                prop_assert!(taken <= u64::from(limit) && (taken == u64::from(limit) || is_fair || lane.waiting == 0));
            }
            prop_assert!(lane.gate.is_open() || lane.admitted.is_empty());
        }
    }
}
