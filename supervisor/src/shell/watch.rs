//! Looks at the configuration file once a second, and wishes that it be read anew when it has another content and nobody writes
//! it any more. Editors may replace it: what counts is its path.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Dropping it ends the thread.
pub(super) struct Watch {
    _stop: SyncSender<()>,
}

impl Watch {
    /// The first still look counts as a change: since the file was read, it may have become another.
    pub(super) fn start(path: PathBuf, changed: impl Fn() + Send + 'static) -> io::Result<Watch> {
        let (_stop, stopped) = sync_channel::<()>(0);
        let mut eye = Eye::default();
        std::thread::Builder::new().name("watch".into()).spawn(move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if eye.look(Stamp::of(&path), || content(&path)) {
                    changed();
                }
            }
        })?;
        Ok(Watch { _stop })
    }
}

/// What shows that a file is another one, or was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size_bytes: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let found = path.metadata().ok()?;
        Some(Stamp {
            device: found.dev(),
            inode: found.ino(),
            size_bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }
}

/// A longer file is refused when it is read; here its beginning does.
const CONTENT_BYTES_MAX: u64 = 1024 * 1024;

fn content(path: &Path) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path).ok()?.take(CONTENT_BYTES_MAX).read_to_end(&mut content).ok()?;
    Some(content)
}

/// What was seen.
#[derive(Debug, Default)]
struct Eye {
    stamp: Option<Stamp>,
    /// It was another one at the last look.
    is_moving: bool,
    content: Option<Vec<u8>>,
}

impl Eye {
    /// Whether it is still, and has become another since it last was.
    fn look(&mut self, stamp: Option<Stamp>, content: impl FnOnce() -> Option<Vec<u8>>) -> bool {
        if stamp != self.stamp {
            (self.stamp, self.is_moving) = (stamp, true);
            return false;
        }
        // One that is gone may be on its way back.
        if !self.is_moving || stamp.is_none() {
            return false;
        }
        self.is_moving = false;
        let content = content();
        let is_other = content.is_some() && content != self.content;
        if is_other {
            self.content = content;
        }
        is_other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inode, time of writing and content at each look; nothing when the file is gone.
    type Look = Option<(u64, i64, &'static str)>;

    #[test]
    fn a_change_is_told_once_the_file_is_still() {
        let table: [(&str, &[Look], &str); 6] = [
            ("at the start", &[Some((1, 1, "a")); 4], ".!.."),
            ("written in place", &[Some((1, 1, "a")), Some((1, 1, "a")), Some((1, 2, "b")), Some((1, 2, "b"))], ".!.!"),
            (
                "while it is written",
                &[Some((1, 1, "a")), Some((1, 2, "ab")), Some((1, 3, "abc")), Some((1, 3, "abc"))],
                "...!",
            ),
            ("touched", &[Some((1, 1, "a")), Some((1, 1, "a")), Some((1, 9, "a")), Some((1, 9, "a"))], ".!.."),
            ("replaced", &[Some((1, 1, "a")), Some((1, 1, "a")), None, Some((2, 1, "b")), Some((2, 1, "b"))], ".!..!"),
            ("gone", &[Some((1, 1, "a")), Some((1, 1, "a")), None, None, None], ".!..."),
        ];
        for (name, looks, want) in table {
            let mut eye = Eye::default();
            let mut told = String::new();
            for look in looks {
                let stamp = look.map(|(inode, at, text)| Stamp {
                    device: 1,
                    inode,
                    size_bytes: text.len() as u64,
                    modified: (at, 0),
                });
                let changed = eye.look(stamp, || look.map(|(.., text)| text.as_bytes().to_vec()));
                told.push(if changed { '!' } else { '.' });
            }
            assert_eq!(told, want, "{name}");
        }
    }
}
