//! CG011, CG022, CG024: what the device can do and whom it trusts, against what it did.
//!
//! In: a judged handshake, or the session. Out: whether a chain that holds was refused for its algorithms or its CA, or
//! the device did what its profile says it cannot, and the finding. Bounded: by the handshakes kept. Left to others: which
//! of several causes remain.

use std::sync::Arc;

use super::chain::is_checked;
use super::logic::{Cause, Facts, Lacks, Logic, Rival};
use super::remedy::web_service;
use crate::capture::FrameRef;
use crate::diagnosis::anchors::Absence;
use crate::diagnosis::assess::cannot_use;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, ProfileBasis, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::evidence::{Device, Handshake, Outcome};
use crate::protocol::tls::AlertCode;
use crate::trust::{Algorithm, ChainStatus, Judgement, Profile, Proof};
use crate::x509::{Certificate, HashAlgorithm};

pub(super) const UNSUPPORTED_ALGORITHM: Logic = Logic {
    degrades: true,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: |facts| {
            let algorithms = &facts.assessment.algorithms;
            !algorithms.unsupported.is_empty() || !algorithms.not_offered.is_empty()
        },
        exclusion: outdated,
        describe: |session, judged, code| {
            let algorithms = &judged.assessment.algorithms;
            match (algorithms.unsupported.is_empty(), algorithms.not_offered.is_empty()) {
                (false, _) => unsupported_algorithm(session, judged, code),
                (true, false) => not_offered(session, judged, code),
                (true, true) => old_firmware(session, judged, code),
            }
        },
    }),
    find: None,
};
pub(super) const OTHER_CA_REFUSED: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: |facts| {
            let assessment = facts.assessment;
            assessment.chain.status == ChainStatus::Trusted && assessment.chain_end.other_ca.is_some()
        },
        exclusion: |rival| rival.where_nothing_is_known(),
        describe: other_ca_refused,
    }),
    find: None,
};
pub(super) const PROFILE_MISMATCH: Logic =
    Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(profile_mismatch) };

/// Newer devices refuse what is outdated; stacks that cannot check a signature or take no short key may call that
/// decrypt_error.
fn outdated(rival: &Rival<'_>) -> Option<(bool, String)> {
    let named = rival.is_ruled_out_by_alert() && !rival.handshake.ended_with(AlertCode::DECRYPT_ERROR);
    let outdated = || rival.assessment.algorithms.outdated.clone().filter(|_| !named).map(|what| (false, what));
    rival.where_nothing_is_known().or_else(outdated)
}

fn unsupported_algorithm(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let unsupported = &judged.assessment.algorithms.unsupported;
    let words = format!("the {} {}", session.noun(), cannot_use(unsupported));
    let shown = unsupported
        .iter()
        .filter_map(|it| judged.at_certificates(format!("{} is more than the profile allows", it.what)));
    let mut finding = refused(session, judged, code, &words, shown.collect());
    finding.remedies = use_supported(session.profile, &judged.assessment.chain.judged_certificates());
    finding
}

/// What the hello omits its sender need not refuse: many clients check no signature against it.
fn not_offered(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let not_offered = &judged.assessment.algorithms.not_offered;
    let words = format!("the {}'s hello does not offer to accept {}", session.noun(), not_offered.join(" and "));
    let hello = judged.handshake.tls.client_hello.as_ref();
    let schemes = hello.map(|hello| (hello.at, "ClientHello: its signature_algorithms omit that".to_owned()));
    let mut finding = refused(session, judged, code, &words, schemes.into_iter().collect());
    finding.evidence.extend(judged.at_certificates(not_offered.join("; ")));
    finding.remedies = vec![
        "issue the certificate anew with a signature that the device offers to accept: RSA with SHA-256, or ECDSA with SHA-256\n  openssl x509 -in server.cer -noout -text".into(),
    ];
    finding
}

/// Whether the device accepted a chain that is signed with SHA-2.
pub(in crate::diagnosis) fn can_sha_2(device: &Device) -> bool {
    let completed = |handshake: &&Handshake| handshake.ending.outcome == Outcome::Completed;
    device.handshakes.iter().filter(completed).any(|handshake| sha_2(handshake).is_some())
}

