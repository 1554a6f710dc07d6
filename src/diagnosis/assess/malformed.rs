//! In: one handshake and what its server sent. Out: the rules of encoding and size that the server's flight breaks, typed
//! and in words. Bounded: by the certificates kept. Left to others: whether the client minded.

use std::fmt;
use std::sync::Arc;

use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::Agreement;
use crate::trust::PathFinder;
use crate::x509::{Certificate, Defect, KeyUsage};

/// A rule that the server's flight breaks. Lenient clients pass over it; strict ones refuse it.
///
/// `Display` is a clause about the server or its certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A certificate breaks a rule of encoding: its position in the list, its short name, and the rule.
    Certificate(usize, String, Defect),
    /// The key usage of the server's certificate does not allow what the key exchange needs (RFC 5246 section 7.4.2): its
    /// short name, the usage, and the bit that it lacks.
    KeyUsage(String, KeyUsage, &'static str),
    /// The authority key identifier of a certificate fits none of the certificates of its issuer that were sent, although
    /// one of them signed it: its short name, and the issuer's.
    IssuerIdentifier(String, String),
    /// The list of certificates is empty (RFC 5246 section 7.4.2: only a client's may be).
    EmptyList,
    /// Entries of the list hold nothing.
    EmptyEntry,
    /// A record of this many bytes, more than 2^14 (RFC 5246 section 6.2.1).
    Overlong(usize),
    /// A Certificate message longer than some stacks accept.
    LargeList {
        /// Certificates in it that were read.
        certificates: usize,
        /// Its bytes.
        bytes: u64,
    },
}

/// Bytes of the longest handshake message that mbed TLS accepts unless it is built otherwise
/// (`MBEDTLS_SSL_IN_CONTENT_LEN`). OpenSSL accepts 102,400 bytes of certificates (`SSL_MAX_CERT_LIST_DEFAULT`).
const LONGEST_LIST: u64 = 16_384;

impl Malformed {
    /// What the server's flight breaks, the gravest first.
    pub(super) fn of(finder: &mut PathFinder, handshake: &Handshake) -> Vec<Self> {
        let mut out = Vec::new();
        let overlong = handshake.tls.overlong.as_ref().filter(|record| record.from == Side::Server);
        out.extend(overlong.map(|record| Self::Overlong(record.length)));
        if let Some(list) = &handshake.tls.certificates.server {
            let empty = list.complete && handshake.sent.is_empty() && list.empty_entries == 0 && !list.raw_public_key;
            out.extend(empty.then_some(Self::EmptyList));
            out.extend((list.empty_entries > 0).then_some(Self::EmptyEntry));
            let (certificates, bytes) = (handshake.sent.len(), list.bytes);
            out.extend((bytes > LONGEST_LIST).then_some(Self::LargeList { certificates, bytes }));
        }
        out.extend(of_certificates(&handshake.sent));
        out.extend(unfit_key_usage(handshake));
        out.extend(handshake.sent.iter().filter_map(|it| misnamed_issuer(finder, it, &handshake.sent)));
        out
    }
}

/// The key usage of the server's certificate, if it does not allow the key exchange of the suite that the server chose.
fn unfit_key_usage(handshake: &Handshake) -> Option<Malformed> {
    let leaf = handshake.own_certificate()?;
    let usage = leaf.key_usage()?;
    let hello = handshake.tls.server_hello.as_ref()?;
    let (allowed, needed) = match hello.cipher_suite.and_then(Agreement::of) {
        Some(Agreement::Rsa) => (usage.key_encipherment(), "keyEncipherment"),
        Some(agreement) if agreement.signer().is_some() => (usage.digital_signature(), "digitalSignature"),
        None if hello.version.is_1_3() => (usage.digital_signature(), "digitalSignature"),
        Some(_) | None => return None,
    };
    (!allowed).then(|| Malformed::KeyUsage(leaf.subject().short(), usage, needed))
}

/// A certificate whose authority key identifier fits no certificate of its issuer that was sent, though one signed it.
fn misnamed_issuer(
    finder: &mut PathFinder,
    certificate: &Arc<Certificate>,
    sent: &[Arc<Certificate>],
) -> Option<Malformed> {
    if certificate.is_self_issued() {
        return None;
    }
    let fits =
        |issuer: &Certificate| !certificate.names_other_key(issuer) && !certificate.names_other_certificate(issuer);
    let mut issuers = sent.iter().filter(|issuer| issuer.subject() == certificate.issuer());
    if issuers.clone().any(|issuer| fits(issuer)) {
        return None;
    }
    let mut signed = |issuer: &&Arc<Certificate>| {
        finder.signed_by_if_affordable(certificate, issuer.public_key()).is_some_and(|it| it.is_valid())
    };
    let issuer = issuers.find(|issuer| signed(issuer))?;
    Some(Malformed::IssuerIdentifier(certificate.subject().short(), issuer.subject().short()))
}

/// The rules of encoding that certificates break.
pub(in crate::diagnosis) fn of_certificates(sent: &[Arc<Certificate>]) -> impl Iterator<Item = Malformed> {
    let each = sent.iter().enumerate();
    each.flat_map(|(at, certificate)| {
        let name = certificate.subject().short();
        certificate.defects().iter().map(move |defect| Malformed::Certificate(at, name.clone(), defect.clone()))
    })
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(0, name, defect) if name.is_empty() => write!(f, "the server's certificate {defect}"),
            Self::Certificate(0, name, defect) => write!(f, "the server's certificate \"{name}\" {defect}"),
            Self::Certificate(at, name, defect) if name.is_empty() => write!(f, "certificate {} {defect}", at + 1),
            Self::Certificate(_, name, defect) => write!(f, "the certificate \"{name}\" {defect}"),
            Self::KeyUsage(name, usage, needed) => write!(
                f,
                "the key usage of the server's certificate \"{name}\" ({usage}) lacks {needed}, which the key exchange needs"
            ),
            Self::IssuerIdentifier(name, issuer) => {
                write!(f, "the authority key identifier of \"{name}\" does not fit its issuer \"{issuer}\"")
            }
            Self::EmptyList => f.write_str("the server's list of certificates is empty"),
            Self::EmptyEntry => f.write_str("the server's list of certificates has an empty entry"),
            Self::Overlong(length) => {
                write!(f, "the server sent a record of {length} bytes, longer than the 16,384 that one may hold")
            }
            Self::LargeList { certificates, bytes } => write!(
                f,
                "the server's Certificate message is large: {certificates} certificates, {bytes} bytes, more than some stacks accept"
            ),
        }
    }
}
