//! In: the certificates that bear on a judgement. Out: for an instant, between which of their dates it lies; all instants
//! between the same dates are judged alike. Bounded: by the certificates. Left to others: every judgement.

use super::clock::YEAR_2000;
use crate::capture::Timestamp;
use crate::evidence::Evidence;
use crate::trust::{Anchor, Trust};
use crate::x509::Certificate;

/// The instants at which something begins or ceases to be valid.
#[derive(Debug, Default)]
pub(super) struct Instants(Vec<Timestamp>);

impl Instants {
    /// Those of every certificate that is known, and of these anchors.
    pub(super) fn of<'a>(evidence: &Evidence, trust: &Trust, anchors: impl Iterator<Item = &'a Anchor>) -> Self {
        let supplied = trust.roots.iter().chain(&trust.installed).chain(&trust.bundle).map(|it| &it.certificate);
        let seen = evidence.certificates.iter().map(|(certificate, _)| certificate);
        let mut all = vec![Timestamp::from_seconds(YEAR_2000)];
        for anchor in anchors {
            all.extend(anchor.not_after);
            all.extend(anchor.certificate.iter().flat_map(|certificate| dates(certificate)));
        }
        all.extend(supplied.chain(seen).flat_map(|certificate| dates(certificate)));
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Between which of them an instant lies, or which of them it is.
    pub(super) fn place(&self, at: Timestamp) -> usize {
        self.0.partition_point(|instant| *instant < at) + self.0.partition_point(|instant| *instant <= at)
    }
}

fn dates(certificate: &Certificate) -> [Timestamp; 2] {
    [certificate.not_before(), certificate.not_after()]
}