/// Whether nothing but old firmware explains that a phone ends it: a chain signed with SHA-2, and no alert. Field reports
/// show old firmware that loops on such chains (D-DIAGNOSIS-41).
pub(in crate::diagnosis) fn may_be_old_firmware(facts: &Facts<'_>) -> bool {
    facts.may_lack_sha_2
        && facts.handshake.last_word().is_none()
        && facts.assessment.chain.status == ChainStatus::Trusted
        && sha_2(facts.handshake).is_some()
}

/// The first certificate sent that is signed with SHA-2, with its hash. A root's own signature does not count.
fn sha_2(handshake: &Handshake) -> Option<(&Certificate, HashAlgorithm)> {
    let sha_2 = |certificate: &Certificate| {
        let hash = certificate.signature_algorithm().hash()?;
        let old = matches!(hash, HashAlgorithm::Md2 | HashAlgorithm::Md5 | HashAlgorithm::Sha1);
        (!old && !certificate.is_self_issued()).then_some(hash)
    };
    handshake.sent.iter().find_map(|certificate| Some((certificate.as_ref(), sha_2(certificate)?)))
}

fn old_firmware(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let (name, hash) = match sha_2(judged.handshake) {
        Some((certificate, hash)) => (certificate.subject().short(), hash.to_string().replace("sha", "SHA-")),
        None => (String::new(), "SHA-2".into()),
    };
    let words =
        format!("the phone ended it at a chain that is signed with {hash}, which is consistent with old firmware");
    let shown = judged.at_certificates(format!(
        "\"{name}\" is signed with {hash}; field reports say that old firmware fails on SHA-2"
    ));
    let mut finding = refused(session, judged, code, &words, shown.into_iter().collect());
    finding.remedies = vec![
        "bring the phone's firmware up to date (Office 365 asked for 4.0.7577.4463 or later)\n  Import-CsDeviceUpdate -Identity service:WebServer:<pool> -FileName UCUpdates.cab".into(),
        "see which firmware the phone has, and whether a phone with newer firmware accepts the same server\n  chaingap compare good.pcapng bad.pcapng".into(),
    ];
    finding
}

fn other_ca_refused(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let noun = session.noun();
    let (shown, other) = match &judged.assessment.chain_end.other_ca {
        Some((at, other)) => {
            (vec![(*at, format!("a handshake that worked, with a chain up to \"{other}\""))], other.as_str())
        }
        None => (Vec::new(), ""),
    };
    let words = format!("the {noun} refuses a chain that holds, while it accepted one of another CA, \"{other}\"");
    let mut finding = refused(session, judged, code, &words, shown);
    finding.remedies = trust_that_ca(session, &judged.assessment.chain);
    finding
}

/// A refusal that no alert is for, so that it is never more than inferred.
fn refused(
    session: &Session<'_>,
    judged: &Judged<'_>,
    code: Code,
    words: &str,
    shown: Vec<(FrameRef, String)>,
) -> Finding {
    Finding { certificates: judged.handshake.sent.clone(), ..session.refused(code, judged, words, shown) }
}

/// CG024: one surprise is enough to doubt the profile.
fn profile_mismatch(session: &Session<'_>) -> Vec<Finding> {
    let surprising = |judged| Some(mismatch(session, judged, &surprise(session, judged)?));
    session.handshakes.iter().find_map(surprising).into_iter().collect()
}

