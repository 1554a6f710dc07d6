//! In: a judged chain, a profile, a hello. Out: which keys and signatures of its path the device cannot use. Bounded: by
//! the path. Left to others: whether that was the cause.

use std::sync::Arc;

use crate::diagnosis::anchors::DeviceAnchors;
use crate::evidence::{Handshake, Outcome};
use crate::protocol::tls::{ClientHello, Version, cipher_suite};
use crate::trust::{Algorithm, Judgement, Profile, Unsupported, Verifier};
use crate::x509::{Certificate, HashAlgorithm, SignatureAlgorithm};

/// What a path needs that the device may not be able to do.
#[derive(Clone, Debug)]
pub struct Algorithms {
    /// What the profile says the device cannot use.
    pub unsupported: Vec<Unusable>,
    /// Signatures of the path that the hello does not offer to accept on certificates, in words (RFC 5246 section
    /// 7.4.1.4.1, RFC 8446 section 4.2.3).
    pub not_offered: Vec<String>,
    /// What newer devices refuse, where nothing is known of what this one can do, in words.
    pub outdated: Option<String>,
}

/// A key or a signature of a path that a device cannot use.
#[derive(Clone, Debug)]
pub struct Unusable {
    /// Which, in words.
    pub what: String,
    /// Whether the profile has it from a source that can be checked.
    pub is_fact: bool,
}

/// What the device cannot use, as the end of a sentence about it: what is known of it, else what is likely.
pub(in crate::diagnosis) fn cannot_use(unsupported: &[Unusable]) -> String {
    let of = |known: bool| unsupported.iter().filter(move |it| it.is_fact == known).map(|it| it.what.as_str());
    let known: Vec<_> = of(true).collect();
    match known.is_empty() {
        true => format!("likely cannot use {}", of(false).collect::<Vec<_>>().join(" and ")),
        false => format!("cannot use {}", known.join(" and ")),
    }
}

impl Algorithms {
    pub(super) fn of(handshake: &Handshake, chain: &Judgement, anchors: &DeviceAnchors<'_>) -> Self {
        let profile = anchors.profile;
        let unknown = anchors.assumed || profile.unsupported.is_empty();
        let outdated = outdated(&chain.judged_certificates()).filter(|_| unknown);
        let unsupported = unsupported(profile, chain, telling(handshake));
        Self { unsupported, not_offered: not_offered(handshake, chain), outdated }
    }
}

/// The verifier of a device in one handshake.
pub(super) fn verifier(handshake: &Handshake, profile: &Profile) -> Verifier {
    let hello = telling(handshake);
    Verifier::of(profile, |algorithm| hello.is_some_and(|hello| can(hello, algorithm)))
}

/// The hello that outweighs the profile. What a device did although its profile says that it cannot is judged by the
/// profile alone.
fn telling(handshake: &Handshake) -> Option<&ClientHello> {
    handshake.tls.client_hello.as_ref().filter(|_| handshake.ending.outcome != Outcome::Completed)
}

/// Keys and signatures of a chain's path that the profile says the device cannot use. Facts about only some devices of
/// the kind are left out, and the signature of a root or an anchor does not count.
pub(in crate::diagnosis) fn unsupported(
    profile: &Profile,
    chain: &Judgement,
    hello: Option<&ClientHello>,
) -> Vec<Unusable> {
    let mut out = Vec::new();
    for step in chain.longest_path().iter().flat_map(|path| &path.steps) {
        let Some(certificate) = &step.certificate else { continue };
        let name = || certificate.subject().short();
        let key = certificate.public_key();
        let longest = profile
            .max_rsa_bits
            .as_ref()
            .filter(|most| key.is_rsa() && key.bits().is_some_and(|bits| bits > most.value));
        let applies =
            |fact: &&Unsupported| fact.only.is_none() && !hello.is_some_and(|hello| can(hello, fact.algorithm));
        let kind = profile.unsupported_key(key).into_iter().find(applies);
        if let Some(provenance) = longest.map(|fact| fact.provenance).or(kind.map(|fact| fact.provenance)) {
            out.push(Unusable { what: format!("the key of \"{}\" ({key})", name()), is_fact: provenance.is_fact() });
        }
        let algorithm = certificate.signature_algorithm();
        let signature = profile.unsupported_signature(&algorithm).into_iter().find(applies);
        if let Some(fact) = signature.filter(|_| !certificate.is_self_issued() && step.anchor.is_none()) {
            let what = format!("the signature of \"{}\" ({algorithm})", name());
            out.push(Unusable { what, is_fact: fact.provenance.is_fact() });
        }
    }
    out
}

/// Signatures of a chain's path that a hello does not offer to accept on certificates: signature_algorithms_cert says it,
/// else signature_algorithms. A trust anchor's own signature does not count.
fn not_offered(handshake: &Handshake, chain: &Judgement) -> Vec<String> {
    let hello = handshake.tls.client_hello.as_ref().filter(|hello| hello.version >= Version::TLS_1_2);
    let offered = hello.and_then(|hello| hello.certificate_signatures.as_ref().or(hello.signature_algorithms.as_ref()));
    let Some(offered) = offered else { return Vec::new() };
    let below = chain.longest_path().into_iter().flat_map(|path| &path.steps).filter(|step| step.anchor.is_none());
    let certificates = below.filter_map(|step| step.certificate.as_ref()).filter(|it| !it.is_self_issued());
    let omitted = certificates.filter_map(|certificate| {
        let algorithm = certificate.signature_algorithm();
        let schemes = schemes(&algorithm);
        let omits = !schemes.is_empty() && !schemes.iter().any(|scheme| offered.contains(scheme));
        omits.then(|| format!("the signature of \"{}\" ({})", certificate.subject().short(), in_words(&algorithm)))
    });
    omitted.collect()
}

