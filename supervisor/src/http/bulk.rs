//! Reads a list of tasks to be, within its limit. Pure: what they come to is decided elsewhere.

use std::fmt;

use ipc_contract::TaskSpec;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ApiError;

/// Tasks of one bulk.
pub const BULK_TASKS_MAX: usize = 1_000;

/// The body of a bulk; each task is read by itself, so that what is wrong is said of that one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bulk<'a> {
    #[serde(borrow)]
    tasks: Tasks<'a>,
}

struct Tasks<'a>(Vec<&'a RawValue>);

/// Reads `{"tasks": [...]}`. The first task that cannot be read refuses them all.
pub(super) fn read_bulk(json: &[u8]) -> Result<Vec<TaskSpec>, ApiError> {
    let Bulk { tasks: Tasks(tasks) } = serde_json::from_slice(json).map_err(|error| {
        let message = format!("this is no list of tasks: {error}");
        let hint = format!("send {{\"tasks\": [...]}} with 1 to {BULK_TASKS_MAX} tasks; more than that in slices");
        ApiError::bad_request("invalid_bulk", message, hint)
    })?;
    let read = |(index, task): (usize, &RawValue)| {
        TaskSpec::from_json(task.get().as_bytes()).map_err(|error| ApiError::from(error).of_list(index))
    };
    tasks.into_iter().enumerate().map(read).collect()
}

impl<'de: 'a, 'a> Deserialize<'de> for Tasks<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counted)
    }
}

/// A list that counts on past its limit and keeps no more than that.
struct Counted;

impl<'de> Visitor<'de> for Counted {
    type Value = Tasks<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of 1 to {BULK_TASKS_MAX} tasks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut tasks = Vec::new();
        while tasks.len() < BULK_TASKS_MAX
            && let Some(task) = items.next_element()?
        {
            tasks.push(task);
        }
        let mut count = tasks.len();
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        if (1..=BULK_TASKS_MAX).contains(&count) {
            return Ok(Tasks(tasks));
        }
        Err(A::Error::custom(format!(
            "tasks has {count} items, it must have 1 to {BULK_TASKS_MAX} (by default and at most {BULK_TASKS_MAX})"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize, task: &str) -> String {
        format!("{{\"tasks\": [{}]}}", vec![task; count].join(", "))
    }

    #[test]
    fn a_list_has_one_to_a_thousand_tasks() {
        for count in [1, 2, BULK_TASKS_MAX] {
            assert_eq!(read_bulk(of(count, "{\"kind\": \"echo\"}").as_bytes()).unwrap().len(), count);
        }
        for count in [0, BULK_TASKS_MAX + 1, 5_000] {
            let error = read_bulk(of(count, "{\"kind\": \"echo\"}").as_bytes()).unwrap_err();
            let told = format!("tasks has {count} items, it must have 1 to 1000 (by default and at most 1000)");
            assert!(error.status.as_u16() == 400 && error.body.message.contains(&told), "{error}");
            assert!(error.body.hint.contains("in slices"), "{error}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let deep = "[".repeat(100_000);
        for json in ["", "[]", "{}", "{\"tasks\": {}}", "{\"tasks\": [}", "{\"tasks\": [{}], \"task\": 1}", &deep] {
            assert_eq!(read_bulk(json.as_bytes()).unwrap_err().body.code, "invalid_bulk", "{json:.40}");
        }
    }

    #[test]
    fn the_first_wrong_task_is_named() {
        let deep = format!("{{\"kind\": \"a\", \"args\": {}{}}}", "[".repeat(70), "]".repeat(70));
        let table = [
            ("7", "task 2 of the list: a task is one JSON object", "invalid_task"),
            ("{\"kind\": \"A\"}", "task 2 of the list: kind \"A\" is no name", "invalid_task"),
            ("{\"kind\": \"a\", \"qeue\": \"b\"}", "task 2 of the list: a task has no field \"qeue\"", "invalid_task"),
            ("{\"kind\": \"a\", \"max_attempts\": 0}", "task 2 of the list: max_attempts is 0", "limit"),
            (&deep, "task 2 of the list: ", "invalid_task"),
        ];
        for (task, message, code) in table {
            let json = format!("{{\"tasks\": [{{\"kind\": \"a\"}}, {task}, {{\"kind\": \"B\"}}]}}");
            let error = read_bulk(json.as_bytes()).unwrap_err();
            assert!(error.body.message.starts_with(message), "{error}");
            assert_eq!((error.body.index, error.body.code.as_str()), (Some(1), code), "{error}");
        }
    }
}
