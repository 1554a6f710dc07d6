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

use serde::{Deserialize, Serialize};

pub use judge::{Case, Discriminator, Judgement, Missing, Speaks, judge, rejudge};
pub use path::{Fault, Path, PathEnd, PathFinder, Pool, Purpose, Search, Step};
pub use profile::{Adds, Algorithm, Anchor, Check, Fact, Profile, Provenance, TlsVersions, Unsupported};
pub use profile_file::ProfileError;
pub use store::{StoreContents, read_certificates};

/// Whether a chain's links hold. Dates and names are judged apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ChainStatus {
    /// It ends at an anchor of the device.
    Trusted,
    /// A certificate between is absent.
    MissingIntermediate,
    /// It is whole and ends at a root that is not an anchor.
    UntrustedRoot,
    /// A link that may not be.
    Invalid,
    /// Encrypted.
    Hidden,
    /// None was sent.
    NotSent,
    /// The capture does not decide it.
    Undetermined,
}

impl ChainStatus {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::MissingIntermediate => "missing-intermediate",
            Self::UntrustedRoot => "untrusted-root",
            Self::Invalid => "invalid",
            Self::Hidden => "hidden",
            Self::NotSent => "not-sent",
            Self::Undetermined => "undetermined",
        }
    }
}

/// How sure something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The capture cannot decide it.
    Undecidable,
    /// The evidence points to it.
    Inferred,
    /// Nothing else is possible.
    Proven,
}

impl Proof {
    /// The word that reports and expectations use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecidable => "undecidable",
            Self::Inferred => "inferred",
            Self::Proven => "proven",
        }
    }
}

/// Where a certificate of a path came from. The order is that of preference where one is at hand twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StepFrom {
    /// This server, in this handshake.
    Sent,
    /// The device downloaded it.
    Fetched,
    /// `--installed`.
    Installed,
    /// An anchor of the device.
    Anchor,
    /// Somewhere else in the captures.
    Seen,
    /// `--bundle`.
    Bundle,
}

impl StepFrom {
    /// Whether the device had it.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Sent | Self::Fetched | Self::Installed | Self::Anchor)
    }
}
