//! CG034: the server cannot sign with anything that the client accepts, or refuses what it would have to sign.
//!
//! In: a judged handshake that the server ended before its hello. Out: whether the hello shows that, and the finding.
//! Bounded: by the suites of the hello. Left to others: what the server chose in other handshakes (`elsewhere`).

use super::logic::{Cause, Facts, Lacks, Logic, never_a_rival};
use super::negotiation;
use crate::diagnosis::code::Code;
use crate::diagnosis::elsewhere::Elsewhere;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::protocol::tls::{Agreement, AlertCode, ClientHello, Signer, Version};
use crate::trust::Proof;

pub(super) const NO_SHARED_SIGNATURE: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: |facts| reason(facts).is_some(), exclusion: never_a_rival, describe }),
    find: None,
};

/// Why the server could not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// The server's keys are of another kind than the suites and signature algorithms of the hello allow.
    Key(Signer),
    /// The hello accepts SHA-1 and MD5 only.
    Sha1Only,
    /// Up to TLS 1.1 servers sign MD5 with SHA-1.
    Md5WithSha1,
}

fn reason(facts: &Facts<'_>) -> Option<Reason> {
    let alert = facts.handshake.last_word().map(|alert| alert.code);
    let hello = facts.handshake.tls.client_hello.as_ref()?;
    reason_of(hello, facts.elsewhere, alert)
}

fn reason_of(hello: &ClientHello, elsewhere: &Elsewhere, alert: Option<AlertCode>) -> Option<Reason> {
    if let Some(signer) = elsewhere.signers.first().filter(|_| elsewhere.signers.iter().all(|it| !takes(hello, *it))) {
        return Some(Reason::Key(*signer));
    }
    if hello.version == Version::TLS_1_2 && hello.signature_algorithms.as_ref().is_some_and(|list| is_sha1_only(list)) {
        return Some(Reason::Sha1Only);
    }
    // The same alert refuses cipher suites, unless the server is known to accept one of these.
    let says = match alert {
        Some(AlertCode::INTERNAL_ERROR) => true,
        Some(AlertCode::HANDSHAKE_FAILURE) => elsewhere.suite && !elsewhere.version,
        _ => false,
    };
    let old = hello.version > Version::SSL_3_0 && hello.version < Version::TLS_1_2;
    (old && says).then_some(Reason::Md5WithSha1)
}

/// Whether a client accepts a server whose key is of this kind, by its suites and signature algorithms.
fn takes(hello: &ClientHello, signer: Signer) -> bool {
    // Suites of TLS 1.3 leave it to the signature algorithms.
    let scheme =
        || hello.signature_algorithms.as_ref().is_none_or(|list| list.iter().any(|it| signs(*it) == Some(signer)));
    hello.cipher_suites.iter().any(|suite| match Agreement::of(*suite) {
        Some(Agreement::Rsa) => signer == Signer::Rsa,
        Some(agreement) => agreement.signer() == Some(signer) && scheme(),
        None => hello.version.is_1_3() && scheme(),
    })
}

/// The kind of key that makes signatures of this scheme (RFC 8446 section 4.2.3, RFC 5246 section 7.4.1.4.1).
fn signs(scheme: u16) -> Option<Signer> {
    match scheme {
        0x0804..=0x0806 | 0x0809..=0x080b => Some(Signer::Rsa),
        0x0807 | 0x0808 => Some(Signer::Ecdsa),
        _ => match scheme.to_be_bytes() {
            [1..=6, 1] => Some(Signer::Rsa),
            [1..=6, 2] => Some(Signer::Dss),
            [1..=6, 3] => Some(Signer::Ecdsa),
            _ => None,
        },
    }
}

/// Whether every scheme hashes with MD5 or SHA-1 (HashAlgorithm 1 and 2 of RFC 5246 section 7.4.1.4.1).
fn is_sha1_only(schemes: &[u16]) -> bool {
    !schemes.is_empty() && schemes.iter().all(|scheme| matches!(scheme.to_be_bytes(), [1 | 2, _]))
}

fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let handshake = judged.handshake;
    let elsewhere = &judged.ruling.elsewhere;
    let hello = handshake.tls.client_hello.as_ref();
    let alert = handshake.last_word().map(|alert| alert.code);
    let reason = hello.and_then(|hello| reason_of(hello, elsewhere, alert));
    let proof = match reason {
        _ if judged.ruling.is_ambiguous() => Proof::Undecidable,
        Some(Reason::Key(_)) if alert.is_some() && elsewhere.same_but_for_suites => Proof::Proven,
        _ => Proof::Inferred,
    };
    let noun = session.noun();
    let version = hello.map(|hello| hello.version.to_string()).unwrap_or_default();
    let words = match reason {
        Some(Reason::Key(signer)) => {
            format!("the server's key is {}, and the {noun} offers nothing that such a key can sign", name(signer))
        }
        Some(Reason::Sha1Only) => {
            format!("the {noun} offers signatures with SHA-1 only, which the server likely no longer makes")
        }
        Some(Reason::Md5WithSha1) | None => format!(
            "the {noun} offers {version} at most, where servers sign MD5 with SHA-1; consistent with a server that no longer does, such as OpenSSL 3 above security level 0"
        ),
    };
    let chose = negotiation::takes_elsewhere(&elsewhere.suites);
    let words = chose.map_or(words.clone(), |chose| format!("{words} ({chose})"));
    let mut finding = session.cause(code, proof, judged, &words);
    finding.evidence.extend(hello.map(|hello| (hello.at, format!("ClientHello, {version}, {}", offered(hello)))));
    let offers =
        hello.into_iter().flat_map(|hello| negotiation::offers(hello).into_iter().map(|what| (hello.at, what)));
    finding.evidence.extend(offers);
    finding.evidence.extend(judged.ending());
    finding.excluded = judged.excluded_beside(code);
    finding.remedies = remedies(reason);
    finding
}

fn name(signer: Signer) -> &'static str {
    match signer {
        Signer::Rsa => "RSA",
        Signer::Ecdsa => "ECDSA",
        Signer::Dss => "DSA",
        Signer::Nobody => "none",
    }
}

/// What the hello offers, by the keys that it goes with.
fn offered(hello: &ClientHello) -> String {
    let kinds = [Signer::Rsa, Signer::Ecdsa, Signer::Dss].into_iter().filter(|signer| takes(hello, *signer));
    let kinds: Vec<&str> = kinds.map(name).collect();
    format!("{} cipher suites offered, for keys of the kind {}", hello.cipher_suites.len(), kinds.join(", "))
}

fn remedies(reason: Option<Reason>) -> Vec<String> {
    match reason {
        Some(Reason::Key(Signer::Ecdsa)) => vec![
            "give the server an RSA certificate beside the ECDSA one: OpenSSL, nginx, Apache and Asterisk's TLS can hold both and choose by what the client offers".into(),
        ],
        Some(Reason::Key(_)) => vec!["give the server a certificate whose key the client's suites and signature algorithms allow".into()],
        Some(Reason::Sha1Only) => vec![
            "update the device, or let the server sign with SHA-1 for it: in OpenSSL 3 that is security level 0\n  openssl s_server -cipher 'DEFAULT:@SECLEVEL=0' …".into(),
        ],
        Some(Reason::Md5WithSha1) | None => vec![
            "let the device do TLS 1.2, which signs with SHA-256: update its firmware or change its setting".into(),
            "or set the server to security level 0 (SECLEVEL=0), for these devices alone\n  CipherString = DEFAULT:@SECLEVEL=0".into(),
        ],
    }
}
