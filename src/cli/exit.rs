//! In: nothing. Out: how a command ended, or why it could not do its work. Left to others: the exit code, which `mod.rs`
//! makes of it.

use chaingap::BuildError;
use chaingap::report::NotRedacted;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Nothing was found.
    Clean,
    /// Findings, or differences, of a severity that counts.
    Found,
    /// Bad usage, nothing readable, or a failure of the program.
    Failed,
}

/// Why a command could not do its work; one line on standard error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(pub(crate) String);

impl From<NotRedacted> for Failure {
    fn from(error: NotRedacted) -> Self {
        Self(error.to_string())
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self(error.to_string())
    }
}
