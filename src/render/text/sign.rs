//! In: a verdict or a severity. Out: the sign before it, and its colour. Left to others: the words behind it.

use super::line::Role;
use crate::render::shared;
use crate::report::{Severity, VerdictStatus};

/// The sign of a verdict, with its colour.
pub(super) fn mark(status: VerdictStatus) -> (&'static str, Role) {
    let role = match status {
        VerdictStatus::Fails => Role::Bad,
        VerdictStatus::Degraded | VerdictStatus::Undecided => Role::Warning,
        VerdictStatus::Ok => Role::Good,
        VerdictStatus::NothingSeen => Role::Dim,
    };
    (shared::mark(status), role)
}

/// The colour of a severity.
pub(super) fn role(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Bad,
        Severity::Warning => Role::Warning,
        Severity::Info => Role::Dim,
    }
}
