//! What the disk takes for one durable write, which bounds every figure that waits for a commit.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::load::percentile;

const BLOCK_BYTES: usize = 4096;
const WRITES: usize = 100;

/// The median of appending 4 KiB and syncing the data, in milliseconds.
pub(super) fn sync_ms(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("sync"))?;
    let mut took_ms = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let start = Instant::now();
        file.write_all(&[7; BLOCK_BYTES])?;
        file.sync_data()?;
        took_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(percentile(&mut took_ms, 50))
}
