//! Writes what is kept of a failed case into a folder of its own. Decides nothing.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Channel;
use super::tape::Tape;

/// Writes `frames.jsonl`, `to_worker.bin`, `from_worker.bin` and `stderr.txt` of each process; gives the folder.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn save(folder: &Path, name: &str, channel: Channel, tapes: &[Tape]) -> io::Result<PathBuf> {
    let case = folder.join(format!("{}.{}", name.replace('/', "_"), channel.name()));
    for (number, tape) in (1..).zip(tapes) {
        let process = if tapes.len() == 1 { case.clone() } else { case.join(format!("process-{number}")) };
        fs::create_dir_all(&process)?;
        fs::write(process.join("frames.jsonl"), tape.lines())?;
        fs::write(process.join("to_worker.bin"), &tape.to_worker)?;
        fs::write(process.join("from_worker.bin"), &tape.from_worker)?;
        fs::write(process.join("stderr.txt"), tape.stderr.kept())?;
    }
    Ok(case)
}
