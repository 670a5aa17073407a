//! The client against a door that answers from a script: what it asks, what it makes of it, when it asks again.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ipc_contract::{PrioritySpec, TaskSpec};
use serde_json::{Value, json};
use tempfile::TempDir;
use worker::client::{Cancelled, Client, ClientErrorKind, Filter, Pause};
use worker::task;

const COMPLETED: &str = include_str!("../../supervisor/src/http/golden/completed.json");
const LIST: &str = include_str!("../../supervisor/src/http/golden/list.json");
const FAILED: &str = include_str!("../../supervisor/src/http/golden/failed.json");
const EXPLAINED: &str = include_str!("../../supervisor/src/http/golden/explained.json");
const EXPLAINED_QUEUE: &str = include_str!("../../supervisor/src/http/golden/explained-queue.json");
const LOG: &str = include_str!("../../supervisor/src/http/golden/log.json");
const BULK_ERROR: &str = include_str!("../../supervisor/src/http/golden/error-in-bulk.json");

/// How the door replies to one request.
enum Reply {
    Json(u16, String),
    /// Hears the request and closes.
    Close,
    /// Answers well and closes without saying so, as one that was restarted.
    ThenClose(String),
}

fn good(body: impl ToString) -> Reply {
    Reply::Json(200, body.to_string())
}

/// A supervisor's door that gives these replies, one after the other.
struct Door {
    folder: TempDir,
    heard: JoinHandle<Vec<(String, Value)>>,
}

impl Door {
    fn open(script: Vec<Reply>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("door")).unwrap();
        let heard = thread::spawn(move || serve(&listener, script));
        Self { folder, heard }
    }

    fn client(&self) -> Client {
        Client::at_socket(self.folder.path().join("door"))
    }

    /// The lines and bodies of all requests, once the script is over.
    fn heard(self) -> Vec<(String, Value)> {
        self.heard.join().unwrap()
    }
}

fn serve(listener: &UnixListener, script: Vec<Reply>) -> Vec<(String, Value)> {
    let (mut heard, mut connection) = (Vec::new(), None);
    for reply in script {
        let mut stream = connection.take().unwrap_or_else(|| BufReader::new(listener.accept().unwrap().0));
        heard.push(hear(&mut stream));
        let (status, body, stays) = match reply {
            Reply::Close => continue,
            Reply::Json(status, body) => (status, body, true),
            Reply::ThenClose(body) => (200, body, false),
        };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.get_mut().write_all((head + &body).as_bytes()).unwrap();
        connection = stays.then_some(stream);
    }
    heard
}

