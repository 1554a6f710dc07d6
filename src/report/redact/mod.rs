//! Addresses and names replaced by stand-ins, so that a report can be shown to others.
//!
//! In: a report. Out: the same without what tells whose it is: addresses, network cards, host names, the names in
//! certificates, files, and the digests by which a public certificate can be looked up. The same thing has the same
//! stand-in throughout. Bounded: by the report. Left to others: what is no text of a report.
//!
//! What stays is known by its member's name ([`OWN`]); every other text is looked at, so that a member that comes later
//! is redacted before anybody thinks of it.

mod names;
mod policy;
mod redaction;
mod sentences;
mod stand_ins;

pub use redaction::{NotRedacted, Redaction};
