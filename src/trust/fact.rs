//! In: a value of a profile file, with how well it is known and where from. Out: the fact. Bounded: by the file. Left to
//! others: what the fact is about.

use serde::{Deserialize, Deserializer, Serialize};

use crate::words::words;

/// Something that is known about a device, and where from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact<T> {
    /// What is known.
    pub value: T,
    /// How well it is known.
    pub provenance: Provenance,
    /// Where it is known from, in a sentence.
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
    /// Whether it may be stated as a fact. Anything else is only "likely" or "consistent with" something.
    pub fn is_fact(self) -> bool {
        matches!(self, Self::Doc | Self::Measured)
    }
}

/// Reads a source, which must not be blank.
pub(super) fn source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(serde::de::Error::custom("empty; say where it is known from"));
    }
    Ok(text)
}
