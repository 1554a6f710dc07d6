//! CG012, CG013: the client's certificate, and the list of issuers by which a server asks for it.
//!
//! In: a judged handshake, or the session. Out: whether the server ended a handshake for want of a client certificate that
//! it accepts, and the finding; a note where its list of issuers is long. Bounded: by the handshakes kept. Left to others:
//! which of several causes remain.

use super::client_reason::{self, Reason};
use super::logic::{Cause, Facts, Lacks, Logic, never_a_rival};
use crate::capture::FrameRef;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::{AlertCode, CertificateRequest};
use crate::trust::Proof;

pub(super) const ISSUER_LIST_TRUNCATED: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: is_truncated_and_met_no_certificate, exclusion: never_a_rival, describe: truncated }),
    find: Some(long_lists),
};
pub(super) const CLIENT_CERTIFICATE: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: |facts| facts.handshake.asked_client(),
        exclusion: never_a_rival,
        describe: |session, judged, _| refused(session, judged, Severity::Error),
    }),
    find: Some(refused_after_truncated_list),
};

/// Longer lists are noted even if they did no harm.
const LONG_LIST: u64 = 8_192;
/// How far below the limit a truncated list may end: by up to one name that no longer fitted.
const LAST_NAME: u64 = 512;
/// Where Schannel ends the list of issuers that it sends: Windows Server 2003, and 2008 R2 and later (KB 931125).
const LIST_LIMITS: [u64; 2] = [12_288, 16_384];

/// Whether the server's list of issuers ends where Schannel cuts it, and the client answered it with no certificate.
fn is_truncated_and_met_no_certificate(facts: &Facts<'_>) -> bool {
    let handshake = facts.handshake;
    let bytes = handshake.tls.certificate_request.as_ref().map_or(0, |request| request.bytes);
    let truncated = LIST_LIMITS.iter().any(|limit| (limit - LAST_NAME..=*limit).contains(&bytes));
    let answer = handshake.tls.certificates.client.as_ref();
    let empty = answer.is_some_and(|list| list.complete) && handshake.client_sent.is_empty();
    let listed = facts.assessment.client_issuer.as_ref().is_some_and(|issuer| issuer.listed);
    truncated && empty && !listed
}

/// Long lists that did no harm.
fn long_lists(session: &Session<'_>) -> Vec<Finding> {
    let causes = [Code::IssuerListTruncated, Code::ClientCertificate];
    let arrived = session.handshakes.iter().filter(|judged| !judged.handshake.lacked_flight());
    let harmless = arrived.filter(|judged| !causes.iter().any(|code| judged.ruling.survives(*code)));
    let long = harmless.filter_map(|judged| {
        let request = judged.handshake.tls.certificate_request.as_ref().filter(|request| request.bytes >= LONG_LIST)?;
        let summary = format!("the server's list of issuers is long ({}); it did no harm here", in_words(request));
        let code = Code::IssuerListTruncated;
        let mut finding = session.finding(code, Severity::Info, Proof::Proven, judged, summary);
        finding.evidence.extend(request_evidence(judged.handshake));
        finding.remedies = send_no_list();
        Some(finding)
    });
    long.collect()
}

fn in_words(request: &CertificateRequest) -> String {
    format!("{}, {}", words::count(request.authorities.len(), "name", "names"), words::bytes(request.bytes))
}

fn request_evidence(handshake: &Handshake) -> Option<(FrameRef, String)> {
    let request = handshake.tls.certificate_request.as_ref()?;
    Some((request.at, format!("CertificateRequest: {}", in_words(request))))
}

fn truncated(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let handshake = judged.handshake;
    let list = handshake.tls.certificate_request.as_ref().map(in_words).unwrap_or_default();
    let words = format!(
        "the server's list of trusted issuers ends where Windows cuts it ({list}), and the {} found no issuer of its certificate in it",
        session.noun()
    );
    let mut finding = session.cause(code, Proof::Inferred, judged, &words);
    finding.evidence.extend(request_evidence(handshake));
    if let Some(list) = &handshake.tls.certificates.client {
        finding.evidence.push((list.last, "the client's Certificate message is empty".into()));
    }
    let issuer = judged.assessment.client_issuer.as_ref().filter(|issuer| !issuer.listed);
    finding.evidence.extend(issuer.map(|it| {
        (it.at, format!("the client showed a certificate issued by {}, which the list does not name", it.issuer))
    }));
    finding.evidence.extend(judged.ending());
    finding.remedies = send_no_list();
    finding
}

