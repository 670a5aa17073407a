//! Answers that are taken one by one: the tasks of a list, the lines of a log.

use std::collections::VecDeque;

use super::answer::{self, Page};
use super::asking::Client;
use super::error::{ClientError, ClientErrorKind};
use super::request::{self, Request};
use super::retry::unreachable;
use super::types::{Filter, LogLine, TaskInfo};
use super::wire::Arriving;

/// A line of a log, at most; the supervisor's are far shorter.
const LINE_MAX_BYTES: usize = 1024 * 1024;

/// The tasks of a list.
pub struct Tasks<'c> {
    client: &'c Client,
    filter: Filter,
    fetched: VecDeque<TaskInfo>,
    /// Where the next page begins.
    cursor: Option<String>,
    at_end: bool,
}

impl<'c> Tasks<'c> {
    pub(super) fn new(client: &'c Client, filter: Filter) -> Self {
        Self { client, filter, fetched: VecDeque::new(), cursor: None, at_end: false }
    }

    /// The next task; `None` at the end. A page may be short or empty and still have a next one.
    ///
    /// # Errors
    /// Every kind that a request has.
    pub async fn next(&mut self) -> Result<Option<TaskInfo>, ClientError> {
        while self.fetched.is_empty() && !self.at_end {
            let page: Page = self.client.value(&request::page(&self.filter, self.cursor.as_deref())).await?;
            if page.next.is_some() && page.next == self.cursor {
                return Err(ClientError::unreadable("a page of the list has itself as the next one"));
            }
            self.at_end = page.next.is_none();
            (self.fetched, self.cursor) = (page.tasks.into(), page.next);
        }
        Ok(self.fetched.pop_front())
    }
}

/// The lines of a log. What was read cannot be told from what comes anew, so a log that breaks off ends in an error.
pub struct LogLines {
    request: Request,
    arriving: Arriving,
    bytes: Vec<u8>,
    lines: VecDeque<LogLine>,
    at_end: bool,
}

impl LogLines {
    pub(super) fn new(request: Request, arriving: Arriving) -> Self {
        Self { request, arriving, bytes: Vec::new(), lines: VecDeque::new(), at_end: false }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// `Unreachable` when it breaks off, `Unreadable`.
    pub async fn next(&mut self) -> Result<Option<LogLine>, ClientError> {
        while self.lines.is_empty() && !self.at_end {
            match self.arriving.more().await {
                Ok(Some(data)) => self.bytes.extend_from_slice(&data),
                Ok(None) => {
                    self.at_end = true;
                    self.bytes.push(b'\n');
                }
                Err(lost) => {
                    let kind = ClientErrorKind::Unreachable;
                    let hint = "ask again; the log starts from the beginning".to_owned();
                    return Err(ClientError { kind, hint, ..unreachable(&self.request, &lost) });
                }
            }
            self.take_lines()?;
        }
        Ok(self.lines.pop_front())
    }

    fn take_lines(&mut self) -> Result<(), ClientError> {
        let end = self.bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let whole: Vec<u8> = self.bytes.drain(..end).collect();
        if self.bytes.len() > LINE_MAX_BYTES {
            return Err(ClientError::unreadable(format!("a log line is over {LINE_MAX_BYTES} bytes")));
        }
        // An empty line only says that nothing has come.
        for line in whole.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            self.lines.push_back(answer::read(line)?);
        }
        Ok(())
    }
}
