//! Where the next page of a list begins, as a value and as text. No rows.

use std::fmt;
use std::str::FromStr;

/// The place behind a row, in the order of its list. As text: `key.id.queue`, and `/lane` behind it for a place in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The rank of an available task, the due time of a waiting one, 0 of all others.
    pub(super) key: i64,
    pub(super) id: i64,
    pub(super) queue: String,
    /// The key of the lane in which the row is; the lanes come behind all that is claimable.
    pub(super) lane: Option<String>,
}

/// Text that no page gave as its next cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no cursor: give back what the last page had as its next, or leave it out to begin anew")]
pub struct BadCursor(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.key, self.id, self.queue)?;
        self.lane.iter().try_for_each(|lane| write!(f, "/{lane}"))
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Cursor, BadCursor> {
        let bad = || BadCursor(text.to_owned());
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next().ok_or_else(bad);
        let (key, id, queue) = (next()?, next()?, next()?);
        let number = |part: &str| part.parse().map_err(|_| bad());
        // The name of a queue has no slash.
        let (queue, lane) = queue.split_once('/').map_or((queue, None), |(queue, lane)| (queue, Some(lane)));
        Ok(Cursor { key: number(key)?, id: number(id)?, queue: queue.to_owned(), lane: lane.map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_its_text() {
        for (key, id, queue) in [(0, 1, ""), (i64::MIN, i64::MAX, "images"), (-7, 0, "a.b..c"), (1, -1, "ação")] {
            for lane in [None, Some(""), Some("a/b.c/")] {
                let cursor = Cursor { key, id, queue: queue.to_owned(), lane: lane.map(str::to_owned) };
                assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
        for rubbish in
            ["", ".", "..", "1", "1.", "1.2", "1..q", ".1.q", "x.1.q", "1.x.q", "1.2,q", "9223372036854775808.1.q"]
        {
            assert_eq!(rubbish.parse::<Cursor>(), Err(BadCursor(rubbish.to_owned())));
        }
    }
}
