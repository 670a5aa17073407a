//! Tells cargo that the embedded migrations belong to this package: a new one must be compiled in.

fn main() {
    println!("cargo::rerun-if-changed=../migrations/sqlite");
}
