//! Writes `docs/states.md` from `transition`; with `--check` only says whether it is fresh.

use std::path::Path;
use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/states.md");
    let fresh = queue_core::diagram::states();
    if std::env::args().any(|arg| arg == "--check") {
        if std::fs::read_to_string(&page).unwrap_or_default() == fresh {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("queue-core/docs/states.md is stale: run `cargo run -p scripts -- gen`");
        return Ok(ExitCode::FAILURE);
    }
    std::fs::write(page, fresh)?;
    Ok(ExitCode::SUCCESS)
}
