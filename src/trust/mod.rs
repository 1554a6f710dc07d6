//! Stage 6b: what a device could have believed.
//!
//! In: certificates, anchors, and who had which. Out: paths, and of a chain that does not reach an anchor which link is
//! absent. Bounded: a budget of steps per search. Left to others: dates, server names, and whether it was the cause.
//!
//! [`PathFinder`] is usable alone: give it anchors and certificates, ask for the path of one of them.

mod abilities;
mod anchor;
mod budget;
mod builtin;
mod discriminate;
mod fact;
mod facts;
mod finder;
mod given;
mod judge;
mod judgement;
mod path;
mod pool;
mod profile;
mod profile_file;
#[cfg(test)]
mod profile_tests;
mod rules;
mod shown;
mod signatures;
mod store;
mod walk;

pub use abilities::{Adds, Algorithm, Check, TlsVersions, Unsupported};
pub use anchor::Anchor;
pub use budget::LeftOut;
pub use fact::{Fact, Provenance};
pub use finder::{PathFinder, Search};
pub use given::{ProfileChoice, Supplied, Trust};
pub use judge::{Case, judge, rejudge};
pub use judgement::{ChainStatus, Discriminator, Judgement, Missing, Proof, Speaks};
pub use path::{Path, PathEnd, Step, StepFrom};
pub use pool::Pool;
pub use profile::Profile;
pub use profile_file::ProfileError;
pub use rules::{Fault, Purpose};
pub use store::{StoreContents, read_certificates};

pub(crate) use shown::ShownFact;
