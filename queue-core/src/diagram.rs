//! The diagram of the states, printed from `transition` itself by trying every pair. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::policy::Limits;
use crate::state::{Event, Move, Standing, TaskState, transition};
use crate::task::{Outcome, RetryWish, Tally};

/// The Markdown page `docs/states.md`.
pub fn states() -> String {
    let mut arrows: BTreeMap<(Option<TaskState>, TaskState), BTreeSet<String>> = BTreeMap::new();
    for state in TaskState::ALL.map(Some).into_iter().chain([None]) {
        for (label, event, limits, tally) in tries() {
            for cancelling in [false, true] {
                let from = Standing { state, cancelling, tally };
                let Ok((to, _)) = transition(from, event, &limits, 0) else { continue };
                let Some(target) = target(to) else { continue };
                let label = if cancelling && state == Some(TaskState::Running) && target == TaskState::Cancelled {
                    "any other end while cancelling".to_owned()
                } else {
                    label.clone()
                };
                arrows.entry((state, target)).or_default().insert(label);
            }
        }
    }
    let mut page = String::from(
        "# States of a task\n\nPrinted from `transition` by trying every (state, event) pair; do not edit.\n\n\
         ```mermaid\nstateDiagram-v2\n",
    );
    for ((from, to), labels) in &arrows {
        let from = from.map_or("[*]", TaskState::name);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let _ = writeln!(page, "    {from} --> {}: {}", to.name(), labels.join(", "));
    }
    for state in TaskState::ALL.into_iter().filter(|state| state.is_final()) {
        let _ = writeln!(page, "    {} --> [*]", state.name());
    }
    page.push_str("```\n");
    page
}

fn target(to: Move) -> Option<TaskState> {
    match to {
        Move::Stay | Move::StopWanted => None,
        Move::Available | Move::BackInLine => Some(TaskState::Available),
        Move::Later(state, _) | Move::Final(state, _) => Some(state),
        Move::Running => Some(TaskState::Running),
    }
}

/// Every event with a label, under limits that are far and limits that are reached.
fn tries() -> Vec<(String, Event, Limits, Tally)> {
    let fresh = Tally::default();
    let far = Limits::default();
    let spent = Limits { max_attempts: 1, max_crashes: 1, ..far };
    let mut all = vec![
        ("enqueued".to_owned(), Event::Enqueued { delay_us: 0 }, far, fresh),
        ("enqueued with a delay".to_owned(), Event::Enqueued { delay_us: 1 }, far, fresh),
        ("due".to_owned(), Event::Due, far, fresh),
        ("claimed".to_owned(), Event::Claimed, far, fresh),
        ("cancel".to_owned(), Event::CancelAsked, far, fresh),
        ("retry".to_owned(), Event::RetryAsked, far, fresh),
    ];
    for outcome in Outcome::ALL {
        let event = Event::Ended(outcome, RetryWish::ByPolicy);
        all.push((outcome.name().to_owned(), event, far, fresh));
        if !matches!(outcome, Outcome::Ok | Outcome::Cancelled | Outcome::Budget | Outcome::Recalled | Outcome::Lost) {
            all.push((format!("last {}", outcome.name()), event, spent, fresh));
        }
    }
    all.push(("retry never".to_owned(), Event::Ended(Outcome::Error, RetryWish::Never), far, fresh));
    let crashed = Tally { crashes: 1, ..fresh };
    all.push(("a later crash".to_owned(), Event::Ended(Outcome::Signal, RetryWish::ByPolicy), far, crashed));
    all
}
