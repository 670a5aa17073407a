//! What is generated is what the code says: the tables of the pages, and the golden vectors.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn what_is_generated_is_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_gen-contract")).arg("--check").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
