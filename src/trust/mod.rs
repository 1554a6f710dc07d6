//! Stage 6b: which certificates a device could have trusted.
//!
//! In: certificates, anchors, and which of them the device had. Out: paths, and for a chain that does not reach an anchor
//! the links that are missing. Bounded: a budget of steps for each search. Left to others: the device's clock, server
//! names, and whether the chain was the cause of a failure.
//!
//! [`PathFinder`] is usable alone, without captures or profiles. [`judge`] asks it what a device could build and what
//! could be built with everything known; a [`Profile`] says which anchors a kind of device has.

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
mod stacks;
mod store;
mod verifier;
mod walk;

pub use abilities::{Adds, Algorithm, Check, TlsVersions, Unsupported};
pub use anchor::Anchor;
pub use budget::LeftOut;
pub use fact::{Fact, Provenance};
pub use finder::{PathFinder, Search};
pub use given::{ProfileChoice, Supplied, Trust};
pub use judge::{Case, judge, rejudge, with_sign};
pub use judgement::{ChainStatus, Discriminator, Judgement, Missing, Proof, Speaks};
pub use path::{Path, PathEnd, Step, StepFrom};
pub use pool::Pool;
pub use profile::Profile;
pub use profile_file::ProfileError;
pub use rules::{Fault, Purpose};
pub use stacks::{Answer, Answerer, Basis, DefectRow, Documented, Reaction, Stack, Stacks};
pub use store::{ChainCertificate, ChainFile, StoreContents, read_certificates, read_chain};
pub use verifier::Verifier;

pub(crate) use discriminate::same_organization;
pub(crate) use shown::ShownFact;
