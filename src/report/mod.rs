//! Stage 8: the one data model that every renderer sees.
//!
//! In: what the diagnosis found. Out: [`Report`], schema `chaingap.report/2`. Bounded: by what the stages before keep.
//! Left to others: how any of it looks.
//!
//! Times are RFC 3339 in UTC with the capture's precision, frames count from 1 as Wireshark counts them, endpoints are
//! `192.0.2.1:443` and `2001:db8::1:443` (address, colon, port, no brackets), certificates are named by the lower-case
//! hexadecimal SHA-256 of their DER, captures by their path as given. What is unknown is `null`, never left out.

mod addresses;
mod affected;
mod build;
mod census;
mod certificate;
mod certs;
mod chain;
mod check;
mod compare;
mod device;
mod event;
mod every;
mod explain;
mod fault;
mod faults;
mod finding;
mod handshake;
mod kinds;
mod missing;
mod model;
mod places;
mod preflight;
mod profiles;
mod redact;
#[cfg(test)]
mod schema;
mod servers;
mod stack;
mod stacks;
mod story;
mod summary;
mod words;

pub use crate::diagnosis::{AnswerBasis, Code, Prospect, RULES, Rule, rule_named};
pub use addresses::Addresses;
pub use affected::Affected;
pub(crate) use build::{Material, build};
pub(crate) use census::Census;
pub use certs::{CERTS_SCHEMA, CertsEntry, CertsReport};
pub use check::{CHECK_SCHEMA, CheckOutcome, CheckReport, Checked, Difference};
pub use compare::{
    Because, COMPARE_SCHEMA, CompareSide, CompareStep, Comparison, Pick, PickError, StepSide, WhichSide, compare,
};
pub use every::EveryDevice;
pub use explain::{EXPLAIN_SCHEMA, ExplainReport, Explanation};
pub use model::*;
pub(crate) use preflight::PreflightQuestion;
pub use preflight::{PREFLIGHT_SCHEMA, PreflightProfile, PreflightReport, PreflightStack};
pub use profiles::{PROFILES_SCHEMA, ProfileAnchor, ProfileEntry, ProfileFact, ProfilesReport};
pub use redact::{NotRedacted, Redaction};
pub use stack::{ClientStack, StackAnswer, StackBasis, StackStrength, StackVerdict};
pub use stacks::{STACKS_SCHEMA, StackDefect, StackDocumented, StackEntry, StackHow, StackMeasured, StacksReport};
pub use summary::{FaultCount, MissingCount, SUMMARY_SCHEMA, ServerCount, Summary};
pub(crate) use words::{counted, frames};
