//! Stage 6b: what a device could have believed.
//!
//! In: certificates, anchors, and who had which. Out: paths, and of a chain that does not reach an anchor which link is
//! absent. Bounded: a budget of steps per search. Left to others: dates, server names, and whether it was the cause.
//!
//! [`PathFinder`] is usable alone: give it anchors and certificates, ask for the path of one of them.

mod judge;
mod path;
mod profile;
mod profile_file;
mod store;

use crate::words::words;

pub use judge::{Case, Discriminator, Judgement, Missing, Speaks, judge, rejudge};
pub use path::{Fault, Path, PathEnd, PathFinder, Pool, Purpose, Search, Step};
pub use profile::{Adds, Algorithm, Anchor, Check, Fact, Profile, Provenance, TlsVersions, Unsupported};
pub use profile_file::ProfileError;
pub use store::{StoreContents, read_certificates};

words! {
    /// Whether a chain's links hold. Dates and names are judged apart.
    #[derive(Hash)]
    pub enum ChainStatus {
        /// It ends at an anchor of the device.
        Trusted = "trusted",
        /// A certificate between is absent.
        MissingIntermediate = "missing-intermediate",
        /// It is whole and ends at a root that is not an anchor.
        UntrustedRoot = "untrusted-root",
        /// A link that may not be.
        Invalid = "invalid",
        /// Encrypted.
        Hidden = "hidden",
        /// None was sent.
        NotSent = "not-sent",
        /// The capture does not decide it.
        Undetermined = "undetermined",
    }
}

words! {
    /// How sure something is.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Proof {
        /// The capture cannot decide it.
        Undecidable = "undecidable",
        /// The evidence points to it.
        Inferred = "inferred",
        /// Nothing else is possible.
        Proven = "proven",
    }
}

words! {
    /// Where a certificate of a path came from. The order is that of preference where one is at hand twice.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum StepFrom {
        /// This server, in this handshake.
        Sent = "sent",
        /// The device downloaded it.
        Fetched = "fetched",
        /// `--installed`.
        Installed = "installed",
        /// An anchor of the device.
        Anchor = "anchor",
        /// Somewhere else in the captures.
        Seen = "seen",
        /// `--bundle`.
        Bundle = "bundle",
    }
}

impl StepFrom {
    /// Whether the device had it.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Sent | Self::Fetched | Self::Installed | Self::Anchor)
    }
}
