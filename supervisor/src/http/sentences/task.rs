//! Why a task waits.

use queue_core::explain::{Before, TaskWait};
use queue_core::state::TaskState;

use super::hold::{Site, is_known, stands_still, text, texts};
use super::state::state_of;
use crate::http::dto::{HoldText, Task, TaskExplanation};
use crate::shell::stats::PoolStats;
use crate::text::{about, time};

pub fn explain_task(wait: &TaskWait, pools: &[PoolStats]) -> TaskExplanation {
    let site = Site { queue: &wait.queue, key: wait.key.as_deref(), pools };
    let before = wait.before;
    let counts = wait.state == TaskState::Available;
    let pace = wait.about_s().filter(|_| !stands_still(&wait.holds, pools));
    let about_ms = pace.map(|seconds| (seconds * 1e3) as u64);
    TaskExplanation {
        id: wait.id.0,
        state: wait.state.name().to_owned(),
        queue: wait.queue.clone(),
        key: wait.key.clone(),
        sentence: sentence(wait, site, about_ms),
        holds: texts(&wait.holds, site),
        before: counts.then_some(before.count),
        before_is_least: before.is_least,
        earliest_at: wait.earliest_us().filter(|at_us| is_known(*at_us)).map(time),
        about_ms,
    }
}

fn sentence(wait: &TaskWait, site: Site<'_>, about_ms: Option<u64>) -> String {
    let Before { count, of_key, is_least } = wait.before;
    let mut sentence = match wait.holds.first() {
        Some(held) => format!("waits for {}", text(held, site).text),
        None if count == 0 => return "is about to start".to_owned(),
        None => "waits for its turn".to_owned(),
    };
    if count > 0 {
        let (least, whose) = (if is_least { "at least " } else { "" }, if of_key { " of its key" } else { "" });
        sentence.push_str(&format!("; {least}{count}{whose} before it"));
    }
    if let Some(ms) = about_ms {
        sentence.push_str(&format!("; about {} at the present rate", about(ms)));
    }
    sentence
}

/// Of a task that runs or is final.
pub fn not_waiting(task: &Task) -> TaskExplanation {
    let summary = &task.summary;
    TaskExplanation {
        id: summary.id,
        state: summary.state.clone(),
        queue: summary.queue.clone(),
        key: summary.key.clone(),
        sentence: format!("is {}", state_of(task)),
        holds: Vec::new(),
        before: None,
        before_is_least: false,
        earliest_at: None,
        about_ms: None,
    }
}

/// While no supervisor is up, it is that which a task waits for, and its time.
pub fn explain_offline(task: &Task) -> TaskExplanation {
    let summary = &task.summary;
    if !matches!(summary.state.as_str(), "scheduled" | "available" | "retryable" | "running") {
        return not_waiting(task);
    }
    let text = "a supervisor: none is up, `supervisor run` starts one".to_owned();
    let sentence = format!("waits for {text}");
    let mut holds = vec![HoldText { by: "no_supervisor".to_owned(), text, until: None }];
    if let Some(due_at) = &summary.due_at {
        holds.push(HoldText { by: "due".to_owned(), text: format!("its time, {due_at}"), until: Some(due_at.clone()) });
    }
    TaskExplanation { sentence, holds, ..not_waiting(task) }
}

#[cfg(test)]
mod tests {
    use queue_core::explain::Held;
    use queue_core::hold::Hold;
    use queue_core::task::TaskId;

    use super::*;

    fn said(holds: Vec<Hold>, before: Before, pace_per_s: Option<f64>) -> String {
        let holds = holds.into_iter().map(|by| Held { by, reason: String::new() }).collect();
        let (queue, key) = ("images".to_owned(), Some("k".to_owned()));
        let wait = TaskWait { id: TaskId(1), state: TaskState::Available, queue, key, holds, before, pace_per_s };
        explain_task(&wait, &[]).sentence
    }

    #[test]
    fn the_sentence_has_the_cause_those_before_and_the_time() {
        let full = || vec![Hold::QueueLimit { running: 8, limit: 8 }, Hold::Pools(vec![])];
        let before = |count| Before { count, ..Before::default() };
        assert_eq!(
            said(full(), before(12), Some(0.325)),
            "waits for queue images: 8 of 8 run; 12 before it; about 40 s at the present rate"
        );
        assert_eq!(said(full(), before(0), None), "waits for queue images: 8 of 8 run");
        let key = vec![Hold::KeyLimit { running: 1, limit: 1 }];
        let of_key = Before { count: 10_000, of_key: true, is_least: true };
        assert_eq!(
            said(key, of_key, Some(1.0)),
            "waits for key k of queue images: 1 of 1 run; at least 10000 of its key before it"
        );
        assert_eq!(
            said(vec![], before(3), Some(1.0)),
            "waits for its turn; 3 before it; about 4 s at the present rate"
        );
        assert_eq!(said(vec![], before(0), Some(1.0)), "is about to start");
    }
}
