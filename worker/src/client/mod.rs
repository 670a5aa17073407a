//! The client: asks the supervisor of a database over its socket, for programs that want work done.
//!
//! ```no_run
//! use std::time::Duration;
//! use worker::client::{Client, ClientError};
//! use worker::task;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::of_db("queue.db");
//! let added = client.enqueue(&task("greet", &serde_json::json!({"name": "Ada"}))?).await?;
//! let greeting: String = client.result(added.id, Some(Duration::from_secs(60))).await?;
//! # Ok(())
//! # }
//! ```
//!
//! `request`, `answer` and `retry` are pure; `wire` is the only one that uses the socket; `asking` drives them.

mod answer;
mod asking;
mod error;
mod place;
mod request;
mod retry;
mod streams;
mod types;
mod wire;

pub use asking::Client;
pub use error::{ClientError, ClientErrorKind};
pub use streams::{LogLines, Tasks};
pub use types::{
    Attempt, Budget, Cancelled, Enqueued, Explanation, Filter, Hold, LogLine, Pause, TaskInfo, TaskProgress,
};
