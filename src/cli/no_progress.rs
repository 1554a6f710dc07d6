//! The progress of a program in WebAssembly, which has no terminal: whoever runs it sees the bytes that it reads
//! (D-PROJECT-03).
//!
//! In: the bytes of captures as they are read. Out: the same bytes; a line on standard error where one is told. Left to
//! others: all that is shown. `progress.rs` has the same names for terminals.

use std::io::Read;

use super::inputs::Input;
use super::output;

/// Shows nothing.
#[derive(Debug)]
pub(crate) struct Progress;

impl Progress {
    pub(crate) fn of(_: &[Input]) -> Self {
        Self
    }

    /// No bar.
    pub(crate) fn none() -> Self {
        Self
    }

    /// The reader itself.
    pub(crate) fn count<R: Read>(&self, inner: R) -> R {
        inner
    }

    /// A line on standard error.
    pub(crate) fn say(&self, line: &str) {
        output::tell(line);
    }
}
