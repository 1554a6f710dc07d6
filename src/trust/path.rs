//! In: certificates that a search put one above the other. Out: the path that results and its order of preference.
//! Bounded: 64 certificates. Left to others: finding it.

use std::cmp::Reverse;
use std::sync::Arc;

use super::rules::Fault;
use crate::words::words;
use crate::x509::Certificate;

/// Certificates from a leaf upwards, each issued by the next.
#[derive(Clone, Debug)]
pub struct Path {
    /// The leaf first.
    pub steps: Vec<Step>,
    /// Why there is no further step.
    pub end: PathEnd,
    /// Rules that were broken, each with the certificate that broke it (`None` for an anchor of which only name and key
    /// are known): by certificates of this path, or by candidates for the step after its last.
    pub faults: Vec<(Option<Arc<Certificate>>, Fault)>,
}

/// One certificate of a path.
#[derive(Clone, Debug)]
pub struct Step {
    /// The certificate; `None` for an anchor of which only name and key are known.
    pub certificate: Option<Arc<Certificate>>,
    /// The index of the anchor that it is, among those that the search was given.
    pub anchor: Option<usize>,
    /// Where it came from.
    pub from: StepFrom,
}

words! {
    /// Where a certificate of a path came from. Of two origins of one certificate, the lesser is preferred.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum StepFrom {
        /// The server sent it in this handshake (or the client, of its own chain).
        Sent = "sent",
        /// The device fetched it.
        Fetched = "fetched",
        /// The user says that it is on the device (`--installed`).
        Installed = "installed",
        /// It is an anchor of the device.
        Anchor = "anchor",
        /// It is elsewhere in the captures: the device did not have it.
        Seen = "seen",
        /// The user brought it to complete chains (`--bundle`): the device did not have it.
        Bundle = "bundle",
    }
}

impl StepFrom {
    /// Whether the device had it when it judged the chain.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Sent | Self::Fetched | Self::Installed | Self::Anchor)
    }
}

/// Why a path ends where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathEnd {
    /// It reaches an anchor.
    Anchor,
    /// Its last certificate is self-signed and no anchor.
    SelfSigned,
    /// No certificate at hand is the issuer of its last one.
    IssuerUnknown,
    /// Certificates at hand have the name of its issuer, but none can be used; or the path reaches an anchor, but one of
    /// its own certificates breaks a rule. [`Path::faults`] says which and why.
    Faulty,
    /// Every issuer at hand is on the path already: CAs that vouch for each other.
    Loop,
}

impl Path {
    /// The end of the path: an anchor, or the last certificate that is at hand.
    pub fn last_step(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// Whether it ends at an anchor, even if one of its certificates breaks a rule.
    pub fn reaches_anchor(&self) -> bool {
        self.last_step().is_some_and(|step| step.anchor.is_some())
    }

    /// The topmost certificate that is at hand.
    pub fn top(&self) -> Option<&Arc<Certificate>> {
        self.steps.iter().rev().find_map(|step| step.certificate.as_ref())
    }

    /// The self-signed certificate at its top; `None` where it ends below one or at a bare anchor.
    pub fn root(&self) -> Option<&Arc<Certificate>> {
        self.top().filter(|top| top.is_self_signed())
    }

    /// Its certificates, leaf first, without a bare anchor.
    pub fn certificates(&self) -> impl DoubleEndedIterator<Item = &Arc<Certificate>> {
        self.steps.iter().filter_map(|step| step.certificate.as_ref())
    }

    /// Orders paths from the same leaf: the greater is better.
    pub(super) fn preference(&self) -> impl Ord {
        let kind = match self.end {
            PathEnd::Anchor => 3,
            PathEnd::SelfSigned => 2,
            PathEnd::IssuerUnknown | PathEnd::Faulty => 1,
            PathEnd::Loop => 0,
        };
        let length = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        // Of paths that reach something the shortest, of attempts the longest.
        let length = if kind == 1 { length } else { -length };
        let expires = self.certificates().map(|certificate| certificate.not_after()).min();
        let hashes: Vec<_> = self.certificates().map(|certificate| Reverse(certificate.sha256())).collect();
        (kind, length, expires, hashes)
    }
}
