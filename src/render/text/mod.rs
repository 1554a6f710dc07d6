//! The report as text for a person at a terminal.
//!
//! In: a report, a width, and whether to colour. Out: per device the verdict first, then its story, its chain, what is
//! ruled out, what to do. Bounded: one device takes about a screen; of many devices only some are shown in full. Left
//! to others: every judgement, and whether the output is a terminal.
//!
//! Most of the words come from captures and so from strangers: [`line::Line`] makes them safe to print.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]

mod certs;
mod chain;
pub(super) mod check;
mod closing;
mod compare;
mod device;
mod explain;
mod faults;
mod finding;
mod line;
mod page;
mod preflight;
mod profiles;
mod report;
mod sign;
mod stacks;
mod summary;
mod timeline;

pub use certs::certs_text;
pub use check::check_text;
pub use compare::compare_text;
pub use explain::{explain_list, explain_text};
pub use page::TextStyle;
pub use preflight::preflight_text;
pub use profiles::{profile_text, profiles_text};
pub use report::text;
pub use stacks::{stack_text, stacks_text};
pub use summary::summary_text;
