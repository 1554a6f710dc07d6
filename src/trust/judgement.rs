//! In: nothing; these are the values that `judge` fills in. Out: whether a chain's links hold, how sure that is, the paths
//! that show it, and the links that are absent. Bounded: by `judge`. Left to others: how it is reached, and whether it
//! was the cause of a failure.

use std::sync::Arc;

use super::anchor::Anchor;
use super::path::{Path, Step, StepFrom};
use super::rules::Fault;
use crate::words::words;
use crate::x509::{Certificate, Name};

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

/// A link that is absent.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The certificate that names it as its issuer.
    pub below: Arc<Certificate>,
    /// Its subject.
    pub subject: Name,
    /// Certificates that would do.
    pub candidates: Vec<Arc<Certificate>>,
}

/// What a certificate tells of an issuer that is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discriminator {
    /// For what it speaks.
    pub speaks: Speaks,
    /// In words.
    pub what: String,
}

/// What an unknown issuer seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// An intermediate.
    Intermediate,
    /// A root.
    Root,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whether the links hold.
    pub status: ChainStatus,
    /// How sure that is.
    pub proof: Option<Proof>,
    /// What the device could build.
    pub path: Option<Path>,
    /// The longest path with all that is known.
    pub completed: Option<Path>,
    /// Links that are absent, leaf side first.
    pub missing: Vec<Missing>,
    /// A root that is no anchor comes on top of what is missing.
    pub root_untrusted_too: bool,
    /// What was looked at to tell an intermediate from a root, strongest first.
    pub discriminators: Vec<Discriminator>,
    /// A certificate with an issuer's name whose key did not sign.
    pub key_mismatch: Option<Arc<Certificate>>,
    /// A link that breaks another rule.
    pub fault: Option<(Arc<Certificate>, Fault)>,
    /// The search was cut short.
    pub budget_hit: bool,
}

impl Judgement {
    /// A chain of which nothing can be said but its status.
    pub fn without_chain(status: ChainStatus) -> Self {
        let proof = match status {
            ChainStatus::NotSent => None,
            _ => Some(Proof::Undecidable),
        };
        Self {
            status,
            proof,
            path: None,
            completed: None,
            missing: Vec::new(),
            root_untrusted_too: false,
            discriminators: Vec::new(),
            key_mismatch: None,
            fault: None,
            budget_hit: false,
        }
    }

    /// The longest path with everything that is known; `None` where the chain could not be judged.
    pub fn longest_path(&self) -> Option<&Path> {
        self.completed.as_ref().or(self.path.as_ref())
    }

    /// The end of the [longest path](Self::longest_path): a root, or the last certificate that is at hand.
    pub fn last_step(&self) -> Option<&Step> {
        self.longest_path()?.last_step()
    }

    /// Index in [`Case::anchors`] of the anchor at which the [longest path](Self::longest_path) ends.
    pub fn anchor(&self) -> Option<usize> {
        self.last_step()?.anchor
    }

    /// The anchor at which the [longest path](Self::longest_path) ends, if only its name and key are known; `anchors`
    /// are those of the [`Case`].
    pub fn bare_anchor<'a>(&self, anchors: &'a [Anchor]) -> Option<&'a Anchor> {
        let step = self.last_step().filter(|step| step.certificate.is_none())?;
        anchors.get(step.anchor?)
    }

    /// The first certificate of the path that the device built which it had only from a download.
    pub fn downloaded_step(&self) -> Option<&Step> {
        self.path.as_ref()?.steps.iter().find(|step| step.from == StepFrom::Fetched)
    }

    /// The certificates whose dates count: those of the path that was, or could be, completed.
    pub fn judged_certificates(&self) -> Vec<Arc<Certificate>> {
        self.longest_path().map(|path| path.certificates().cloned().collect()).unwrap_or_default()
    }
}
