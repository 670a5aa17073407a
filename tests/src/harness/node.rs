//! The sample worker of the Node package, as its build leaves it.

use std::path::PathBuf;

/// Its script.
///
/// # Panics
/// The package is not built; the message says how.
pub fn node_samples() -> PathBuf {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../worker/node/dist/samples.js");
    assert!(script.exists(), "the tests need the Node package: run `npm ci && npm run build` in worker/node");
    script
}
