//! The members of a report that speak of missing certificates.
//!
//! In: nothing. Out: plain data, serializable both ways. Left to others: where the values come from (`chain`).

use serde::{Deserialize, Serialize};

/// A missing link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Missing {
    /// The subject that the certificate must have.
    pub subject: String,
    /// The key identifier it must have, lower-case hexadecimal, where the certificate below names one.
    pub key_id: Option<String>,
    /// Where the certificate below says it can be fetched.
    pub aia: Vec<String>,
    /// Certificates that would do: alternatives for this one link.
    pub candidates: Vec<MissingCandidate>,
}

/// A certificate that would fill a missing link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MissingCandidate {
    /// Its SHA-256.
    pub sha256: String,
    /// Where it was seen.
    pub found_in: Vec<Found>,
}

/// Where a certificate was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Found {
    /// The capture's path, or the file of `--bundle`, `--roots`, `--installed`.
    pub capture: String,
    /// The frame; null for a file.
    pub frame: Option<u64>,
    /// How, in words: `sent by 192.0.2.1:443`, `HTTP`, `LDAP`, `--bundle`.
    pub how: String,
}
