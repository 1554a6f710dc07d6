//! In: certificates, each with its origin. Out: those of one subject, the preferred origins first. Bounded: 4,096 of one
//! subject; the others are only known to exist. Left to others: which certificates belong into which pool.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::path::StepFrom;
use crate::capture::Timestamp;
use crate::x509::{Certificate, Digest, Name};

/// Candidate issuers, by subject.
#[derive(Debug, Default)]
pub struct Pool {
    by_subject: BTreeMap<Name, Namesakes>,
    origins: HashMap<Digest, StepFrom>,
}

/// Certificates of one subject.
#[derive(Debug, Default)]
struct Namesakes {
    /// By origin, then by digest: the order in which they were added must not show in any result.
    kept: Vec<(Arc<Certificate>, StepFrom)>,
    /// Whether there were more than are kept.
    more: bool,
}

/// Certificates of one subject that are kept. To check them all takes more than the budget that the program gives a
/// search.
const MOST_NAMESAKES: usize = 4096;

impl Pool {
    /// Adds a certificate, unless it cannot be read. One that is there already keeps the preferred of its two origins
    /// (the order of [`StepFrom`]).
    pub fn add(&mut self, certificate: &Arc<Certificate>, from: StepFrom) {
        let digest = certificate.sha256();
        let known = self.origins.get(&digest).copied();
        if !certificate.is_readable() || known.is_some_and(|known| known <= from) {
            return;
        }
        self.origins.insert(digest, from);
        let Namesakes { kept, more } = self.by_subject.entry(certificate.subject().clone()).or_default();
        let place =
            |from, digest| move |(other, origin): &(Arc<Certificate>, _)| (*origin, other.sha256()) < (from, digest);
        if let Some(known) = known {
            let old = kept.partition_point(place(known, digest));
            if kept.get(old).is_some_and(|(other, _)| other.sha256() == digest) {
                kept.remove(old);
            }
        }
        kept.insert(kept.partition_point(place(from, digest)), (Arc::clone(certificate), from));
        *more |= kept.len() > MOST_NAMESAKES;
        kept.truncate(MOST_NAMESAKES);
    }

    /// The certificates that are within their dates at an instant, as a pool of their own.
    pub fn valid_at(&self, at: Timestamp) -> Self {
        let mut valid = Self::default();
        let all = self.by_subject.values().flat_map(|namesakes| &namesakes.kept);
        all.filter(|(certificate, _)| certificate.is_valid_at(at))
            .for_each(|(certificate, from)| valid.add(certificate, *from));
        valid
    }

    /// The certificates with this subject, compared by RFC 5280 section 7.1.
    pub fn named(&self, subject: &Name) -> &[(Arc<Certificate>, StepFrom)] {
        self.namesakes(subject).0
    }

    /// As [`named`](Self::named), and whether there were more than are kept.
    pub(super) fn namesakes(&self, subject: &Name) -> (&[(Arc<Certificate>, StepFrom)], bool) {
        self.by_subject.get(subject).map_or((&[], false), |namesakes| (namesakes.kept.as_slice(), namesakes.more))
    }
}
