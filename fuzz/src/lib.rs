//! What every target calls: the entries that `tests/regressions.rs` runs, too.

#[path = "../../tests/chains/mod.rs"]
mod chains;
#[path = "../../tests/entries/mod.rs"]
mod entries;
#[path = "../../tests/support/mod.rs"]
mod support;

/// Runs the entry of this name.
pub fn run(name: &str, data: &[u8]) {
    entries::run(name, data);
}
