//! In: the certificates that a server sends, as a verifier comes upon them. Out: what shows that one of them has a key or a
//! signature that some stacks refuse. A root's own signature does not count. Bounded: by what was sent. Left to others:
//! who refuses that.

use std::sync::Arc;

use super::sight::Sight;
use crate::x509::{Certificate, Curve, HashAlgorithm, SignatureAlgorithm};

/// Bits below which stacks call an RSA key short: OpenSSL at security level 2, as distributions configure it.
const SHORT: u32 = 2048;

fn found(among: &[&Arc<Certificate>], is_so: impl Fn(&Certificate) -> bool, what: &str) -> Option<String> {
    let found = among.iter().find(|certificate| is_so(certificate))?;
    Some(format!("\"{}\" {what}", found.subject().short()))
}

fn leaf<'a, 'b>(sight: &'a Sight<'b>) -> &'a [&'b Arc<Certificate>] {
    sight.line.get(..1).unwrap_or_default()
}

fn is_signed_with(certificate: &Certificate, hash: HashAlgorithm) -> bool {
    certificate.signature_algorithm().hash() == Some(hash)
}

fn is_short(certificate: &Certificate) -> bool {
    let key = certificate.public_key();
    key.is_rsa() && key.bits().is_some_and(|bits| bits < SHORT)
}

fn is_p521(certificate: &Certificate) -> bool {
    certificate.public_key().curve() == Some(&Curve::P521)
}

pub(super) fn md5(sight: &Sight<'_>) -> Option<String> {
    found(&sight.line, |it| is_signed_with(it, HashAlgorithm::Md5), "is signed with MD5")
}

pub(super) fn sha1_above(sight: &Sight<'_>) -> Option<String> {
    found(sight.issuers(), |it| is_signed_with(it, HashAlgorithm::Sha1), "is signed with SHA-1")
}

pub(super) fn sha1_leaf(sight: &Sight<'_>) -> Option<String> {
    found(leaf(sight), |it| is_signed_with(it, HashAlgorithm::Sha1), "is signed with SHA-1")
}

pub(super) fn pss(sight: &Sight<'_>) -> Option<String> {
    let is_pss = |it: &Certificate| matches!(it.signature_algorithm(), SignatureAlgorithm::RsaPss { .. });
    found(&sight.line, is_pss, "is signed with RSASSA-PSS")
}

pub(super) fn ed25519(sight: &Sight<'_>) -> Option<String> {
    found(sight.issuers(), |it| it.public_key().is_ed25519(), "has an Ed25519 key")
}

pub(super) fn p521_above(sight: &Sight<'_>) -> Option<String> {
    found(sight.issuers(), is_p521, "has a key of P-521")
}

pub(super) fn p521_leaf(sight: &Sight<'_>) -> Option<String> {
    found(leaf(sight), is_p521, "has a key of P-521")
}

pub(super) fn short_above(sight: &Sight<'_>) -> Option<String> {
    found(sight.issuers(), is_short, "has a short RSA key")
}

pub(super) fn short_leaf(sight: &Sight<'_>) -> Option<String> {
    found(leaf(sight), is_short, "has a short RSA key")
}
