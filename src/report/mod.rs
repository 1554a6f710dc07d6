//! Stage 8: the one data model that every renderer sees.
//!
//! In: what the diagnosis found. Out: [`Report`], schema `chaingap.report/1`. Bounded: by what the stages before keep.
//! Left to others: how any of it looks.
//!
//! Times are RFC 3339 in UTC with the capture's precision, frames count from 1 as Wireshark counts them, endpoints are
//! `192.0.2.1:443` and `2001:db8::1:443` (address, colon, port, no brackets), certificates are named by the lower-case
//! hexadecimal SHA-256 of their DER, captures by their path as given. What is unknown is `null`, never left out.

mod build;
mod certificate;
mod certs;
mod chain;
mod check;
mod compare;
mod device;
mod finding;
mod handshake;
mod model;
mod places;
mod preflight;
mod profiles;
mod redact;
#[cfg(test)]
mod schema;
mod story;
mod summary;

pub use crate::diagnosis::{Prospect, rule_named};
pub(crate) use build::{Material, build};
pub use certs::{CERTS_SCHEMA, CertsEntry, CertsReport};
pub use check::{CHECK_SCHEMA, CheckOutcome, CheckReport, Checked, Difference};
pub use compare::{
    Because, COMPARE_SCHEMA, CompareSide, CompareStep, Comparison, Pick, PickError, StepSide, WhichSide, compare,
};
pub use model::*;
pub(crate) use preflight::PreflightQuestion;
pub use preflight::{PREFLIGHT_SCHEMA, PreflightProfile, PreflightReport};
pub use profiles::{PROFILES_SCHEMA, ProfileAnchor, ProfileEntry, ProfileFact, ProfilesReport};
pub use redact::{NotRedacted, Redaction};
pub use summary::{CodeCount, MissingCount, SUMMARY_SCHEMA, ServerCount, Summary};

/// The value of a report's `schema` member.
pub const REPORT_SCHEMA: &str = "chaingap.report/1";

/// `1 handshake`, `2 handshakes`.
pub(crate) fn counted(count: impl TryInto<u64>, thing: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {thing}"),
        several => format!("{several} {thing}s"),
    }
}

/// This program.
fn tool() -> Tool {
    Tool { name: "chaingap".into(), version: env!("CARGO_PKG_VERSION").into() }
}