fn hear(stream: &mut BufReader<UnixStream>) -> (String, Value) {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    let line = head[0].trim_end_matches(" HTTP/1.1").to_owned();
    (line, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn an_enqueue_that_breaks_off_is_sent_again_under_the_same_name() {
    let door = Door::open(vec![
        Reply::Close,
        Reply::Json(503, json!({"code": "overloaded", "message": "m", "hint": "h"}).to_string()),
        good(json!({"id": 7, "existing": true})),
    ]);
    let added = door.client().enqueue(&task("greet", &json!({"name": "Ada"})).unwrap()).await.unwrap();
    assert_eq!((added.id, added.existing), (7, true));
    let heard = door.heard();
    assert_eq!(heard.len(), 3);
    assert!(added.name.starts_with("rs-") && added.name.len() == 35, "{}", added.name);
    for request in heard {
        let spec = json!({"kind": "greet", "args": {"name": "Ada"}, "name": added.name});
        assert_eq!(request, ("POST /v1/tasks".to_owned(), spec));
    }
}

#[tokio::test]
async fn names_are_never_the_same_and_given_ones_are_kept() {
    let door = Door::open((0..3).map(|id| good(json!({"id": id, "existing": false}))).collect());
    let client = door.client();
    let plain = task("k", &()).unwrap();
    let first = client.enqueue(&plain).await.unwrap();
    let second = client.enqueue(&plain).await.unwrap();
    let named = client.enqueue(&TaskSpec { name: Some("mine".into()), ..plain }).await.unwrap();
    assert_ne!(first.name, second.name);
    assert_eq!(named.name, "mine");
}

#[tokio::test]
async fn a_retry_that_may_have_been_heard_is_not_sent_again() {
    let door = Door::open(vec![Reply::Close]);
    let error = door.client().retry(7).await.unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::Unreachable);
    assert!(error.hint.contains("it may have taken effect"), "{error}");
    assert_eq!(door.heard()[0].0, "POST /v1/tasks/7/retry");
}

#[tokio::test]
async fn who_goes_first_is_said_and_asked() {
    let door = Door::open(vec![
        good(json!({"id": 7, "priority": -10})),
        good(json!({"queue": "a b"})),
        good(json!({"queue": "images"})),
        good(EXPLAINED),
        good(EXPLAINED_QUEUE),
    ]);
    let client = door.client();
    client.reprioritise(7, &PrioritySpec::Name("high".into())).await.unwrap();
    let (key, time) = (Some("user:7".to_owned()), Some(Duration::from_secs(600)));
    client.pause("a b", &Pause { key, time, reason: "deploy".into() }).await.unwrap();
    client.resume("images", None).await.unwrap();
    let explained = client.explain(7).await.unwrap();
    assert_eq!((explained.holds[0].by.as_str(), &explained.figures["before"]), ("queue_paused", &json!(12)));
    let explained = client.explain_queue("images").await.unwrap();
    assert_eq!((explained.holds.len(), &explained.figures["held_tasks"]), (2, &json!(14)));
    let want = [
        ("POST /v1/tasks/7/priority", json!({"priority": "high"})),
        ("POST /v1/queues/a%20b/pause", json!({"key": "user:7", "for_ms": 600_000, "reason": "deploy"})),
        ("POST /v1/queues/images/resume", json!({"key": null})),
        ("GET /v1/tasks/7/explain", Value::Null),
        ("GET /v1/queues/images/explain", Value::Null),
    ];
    assert_eq!(door.heard(), want.map(|(line, body)| (line.to_owned(), body)));
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_replaced() {
    let door = Door::open(vec![
        Reply::ThenClose(json!({"id": 7, "outcome": "stopping"}).to_string()),
        good(json!({"id": 7, "outcome": "cancelled"})),
        good(json!({"id": 7, "outcome": "already completed"})),
    ]);
    let client = door.client();
    assert_eq!(client.cancel(7).await.unwrap(), Cancelled::Stopping);
    assert_eq!(client.cancel(7).await.unwrap(), Cancelled::Cancelled);
    assert_eq!(client.cancel(7).await.unwrap(), Cancelled::Already("already completed".into()));
    assert_eq!(door.heard().len(), 3);
}

#[tokio::test]
async fn a_result_is_waited_for_through_a_restart() {
    let running = COMPLETED.replace("\"completed\"", "\"running\"");
    let door = Door::open(vec![good(running), Reply::Close, good(COMPLETED)]);
    let result: Value = door.client().result(42, Some(Duration::from_secs(3600))).await.unwrap();
    assert_eq!(result, json!({"ratio": 0.5, "size_bytes": 17}));
    for (line, _) in door.heard() {
        assert_eq!(line, "GET /v1/tasks/42?wait=30000ms");
    }
}

#[tokio::test]
async fn a_wait_ends_with_its_time_and_a_failed_task_with_its_reason() {
    let running = COMPLETED.replace("\"completed\"", "\"running\"");
    let door = Door::open(vec![good(running), good(FAILED)]);
    let client = door.client();
    let error = client.wait(42, Some(Duration::ZERO)).await.unwrap_err();
    assert!(matches!(&error.kind, ClientErrorKind::WaitTimeout(info) if info.state == "running"), "{error}");
    let error = client.result::<Value>(42, None).await.unwrap_err();
    assert!(matches!(&error.kind, ClientErrorKind::TaskFailed(info) if !info.attempts.is_empty()), "{error}");
    assert_eq!(door.heard()[0].0, "GET /v1/tasks/42", "nothing is left to wait for");
}

#[tokio::test]
async fn a_task_as_the_supervisor_tells_it() {
    let door = Door::open(vec![good(COMPLETED)]);
    let info = door.client().get(42).await.unwrap();
    assert_eq!((info.id, info.kind.as_str(), info.is_final(), info.result_cut), (42, "resize", true, true));
    assert_eq!((info.spent["token"], info.progress.unwrap().done), (1_200, Some(2.5)));
}

#[tokio::test]
async fn a_bulk_is_sent_in_slices_and_an_error_says_what_is_added() {
    let slice = |tasks: usize| {
        let tasks: Vec<_> = (0..tasks).map(|id| json!({"id": id, "existing": false})).collect();
        good(json!({"tasks": tasks}))
    };
    let tasks = vec![task("k", &()).unwrap(); 1_500];
    let door = Door::open(vec![slice(1_000), slice(500)]);
    let added = door.client().bulk(&tasks).await.unwrap();
    assert_eq!((added.len(), added[1_499].id), (1_500, 499));
    let sizes: Vec<_> = door.heard().iter().map(|(_, body)| body["tasks"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [1_000, 500]);

    let door = Door::open(vec![slice(1_000), Reply::Json(409, BULK_ERROR.to_owned())]);
    let error = door.client().bulk(&tasks).await.unwrap_err();
    assert_eq!(error.added.len(), 1_000);
    assert_eq!(error.kind, ClientErrorKind::Refused { status: Some(409), index: Some(1_001), task_id: Some(42) });
}

#[tokio::test]
async fn a_list_is_followed_to_its_end() {
    let page = |next: Value| {
        let mut page: Value = serde_json::from_str(LIST).unwrap();
        page["next"] = next;
        good(page)
    };
    let empty = good(json!({"tasks": [], "next": "c2"}));
    let door = Door::open(vec![page(json!("c1")), empty, page(Value::Null)]);
    let client = door.client();
    let mut tasks = client.list(Filter { state: Some("failed".into()), ..Filter::default() });
    let mut count = 0;
    while tasks.next().await.unwrap().is_some() {
        count += 1;
    }
    let of_page = serde_json::from_str::<Value>(LIST).unwrap()["tasks"].as_array().unwrap().len();
    assert_eq!(count, 2 * of_page);
    let lines: Vec<_> = door.heard().into_iter().map(|(line, _)| line).collect();
    let path = "GET /v1/tasks?limit=500&state=failed";
    assert_eq!(lines, [path.to_owned(), format!("{path}&cursor=c1"), format!("{path}&cursor=c2")]);
}

#[tokio::test]
async fn a_log_comes_line_by_line() {
    let lines: Vec<Value> = serde_json::from_str(LOG).unwrap();
    let body = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n\n");
    let door = Door::open(vec![good(body)]);
    let mut log = door.client().logs(42, None, true).await.unwrap();
    for expected in &lines {
        let line = log.next().await.unwrap().unwrap();
        assert_eq!(
            (Value::from(line.source), Value::from(line.text)),
            (expected["source"].clone(), expected["text"].clone())
        );
    }
    assert_eq!(log.next().await.unwrap(), None);
}

#[tokio::test]
async fn nobody_and_nonsense_are_told_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = |path: &Path| Client::of_db(path).retry_for(Duration::ZERO);
    let error = nobody(&folder.path().join("q.db")).get(1).await.unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::Unreachable);
    assert!(error.to_string().contains("start one with `supervisor run --db "), "{error}");
    let door = Door::open(vec![good("[]"), Reply::Json(404, "<html>".into())]);
    let client = door.client();
    assert_eq!(client.get(1).await.unwrap_err().kind, ClientErrorKind::Unreadable);
    let error = client.get(1).await.unwrap_err();
    assert!(error.message.contains("status 404 and is not of a supervisor"), "{error}");
}
