//! Addresses and names replaced by stand-ins, so that a report can be shown to others.
//!
//! In: a report. Out: the same report without what identifies its owner: addresses, network cards, host names, the
//! names in certificates, files, and the digests by which a public certificate can be looked up. The same thing has the
//! same stand-in throughout. Bounded: by the report. Left to others: everything but the text of reports.
//!
//! What stays is listed by its member's name ([`OWN`]); every other text is searched, so that a member added later is
//! redacted by default.

mod names;
mod policy;
mod redaction;
mod sentences;
mod stand_ins;

pub use redaction::{NotRedacted, Redaction};
