//! What tests, benchmarks, examples and fuzz targets share.
//!
//! In: the files of the repository. Out: its expectations with their captures, captures and certificates made on the
//! spot, and what must hold of any report and of any bytes. Left to others: the tests themselves.

use std::path::{Path, PathBuf};

pub mod bench_captures;
pub mod chains;
pub mod entries;
pub mod expectations;
pub mod hostile;
mod promises;

pub use promises::broken_promises;

/// A path within the repository.
pub fn project(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
