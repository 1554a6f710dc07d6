//! In: a root, as a certificate or as a name and a key. Out: an anchor, and whether a certificate is an issue of it.
//! Bounded: by the certificate. Left to others: which device trusts it.

use std::sync::Arc;

use super::fact::Provenance;
use super::rules::{Fault, Purpose};
use crate::capture::Timestamp;
use crate::x509::{Certificate, Name, PublicKey, TrustSettings};

/// A root that a device trusts: a name and a key (RFC 5280 section 6.1.1 (d)). Roots are issued anew with other dates
/// and signatures, so the digest of a certificate does not identify one.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// A short name, to be shown.
    pub label: String,
    /// The subject of the root.
    pub subject: Name,
    /// The key of the root.
    pub key: PublicKey,
    /// The certificate, where it is at hand.
    pub certificate: Option<Arc<Certificate>>,
    /// The last second of validity of the known issue that expires last.
    pub not_after: Option<Timestamp>,
    /// SHA-1 thumbprints of the known issues, lower-case hex.
    pub sha1: Vec<String>,
    /// The trust settings that stand behind its certificates. Each of them must leave it trusted.
    pub settings: Vec<TrustSettings>,
    /// Whether the user gave it (`--roots`), so that the device is known to trust it.
    pub given: bool,
    /// How well it is known that the device trusts it; `None` where the user says so.
    pub provenance: Option<Provenance>,
    /// Where that is known from, in a sentence.
    pub source: String,
}

impl Anchor {
    /// The anchor that a certificate given by the user stands for.
    pub fn from_certificate(certificate: Arc<Certificate>) -> Self {
        Self {
            label: certificate.subject().short(),
            subject: certificate.subject().clone(),
            key: certificate.public_key().clone(),
            not_after: Some(certificate.not_after()),
            sha1: vec![certificate.sha1_hex().to_owned()],
            certificate: Some(certificate),
            settings: Vec::new(),
            given: true,
            provenance: None,
            source: "given".to_owned(),
        }
    }

    /// Whether the root is within the dates that are known of it.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.not_after.is_none_or(|end| at <= end) && self.certificate.as_ref().is_none_or(|c| c.is_valid_at(at))
    }

    /// Why the device does not trust it for a purpose, although it holds it (D-TRUST-14).
    pub(super) fn distrust(&self, purpose: Purpose) -> Option<Fault> {
        self.settings.iter().find_map(|settings| settings.refusal(purpose.oid())).map(Fault::Distrusted)
    }

    /// Whether `certificate` is an issue of this root: the same subject and the same key.
    pub fn is(&self, certificate: &Certificate) -> bool {
        certificate.is_readable() && self.subject == *certificate.subject() && self.key == *certificate.public_key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::read_certificates;

    const PEM: &str = include_str!("../../tests/data/x509/certificates.pem");

    fn fixture(subject: &str) -> Arc<Certificate> {
        let all = read_certificates(PEM.as_bytes()).certificates;
        Arc::new(all.into_iter().find(|certificate| certificate.subject().to_string() == subject).unwrap())
    }

    #[test]
    fn an_anchor_is_a_name_and_a_key() {
        let (root, ca) =
            (fixture("CN=Northwind Global Root G1,O=Northwind"), fixture("CN=Northwind Policy CA 1,O=Northwind"));
        let anchor = Anchor::from_certificate(Arc::clone(&root));
        assert!(anchor.given && anchor.is(&root) && !anchor.is(&ca));
        // Another certificate with the same key and another name: the fixtures share keys.
        let same_key = fixture("CN=rsa2048");
        assert_eq!(same_key.public_key(), root.public_key());
        assert!(!anchor.is(&same_key));
    }
}
