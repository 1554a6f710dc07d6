//! In: a value of a profile file with its provenance. Out: the fact. Bounded: by the file. Left to others: what it is a
//! fact about.

use serde::{Deserialize, Deserializer, Serialize};

use crate::words::words;

/// Something known, and where from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact<T> {
    /// What is known.
    pub value: T,
    /// How well.
    pub provenance: Provenance,
    /// Where from, in a sentence.
    #[serde(deserialize_with = "source")]
    pub source: String,
}

words! {
    /// How well something is known.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Provenance {
        /// Published by the source named.
        Doc = "doc",
        /// Reproduced with real programs.
        Measured = "measured",
        /// Follows from other facts.
        Inferred = "inferred",
        /// Remembered or reported, with no source that could be checked.
        Unverified = "unverified",
    }
}

impl Provenance {
    /// Whether it may be told as a fact; anything else only as "likely" or "consistent with".
    pub fn is_fact(self) -> bool {
        matches!(self, Self::Doc | Self::Measured)
    }
}

/// A sentence that says something.
pub(super) fn source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(serde::de::Error::custom("empty; say where it is known from"));
    }
    Ok(text)
}
