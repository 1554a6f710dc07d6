//! What tests, benchmarks and fuzz targets share.
//!
//! In: the files of the repository. Out: its expectations with their captures, captures and certificates made on the
//! spot, and what must hold of any report and of any bytes. Left to others: the tests themselves.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chaingap::limits::Limits;

pub mod bench_captures;
pub mod chains;
pub mod entries;
pub mod expectations;
pub mod fleet;
pub mod hostile;
mod promises;
pub mod seeds;

pub use promises::broken_promises;

/// The heavy loops of a plain `cargo test` take every twenty-fourth item.
const SHARE: usize = 24;

/// Whether the heavy loops leave nothing out: with `CHAINGAP_TESTS=all`, as in `.ci/run`.
pub fn everything() -> bool {
    std::env::var("CHAINGAP_TESTS").is_ok_and(|value| value == "all")
}

/// Every twenty-fourth item, always the same ones for one `what` and others for other loops; all of them with
/// `CHAINGAP_TESTS=all`.
pub fn share<I: IntoIterator>(what: &str, items: I) -> impl Iterator<Item = I::Item> {
    let items: Vec<_> = items.into_iter().collect();
    // Of a short list one item is taken too.
    let first = what.bytes().map(usize::from).sum::<usize>() % SHARE.min(items.len()).max(1);
    let (skip, step) = if everything() { (0, 1) } else { (first, SHARE) };
    items.into_iter().skip(skip).step_by(step)
}

/// The count to expect of a share where all of the items give at least `count`: a share, less a margin because items
/// differ.
pub fn share_of(count: usize) -> usize {
    if everything() { count } else { count / (SHARE + 4) }
}

/// Prints a line past the test harness, which shows nothing of a test that passes.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The default limits with one or some of them changed.
pub fn limits<R>(change: impl FnOnce(&mut Limits) -> R) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// A path within the repository.
pub fn project(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
