//! CG011, CG022, CG024: what the device can do and whom it trusts, against what it did.
//!
//! In: the session, whose profile says what the device can do. Out: a finding where a chain that holds was refused for
//! its algorithms or its CA, and one where the device did what its profile says it cannot. Bounded: by the handshakes.

use super::assess::Assessment;
use super::cause::{self, Ruling, Stage};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{ProfileBasis, Session, remedy};
use crate::evidence::Handshake;
use crate::trust::{ChainStatus, Proof};

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    for (index, handshake, assessment, ruling) in session.handshakes() {
        for code in [Code::UnsupportedAlgorithm, Code::OtherCaRefused] {
            let Some(severity) = ruling.severity_of(code) else { continue };
            out.push(refused(session, index, handshake, assessment, ruling, code, severity));
        }
    }
    // One surprise is enough to doubt the profile.
    out.extend(session.handshakes().find_map(|(index, handshake, assessment, ruling)| {
        let what = surprise(session, handshake, assessment, ruling)?;
        Some(mismatch(session, index, handshake, &what))
    }));
}

fn refused(
    session: &Session<'_>,
    index: usize,
    handshake: &Handshake,
    assessment: &Assessment,
    ruling: &Ruling,
    code: Code,
    severity: Severity,
) -> Finding {
    let noun = session.noun();
    let what = match (code, &assessment.other_ca) {
        (Code::OtherCaRefused, Some((_, other))) => {
            format!("the {noun} refuses a chain that holds, while it accepted one of another CA, \"{other}\"")
        }
        _ => format!("the {noun} cannot use {}", assessment.unsupported.join(" and ")),
    };
    // No alert is for this alone, so it is never more than inferred.
    let proof = if ruling.survivors.len() > 1 { Proof::Undecidable } else { Proof::Inferred };
    let summary = format!("{}{what}", ruling.lead(code));
    let mut finding = session.finding(code, severity, proof, index, summary);
    if let Some(list) = &handshake.tls.certificates.server {
        let path =
            assessment.unsupported.iter().map(|what| (list.last, format!("{what} is more than the profile allows")));
        finding.evidence.extend(path.filter(|_| code == Code::UnsupportedAlgorithm));
    }
    if let Some((at, other)) = assessment.other_ca.as_ref().filter(|_| code == Code::OtherCaRefused) {
        finding.evidence.push((*at, format!("a handshake that worked, with a chain up to \"{other}\"")));
    }
    finding.evidence.extend(cause::ending_evidence(handshake));
    finding.excluded = cause::excluded(code, handshake, assessment, ruling);
    finding.certificates = handshake.sent.clone();
    finding.remedies = match code {
        Code::OtherCaRefused => remedy::other_ca(session, assessment),
        _ => remedy::unsupported_algorithm(),
    };
    finding
}

/// What the device accepted although its profile says that it cannot. A profile that is only assumed says nothing.
fn surprise(session: &Session<'_>, handshake: &Handshake, assessment: &Assessment, ruling: &Ruling) -> Option<String> {
    if session.basis == ProfileBasis::Assumed || ruling.stage != Stage::Completed {
        return None;
    }
    let most = session.profile.tls_versions.as_ref().map(|versions| versions.value.max);
    if let Some((version, most)) = handshake.tls.version().zip(most).filter(|(version, most)| version > most) {
        return Some(format!("it agreed on {version}, and the profile says {most} at most"));
    }
    let chain = &assessment.chain;
    if let Some(what) = assessment.unsupported.first().filter(|_| chain.status == ChainStatus::Trusted) {
        return Some(format!("it accepted {what}, which the profile says it cannot use"));
    }
    let broken = chain.fault.as_ref().filter(|(_, fault)| cause::profile_checks(session.profile, fault));
    if let Some((certificate, fault)) = broken.filter(|_| chain.status == ChainStatus::Invalid) {
        return Some(format!("it accepted \"{}\" although {fault}", certificate.subject().short()));
    }
    let outside = chain.status == ChainStatus::UntrustedRoot && session.profile.anchors_complete;
    outside.then(|| "it accepted a root that the profile, which is said to be complete, does not hold".to_owned())
}

fn mismatch(session: &Session<'_>, index: usize, handshake: &Handshake, what: &str) -> Finding {
    let summary = format!("the {} is not what the profile {} says: {what}", session.noun(), session.profile.name);
    let mut finding = session.finding(Code::ProfileMismatch, Severity::Info, Proof::Proven, index, summary);
    let hello = handshake.tls.server_hello.as_ref().map(|hello| hello.at);
    finding.evidence.push((hello.unwrap_or(handshake.first), what.to_owned()));
    finding.certificates = handshake.sent.clone();
    finding.remedies = vec!["name the right profile, or write one\n  chaingap profiles --template".into()];
    finding
}
