//! In: the TLS stacks that the diagnosis names. Out: the members of reports that show them. Bounded: by the data of stacks.
//! Left to others: which stack refuses what (`trust`).

use serde::{Deserialize, Serialize};

use crate::trust::{Answer, Stack};
use crate::words::words;

/// The TLS stack whose hello a client's is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ClientStack {
    /// Its name.
    pub name: String,
    /// The version whose hello it is.
    pub versions: String,
    /// What it is known by.
    pub basis: StackBasis,
    /// How well that shows it.
    pub strength: StackStrength,
}

words! {
    /// What a stack is known by.
    pub enum StackBasis {
        /// The shape of its ClientHello.
        HelloShape = "hello-shape",
    }
}

words! {
    /// How well it is known which stack a client is.
    pub enum StackStrength {
        /// Its hello is that of this stack; others may send the same.
        ConsistentWith = "consistent-with",
    }
}

impl ClientStack {
    pub(super) fn of(stack: &Stack) -> Self {
        Self {
            name: stack.name.clone(),
            versions: stack.versions.clone(),
            basis: StackBasis::HelloShape,
            strength: StackStrength::ConsistentWith,
        }
    }
}

/// What a stack was measured to do about a defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StackAnswer {
    /// Its name.
    pub name: String,
    /// The version that was measured.
    pub versions: String,
    /// Whether it accepts or refuses.
    pub answer: StackVerdict,
    /// The name of the alert by which it refuses; null where it sends none.
    pub alert: Option<String>,
}

words! {
    /// Whether a stack goes on.
    pub enum StackVerdict {
        /// It does.
        Accepts = "accepts",
        /// It ends the handshake.
        Refuses = "refuses",
    }
}

impl StackVerdict {
    pub(super) fn of(answer: Answer) -> Self {
        if answer.accepts() { Self::Accepts } else { Self::Refuses }
    }
}

impl StackAnswer {
    pub(super) fn of(stack: &Stack, answer: Answer) -> Self {
        Self {
            name: stack.name.clone(),
            versions: stack.versions.clone(),
            answer: StackVerdict::of(answer),
            alert: answer.alert().map(|code| code.to_string()),
        }
    }
}