/// A signature algorithm with the name of its hash as people write it.
fn in_words(algorithm: &SignatureAlgorithm) -> String {
    match algorithm.hash() {
        Some(HashAlgorithm::Md5) => format!("{algorithm}, with MD5"),
        Some(HashAlgorithm::Sha1) => format!("{algorithm}, with SHA-1"),
        _ => algorithm.to_string(),
    }
}

/// The signature schemes that stand for an algorithm on certificates (RFC 8446 section 4.2.3); none for others.
fn schemes(algorithm: &SignatureAlgorithm) -> Vec<u16> {
    let hash = |hash: &HashAlgorithm| match hash {
        HashAlgorithm::Md2 => None,
        HashAlgorithm::Md5 => Some(0x0100),
        HashAlgorithm::Sha1 => Some(0x0200),
        HashAlgorithm::Sha224 => Some(0x0300),
        HashAlgorithm::Sha256 => Some(0x0400),
        HashAlgorithm::Sha384 => Some(0x0500),
        HashAlgorithm::Sha512 => Some(0x0600),
    };
    match algorithm {
        SignatureAlgorithm::RsaPkcs1(of) => hash(of).map(|high| high | 1).into_iter().collect(),
        SignatureAlgorithm::Ecdsa(of) => hash(of).map(|high| high | 3).into_iter().collect(),
        SignatureAlgorithm::RsaPss { hash: HashAlgorithm::Sha256, .. } => vec![0x0804, 0x0809],
        SignatureAlgorithm::RsaPss { hash: HashAlgorithm::Sha384, .. } => vec![0x0805, 0x080a],
        SignatureAlgorithm::RsaPss { hash: HashAlgorithm::Sha512, .. } => vec![0x0806, 0x080b],
        SignatureAlgorithm::Ed25519 => vec![0x0807],
        SignatureAlgorithm::RsaPss { .. } | SignatureAlgorithm::Other(_) => Vec::new(),
    }
}

/// Whether a hello shows that its sender can do this, whatever a profile says: by the suites that it offers, or because
/// its version demands it (RFC 5246 section 1.2, RFC 8446 section 9.1; D-TRUST-09).
fn can(hello: &ClientHello, algorithm: Algorithm) -> bool {
    let (tls12, tls13) = (hello.version >= Version(0x0303), hello.version >= Version(0x0304));
    match algorithm {
        Algorithm::Ecdsa => tls13 || hello.cipher_suites.iter().any(|suite| cipher_suite(*suite).contains("_ECDSA_")),
        Algorithm::Sha2 => tls12,
        Algorithm::RsassaPss => tls13,
        Algorithm::Ed25519 | Algorithm::Md5 | Algorithm::Sha1 => false,
    }
}

/// The first key or signature of a path that newer devices refuse; the signature of a root does not count.
fn outdated(path: &[Arc<Certificate>]) -> Option<String> {
    path.iter().find_map(|certificate| {
        let (name, key) = (certificate.subject().short(), certificate.public_key());
        let algorithm = certificate.signature_algorithm();
        let hash = matches!(algorithm.hash(), Some(HashAlgorithm::Md2 | HashAlgorithm::Md5 | HashAlgorithm::Sha1));
        if hash && !certificate.is_self_issued() {
            return Some(format!("\"{name}\" is signed by {algorithm}, which newer devices refuse"));
        }
        let short = key.is_rsa() && key.bits().is_some_and(|bits| bits < 2048);
        short.then(|| format!("\"{name}\" has a short key ({key}), which newer devices refuse"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{FrameRef, Timestamp};

    #[test]
    fn schemes_stand_for_signatures_on_certificates() {
        // RFC 8446 section 4.2.3, and for what it no longer names RFC 5246 section 7.4.1.4.1.
        assert_eq!(schemes(&SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha1)), [0x0201]);
        assert_eq!(schemes(&SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256)), [0x0401]);
        assert_eq!(schemes(&SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384)), [0x0503]);
        assert_eq!(schemes(&SignatureAlgorithm::Ed25519), [0x0807]);
        assert!(schemes(&SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Md2)).is_empty());
    }

    #[test]
    fn what_a_hello_offers_its_sender_can_do() {
        let at = FrameRef { capture: 0, number: 1, offset: 0, length: 0, time: Timestamp::from_seconds(0) };
        let hello = |version, cipher_suites: &[u16]| ClientHello {
            at,
            version: Version(version),
            sslv2: false,
            random: [0; 32],
            session_id: Vec::new(),
            cipher_suites: cipher_suites.to_vec(),
            server_name: None,
            offers_early_data: false,
            versions: Vec::new(),
            groups: Vec::new(),
            key_shares: Vec::new(),
            alpn: Vec::new(),
            signature_algorithms: None,
            certificate_signatures: None,
            renegotiation_info: false,
            extensions: Vec::new(),
            point_formats: Vec::new(),
            compressions: Vec::new(),
            besides: None,
            stack: Vec::new(),
        };
        // TLS_RSA_WITH_AES_128_CBC_SHA (RFC 5246) and TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA (RFC 8422).
        assert!(!can(&hello(0x0301, &[0x002f]), Algorithm::Ecdsa));
        assert!(can(&hello(0x0301, &[0x002f, 0xc009]), Algorithm::Ecdsa));
        assert!(!can(&hello(0x0302, &[0x002f]), Algorithm::Sha2) && can(&hello(0x0303, &[0x002f]), Algorithm::Sha2));
        assert!(
            !can(&hello(0x0303, &[0x002f]), Algorithm::RsassaPss)
                && can(&hello(0x0304, &[0x1301]), Algorithm::RsassaPss)
        );
    }
}
