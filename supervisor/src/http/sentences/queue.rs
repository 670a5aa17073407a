//! Why a queue as a whole starts nothing.

use queue_core::explain::{self, QueueWait};
use queue_core::hold::Hold;

use super::hold::{Site, stands_still, text, texts};
use crate::http::dto::{HeldKey, QueueExplanation};
use crate::shell::stats::PoolStats;
use crate::text::about;

pub fn explain_queue(wait: &QueueWait, pools: &[PoolStats]) -> QueueExplanation {
    let site = Site { queue: &wait.queue, key: None, pools };
    let key = |held: &explain::HeldKey| HeldKey {
        key: held.key.clone(),
        waiting: held.waiting,
        hold: text(&held.held, Site { key: Some(&held.key), ..site }),
    };
    QueueExplanation {
        queue: wait.queue.clone(),
        available: wait.available,
        running: wait.running,
        sentence: sentence(wait, site),
        holds: texts(&wait.holds, site),
        keys: wait.keys.iter().map(key).collect(),
        held_keys: wait.held_keys,
        held_tasks: wait.held_tasks,
        held_is_least: wait.is_least,
        ends_per_s: wait.pace_per_s,
    }
}

fn sentence(wait: &QueueWait, site: Site<'_>) -> String {
    let tasks = match wait.available {
        0 => return format!("no task of queue {} waits; {} run", wait.queue, wait.running),
        1 => "1 task waits".to_owned(),
        many => format!("{many} tasks wait"),
    };
    let free = wait.available.saturating_sub(wait.held_tasks);
    let mut sentence = match wait.holds.first() {
        // With all of its tasks behind keys, nothing that the queue itself may lack is missed.
        _ if free == 0 => {
            return format!(
                "{tasks} for {} of queue {}",
                if wait.held_keys == 1 { "a key" } else { "keys" },
                wait.queue
            );
        }
        Some(held) => format!("{tasks} for {}", text(held, site).text),
        None => return format!("{tasks} for nothing: queue {} is about to start more", wait.queue),
    };
    let goes_on = !stands_still(&wait.holds, site.pools)
        && wait.holds.iter().all(|held| matches!(held.by, Hold::QueueLimit { .. } | Hold::Pools(_)));
    if let Some(pace) = wait.pace_per_s.filter(|_| goes_on) {
        let ms = (wait.available as f64 / pace * 1e3) as u64;
        sentence.push_str(&format!("; about {} for all of them at the present rate", about(ms)));
    }
    sentence
}

#[cfg(test)]
mod tests {
    use queue_core::explain::Held;

    use super::*;

    fn said(available: u64, held_tasks: u64, holds: &[Hold]) -> String {
        let holds = holds.iter().map(|by| Held { by: by.clone(), reason: String::new() }).collect();
        let (queue, keys) = ("q".to_owned(), Vec::new());
        let (running, held_keys, is_least, pace_per_s) = (2, held_tasks.min(2), false, Some(0.5));
        let wait = QueueWait { queue, available, running, holds, keys, held_keys, held_tasks, is_least, pace_per_s };
        explain_queue(&wait, &[]).sentence
    }

    #[test]
    fn the_sentence_says_how_many_wait_and_for_what() {
        let full = Hold::QueueLimit { running: 2, limit: 2 };
        assert_eq!(said(0, 0, &[]), "no task of queue q waits; 2 run");
        assert_eq!(
            said(20, 3, std::slice::from_ref(&full)),
            "20 tasks wait for queue q: 2 of 2 run; about 40 s for all of them at the present rate"
        );
        assert_eq!(said(1, 0, &[full, Hold::NoPool]), "1 task waits for queue q: 2 of 2 run");
        assert_eq!(said(9, 9, &[Hold::NoPool]), "9 tasks wait for keys of queue q");
        assert_eq!(said(1, 1, &[]), "1 task waits for a key of queue q");
        assert_eq!(said(3, 0, &[]), "3 tasks wait for nothing: queue q is about to start more");
    }
}