/// Where the list was truncated, the missing client certificate follows from it.
fn refused_after_truncated_list(session: &Session<'_>) -> Vec<Finding> {
    let truncated = session.handshakes.iter().filter(|judged| judged.ruling.survives(Code::IssuerListTruncated));
    let follows = truncated.map(|judged| Finding {
        caused_by: Some(Code::IssuerListTruncated),
        ..refused(session, judged, Severity::Warning)
    });
    follows.collect()
}

fn refused(session: &Session<'_>, judged: &Judged<'_>, severity: Severity) -> Finding {
    let handshake = judged.handshake;
    let code = Code::ClientCertificate;
    // Why it was refused is told beside that it was, of which the proof speaks (D-DIAGNOSIS-45).
    let reasons = if handshake.client_sent.is_empty() { Vec::new() } else { Reason::of(judged) };
    let because: Vec<_> = reasons.iter().map(|(_, why)| format!("because {why}")).collect();
    let likely = if reasons.is_empty() { String::new() } else { format!(", likely {}", because.join(", or ")) };
    let summary = format!("TLS handshake fails: {}{likely}", refused_in_words(session, handshake));
    let mut finding = session.finding(code, severity, proof(judged, code), judged, summary);
    finding.evidence.extend(request_evidence(handshake));
    finding.evidence.extend(client_reason::sent(judged));
    finding.evidence.extend(judged.ending());
    finding.certificates = handshake.client_sent.clone();
    if !handshake.client_sent.is_empty() {
        finding.excluded = Reason::excluded(judged);
    }
    if reasons.iter().any(|(reason, _)| *reason == Reason::LacksIntermediate) {
        finding.missing = client_reason::missing(judged).to_vec();
    }
    finding.remedies = reasons.iter().flat_map(|(reason, _)| reason.remedies(session, judged)).collect();
    finding.remedies.extend(give_certificate(session, reasons.is_empty()));
    finding
}

/// Decided in D-DIAGNOSIS-12.
fn proof(judged: &Judged<'_>, code: Code) -> Proof {
    let handshake = judged.handshake;
    // illegal_parameter says nothing of certificates (RFC 5246 section 7.2.2).
    let named = handshake.last_word().is_some_and(|alert| alert.code != AlertCode::ILLEGAL_PARAMETER);
    // If the request is missing, the length of its list of issuers is unknown.
    let known = handshake.tls.certificate_request.is_some() || !handshake.client_sent.is_empty();
    match judged.ruling.survives(code) && named && known {
        _ if judged.ruling.is_ambiguous() => Proof::Undecidable,
        true => Proof::Proven,
        false => Proof::Inferred,
    }
}

fn refused_in_words(session: &Session<'_>, handshake: &Handshake) -> String {
    let whole = handshake.tls.certificates.client.as_ref().is_some_and(|list| list.complete);
    match handshake.client_sent.first() {
        None if !handshake.asked_client() => {
            "the server may have asked for a client certificate in the bytes that are missing".into()
        }
        None if handshake.ending.by == Some(Side::Client) => {
            format!("the server asks for a client certificate, and the {} ended it there", session.noun())
        }
        None if !whole => "the server asks for a client certificate, and ended it after the answer".into(),
        None => format!("the server asks for a client certificate, and the {} sent none", session.noun()),
        Some(leaf) => format!("the server refuses the client certificate \"{}\"", leaf.subject().short()),
    }
}

fn send_no_list() -> Vec<String> {
    vec![
        "do not send the list at all, which is the default since Windows Server 2012 (KB 931125, KB 2464556)\n  reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL /v SendTrustedIssuerList /t REG_DWORD /d 0".into(),
        "or remove surplus roots from LocalMachine\\Root (KB 2801679); Schannel's event 36885 tells of a list that was cut\n  Get-WinEvent -FilterHashtable @{LogName='System';ProviderName='Schannel';Id=36885} -MaxEvents 5".into(),
    ]
}

/// `alone` says that nothing more is known to do.
fn give_certificate(session: &Session<'_>, alone: bool) -> Vec<String> {
    let schannel = if session.may_be_phone() { " (Windows: Schannel events 36874, 36887)" } else { "" };
    let mut remedies = vec![format!("look at the server's log: it tells why it refused{schannel}")];
    if alone {
        remedies.insert(
            0,
            "give the client a certificate that the server takes, from an issuer that the server trusts".into(),
        );
    }
    remedies
}
