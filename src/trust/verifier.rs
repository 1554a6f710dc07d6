//! In: a profile, and what a hello shows of its sender. Out: how the device's verifier differs from one that can do
//! everything. Bounded: by the profile. Left to others: the search for paths, and how well each fact is known.

use super::abilities::{Algorithm, Check};
use super::anchor::Anchor;
use super::path::Path;
use super::profile::Profile;
use super::rules::{Fault, Purpose, departures_of_issuer, departures_of_leaf, departures_of_link};
use crate::capture::Timestamp;
use crate::x509::{Certificate, PublicKey, SignatureAlgorithm};

/// How a device's verifier differs from one that can do everything. The default does not differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Verifier {
    /// Families of keys, hashes and signatures that it lacks.
    lacks: Vec<Algorithm>,
    /// The longest RSA modulus that it computes with, in bits.
    max_rsa_bits: Option<u32>,
    /// Whether it accepts anchors outside their dates.
    expired_anchors: bool,
    /// Whether the rules for issuers hold for an anchor's own certificate.
    judges_anchors: bool,
    /// Whether the form of certificates counts.
    judges_forms: bool,
}

impl Verifier {
    /// The verifier of a device of that kind. `shown` says whether the device was seen to be able to do something, which
    /// outweighs the profile (D-TRUST-09). Facts about only some devices of the kind are left out.
    pub fn of(profile: &Profile, shown: impl Fn(Algorithm) -> bool) -> Self {
        let of_all = profile.unsupported.iter().filter(|entry| entry.only.is_none());
        Self {
            lacks: of_all.map(|entry| entry.algorithm).filter(|algorithm| !shown(*algorithm)).collect(),
            max_rsa_bits: profile.max_rsa_bits.as_ref().map(|fact| fact.value),
            expired_anchors: profile.expired_anchors.as_ref().is_some_and(|fact| fact.value),
            judges_anchors: profile.makes(Check::AnchorCertificates),
            judges_forms: profile.makes(Check::Forms),
        }
    }

    /// Whether it can check signatures that this key made.
    pub(super) fn can_use_key(&self, key: &PublicKey) -> bool {
        let too_long = |most: u32| key.is_rsa() && key.bits().is_some_and(|bits| bits > most);
        !self.max_rsa_bits.is_some_and(too_long) && !self.lacks.iter().any(|lacking| lacking.covers_key(key))
    }

    fn can_use_signature(&self, algorithm: &SignatureAlgorithm) -> bool {
        !self.lacks.iter().any(|lacking| lacking.covers_signature(algorithm))
    }

    /// Whether it can use `issuer` as a link between a certificate and an anchor. The signature of a self-issued one
    /// does not count: as an anchor it is a name and a key.
    pub(super) fn can_use_link(&self, issuer: &Certificate) -> bool {
        let signed = || issuer.is_self_issued() || self.can_use_signature(&issuer.signature_algorithm());
        self.can_use_key(issuer.public_key()) && signed()
    }

    /// Whether it can use every link of a path above the leaf.
    pub(super) fn can_use_links(&self, path: &Path) -> bool {
        path.steps.iter().skip(1).all(|step| match (&step.certificate, step.anchor) {
            (Some(certificate), Some(_)) => self.can_use_key(certificate.public_key()),
            (Some(certificate), None) => self.can_use_link(certificate),
            (None, _) => true,
        })
    }

    /// Whether the rules for issuers hold for an anchor's own certificate, which RFC 5280 section 6.1.1 (d) reduces to a
    /// name and a key.
    pub(super) fn judges_anchors(&self) -> bool {
        self.judges_anchors
    }

    /// How the form of a leaf departs from RFC 5280, if the verifier looks at it.
    pub(super) fn departures_of_leaf(&self, leaf: &Certificate, purpose: Purpose) -> Vec<Fault> {
        if self.judges_forms { departures_of_leaf(leaf, purpose) } else { Vec::new() }
    }

    /// How the form of an issuer's certificate above `below` does.
    pub(super) fn departures_of_issuer<'a>(
        &self,
        issuer: &Certificate,
        below: impl Iterator<Item = &'a Certificate>,
    ) -> Vec<Fault> {
        if self.judges_forms { departures_of_issuer(issuer, below) } else { Vec::new() }
    }

    /// How the way does in which a certificate points at its issuer's.
    pub(super) fn departures_of_link(&self, child: &Certificate, issuer: &Certificate) -> Vec<Fault> {
        if self.judges_forms { departures_of_link(child, issuer) } else { Vec::new() }
    }

    /// Whether an anchor counts at an instant. RFC 5280 section 6.1.1 (d) gives anchors no validity, and verifiers differ
    /// in whether they look at it.
    pub(super) fn anchor_counts_at(&self, anchor: &Anchor, at: Timestamp) -> bool {
        self.expired_anchors || anchor.is_valid_at(at)
    }
}
