//! That the figure in the documentation is what the policies do: drawn anew, it is the same.

use tests::load::bench::drawn;

#[test]
fn the_figure_shows_what_the_policies_do() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../supervisor/docs/policy.svg");
    let kept = std::fs::read_to_string(kept).expect("the figure is kept");
    let drawn = drawn().expect("the simulation goes through");
    assert!(drawn == kept, "it is another: look at what `cargo run -p scripts -- bench policy` draws");
}