/// What the device accepted although its profile says that it cannot. A profile that is only assumed says nothing.
fn surprise(session: &Session<'_>, judged: &Judged<'_>) -> Option<String> {
    if session.basis == ProfileBasis::Assumed || !judged.is_completed() {
        return None;
    }
    let most = session.profile.tls_versions.as_ref().map(|versions| versions.value.max);
    if let Some((version, most)) = judged.handshake.tls.version().zip(most).filter(|(version, most)| version > most) {
        return Some(format!("it agreed on {version}, and the profile says {most} at most"));
    }
    let chain = &judged.assessment.chain;
    let unsupported = judged.assessment.algorithms.unsupported.first();
    if let Some(what) = unsupported.filter(|_| chain.status == ChainStatus::Trusted) {
        return Some(format!("it accepted {}, which the profile says it cannot use", what.what));
    }
    let broken = chain.fault.as_ref().filter(|(_, fault)| is_checked(session.profile, fault));
    if let Some((certificate, fault)) = broken.filter(|_| chain.status == ChainStatus::Invalid) {
        return Some(format!("it accepted \"{}\" although {fault}", certificate.subject().short()));
    }
    let outside = chain.status == ChainStatus::UntrustedRoot && session.anchors.absence() == Absence::ByProfile;
    outside.then(|| "it accepted a root that the profile, which is said to be complete, does not hold".to_owned())
}

fn mismatch(session: &Session<'_>, judged: &Judged<'_>, what: &str) -> Finding {
    let handshake = judged.handshake;
    let summary = format!("the {} is not what the profile {} says: {what}", session.noun(), session.profile.name);
    let mut finding = session.finding(Code::ProfileMismatch, Severity::Info, Proof::Proven, judged, summary);
    let hello = handshake.tls.server_hello.as_ref().map(|hello| hello.at);
    finding.evidence.push((hello.unwrap_or(handshake.first), what.to_owned()));
    finding.certificates = handshake.sent.clone();
    finding.remedies = vec!["name the right profile, or write one\n  chaingap profiles --template".into()];
    finding
}

/// What to put in the place of what the profile says that the device cannot use, and nothing that the chain has already.
pub(in crate::diagnosis) fn use_supported(profile: &Profile, path: &[Arc<Certificate>]) -> Vec<String> {
    let key = |c: &Arc<Certificate>| profile.unsupported_key(c.public_key());
    let signature = |c: &Arc<Certificate>| profile.unsupported_signature(&c.signature_algorithm());
    let own = path.iter().filter(|certificate| !certificate.is_self_issued());
    let mut cannot: Vec<Algorithm> = Vec::new();
    for entry in own.flat_map(signature).chain(path.iter().flat_map(key)) {
        if !cannot.contains(&entry.algorithm) {
            cannot.push(entry.algorithm);
        }
    }
    let most = profile.max_rsa_bits.as_ref().map(|most| most.value);
    let too_long =
        most.filter(|most| path.iter().any(|c| c.public_key().is_rsa() && c.public_key().bits() > Some(*most)));
    let mut remedies = Vec::new();
    if cannot.contains(&Algorithm::Sha2) {
        remedies.push("bring the device's firmware up to date, since all current CAs sign with SHA-2".into());
    }
    let instead = cannot.iter().filter_map(|algorithm| match algorithm {
        Algorithm::RsassaPss => Some("PKCS#1 v1.5 signatures; on a Windows CA RSASSA-PSS comes from\n  AlternateSignatureAlgorithm=1 in CAPolicy.inf".to_owned()),
        Algorithm::Ecdsa | Algorithm::Ed25519 => Some("RSA keys of 2048 bits and RSA signatures".into()),
        Algorithm::Md5 | Algorithm::Sha1 => Some("signatures with SHA-256".into()),
        Algorithm::Sha2 => None,
    });
    let shorter = too_long.map(|most| format!("RSA keys of {most} bits at most"));
    remedies.extend(instead.chain(shorter).map(|what| format!("issue the certificates anew with {what}")));
    remedies
}

fn trust_that_ca(session: &Session<'_>, chain: &Judgement) -> Vec<String> {
    let root = chain.path.as_ref().and_then(|path| path.root());
    if !session.may_be_phone() {
        return vec![
            "install the root of that CA on the device".into(),
            "or give that server a certificate of the CA whose server the device accepted".into(),
        ];
    }
    vec![
        format!(
            "make the {} trust that CA too: a phone may know no CA but the one of its pool until others are added to what the web service hands out\n{}",
            session.noun(),
            web_service(root, "TrustedRootCA")
        ),
        "or give that server a certificate of the CA that the pool uses".into(),
    ]
}
