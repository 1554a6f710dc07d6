//! The judgement on a chain.
//!
//! In: what `judge` found. Out: whether the links of the chain hold, how sure that is, the paths that show it, and the
//! links that are missing. Bounded: by `judge`. Left to others: how a judgement is reached, and whether the chain was the
//! cause of a failure.

use std::sync::Arc;

use super::anchor::Anchor;
use super::path::{Path, Step, StepFrom};
use super::rules::Fault;
use crate::words::words;
use crate::x509::{Certificate, Name};

words! {
    /// Whether a chain can be completed to an anchor. Dates and server names are judged apart.
    #[derive(Hash)]
    pub enum ChainStatus {
        /// The device could build a path to one of its anchors.
        Trusted = "trusted",
        /// An intermediate is missing.
        MissingIntermediate = "missing-intermediate",
        /// The path is complete and ends at a root that is not an anchor of the device.
        UntrustedRoot = "untrusted-root",
        /// A link violates RFC 5280 section 6.1.
        Invalid = "invalid",
        /// The certificates are encrypted.
        Hidden = "hidden",
        /// No certificate was sent.
        NotSent = "not-sent",
        /// The capture cannot tell.
        Undetermined = "undetermined",
    }
}

words! {
    /// How sure something is.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Proof {
        /// The capture cannot tell.
        Undecidable = "undecidable",
        /// The evidence points to it; what is left is listed as not excluded.
        Inferred = "inferred",
        /// Nothing else is possible.
        Proven = "proven",
    }
}

/// A certificate that the path needs and the device did not have.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The certificate below it, which names it as its issuer.
    pub below: Arc<Certificate>,
    /// Its subject: the issuer named by the certificate below.
    pub subject: Name,
    /// Known certificates that would fill the gap.
    pub candidates: Vec<Arc<Certificate>>,
}

/// A sign of whether an issuer that is not at hand is an intermediate or a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discriminator {
    /// Which of the two it speaks for.
    pub speaks: Speaks,
    /// The sign, in words.
    pub what: String,
}

/// What a [`Discriminator`] says that an issuer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// An intermediate.
    Intermediate,
    /// A root.
    Root,
}

/// The judgement on one chain.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whether the chain can be completed to an anchor.
    pub status: ChainStatus,
    /// How sure that is; `None` where no chain was sent.
    pub proof: Option<Proof>,
    /// The best path that the device could build.
    pub path: Option<Path>,
    /// The best path with everything that is known. It is there if `path` is.
    pub completed: Option<Path>,
    /// The missing links, the one nearest to the leaf first.
    pub missing: Vec<Missing>,
    /// Whether the root above what is missing is not known to be an anchor either.
    pub root_untrusted_too: bool,
    /// The signs that told an intermediate from a root, the strongest first.
    pub discriminators: Vec<Discriminator>,
    /// A certificate that has an issuer's name, but another key than the one that signed.
    pub key_mismatch: Option<Arc<Certificate>>,
    /// A certificate of the path that breaks another rule; or one that may be the next, but the signature below it cannot
    /// be checked here.
    pub fault: Option<(Arc<Certificate>, Fault)>,
    /// Whether a search left something out to stay within its budget.
    pub budget_hit: bool,
}

impl Judgement {
    /// The judgement on a chain that could not be looked at: its status alone.
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

    /// Index in [`Case::anchors`](super::Case::anchors) of the anchor at which the [longest path](Self::longest_path) ends.
    pub fn anchor(&self) -> Option<usize> {
        self.last_step()?.anchor
    }

    /// The anchor at which the [longest path](Self::longest_path) ends, if only its name and key are known; `anchors`
    /// are those of the [`Case`](super::Case).
    pub fn bare_anchor<'a>(&self, anchors: &'a [Anchor]) -> Option<&'a Anchor> {
        let step = self.last_step().filter(|step| step.certificate.is_none())?;
        anchors.get(step.anchor?)
    }

    /// The first certificate of the path that the device built which it had only from a fetch.
    pub fn downloaded_step(&self) -> Option<&Step> {
        self.path.as_ref()?.steps.iter().find(|step| step.from == StepFrom::Fetched)
    }

    /// Whether a link of it cannot be checked because its algorithms are not supported here.
    pub fn is_unchecked(&self) -> bool {
        matches!(self.fault, Some((_, Fault::Unsupported(_))))
    }

    /// The certificates whose dates count: those of the path that was, or could be, completed.
    pub fn judged_certificates(&self) -> Vec<Arc<Certificate>> {
        self.longest_path().map(|path| path.certificates().cloned().collect()).unwrap_or_default()
    }
}
