//! CG012, CG013, CG028: the client's certificate, the list of issuers it is asked for by, and revocation.
//!
//! In: the session. Out: a finding for each handshake that the server ended for want of a client certificate it takes, and
//! for each that the client ended because a certificate is revoked. Bounded: by the handshakes kept.

use super::assess::Assessment;
use super::cause::{self, Ruling};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{Session, remedy};
use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::{AlertCode, CertificateRequest};
use crate::trust::Proof;

/// A list longer than this is worth a word although it did no harm.
const LONG_LIST: u64 = 8_192;

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    for (index, handshake, assessment, ruling) in session.handshakes() {
        if let Some(severity) = ruling.severity_of(Code::CertificateRevoked) {
            out.push(revoked(session, index, handshake, ruling, severity));
        }
        let Some(request) = &handshake.tls.certificate_request else {
            if ruling.survivors.contains(&Code::ClientCertificate) {
                out.push(refused(session, index, handshake, ruling, Severity::Error));
            }
            continue;
        };
        let list = in_words(request);
        if ruling.survivors.contains(&Code::IssuerListTruncated) {
            out.push(truncated(session, index, handshake, assessment, &list));
            let mut follows = refused(session, index, handshake, ruling, Severity::Warning);
            // The index within this device's findings; `verdict` turns it into one among all.
            follows.caused_by = Some(out.len() - 1);
            out.push(follows);
        } else if ruling.survivors.contains(&Code::ClientCertificate) {
            out.push(refused(session, index, handshake, ruling, Severity::Error));
        } else if request.bytes >= LONG_LIST {
            let summary = format!("the server's list of issuers is long ({list}); it did no harm here");
            out.push(about_list(session, index, request, Severity::Info, Proof::Proven, summary));
        }
    }
}

fn in_words(request: &CertificateRequest) -> String {
    format!("{} names, {} bytes", request.authorities.len(), request.bytes)
}

fn about_list(
    session: &Session<'_>,
    index: usize,
    request: &CertificateRequest,
    severity: Severity,
    proof: Proof,
    summary: String,
) -> Finding {
    let mut finding = session.finding(Code::IssuerListTruncated, severity, proof, index, summary);
    finding.evidence.push((request.at, format!("CertificateRequest: {}", in_words(request))));
    finding.remedies = remedy::issuer_list();
    finding
}

fn truncated(
    session: &Session<'_>,
    index: usize,
    handshake: &Handshake,
    assessment: &Assessment,
    list: &str,
) -> Finding {
    let summary = format!(
        "TLS handshake fails: the server's list of trusted issuers ends where Windows cuts it ({list}), and the {} found no issuer of its certificate in it",
        session.noun()
    );
    let mut finding = match &handshake.tls.certificate_request {
        Some(request) => about_list(session, index, request, Severity::Error, Proof::Inferred, summary),
        None => session.finding(Code::IssuerListTruncated, Severity::Error, Proof::Inferred, index, summary),
    };
    if let Some(list) = &handshake.tls.certificates.client {
        finding.evidence.push((list.last, "the client's Certificate message is empty".into()));
    }
    let issuer = assessment.client_issuer.as_ref().filter(|issuer| !issuer.listed);
    finding.evidence.extend(issuer.map(|it| {
        (it.at, format!("the client showed a certificate issued by {}, which the list does not name", it.issuer))
    }));
    finding.evidence.extend(cause::ending_evidence(handshake));
    finding
}

fn refused(session: &Session<'_>, index: usize, handshake: &Handshake, ruling: &Ruling, severity: Severity) -> Finding {
    let said = handshake.last_word().is_some() && ruling.survivors.contains(&Code::ClientCertificate);
    // That a parameter is illegal says nothing of certificates (RFC 5246 section 7.2.2).
    let named = !handshake.ended_with(AlertCode::ILLEGAL_PARAMETER);
    let proof = match ruling.survivors.len() {
        2.. => Proof::Undecidable,
        _ if !named => Proof::Inferred,
        // Of a request that is not there nobody knows how long its list of issuers is.
        _ if said && (handshake.tls.certificate_request.is_some() || !handshake.client_sent.is_empty()) => {
            Proof::Proven
        }
        _ => Proof::Inferred,
    };
    let whole = handshake.tls.certificates.client.as_ref().is_some_and(|list| list.complete);
    let what = match handshake.client_sent.first() {
        None if !handshake.asked_client() => {
            "the server may have asked for a client certificate in the bytes that are missing".into()
        }
        None if handshake.ending.by == Some(Side::Client) => {
            format!("the server asks for a client certificate, and the {} ended it there", session.noun())
        }
        None if !whole => "the server asks for a client certificate, and ended it after the answer".into(),
        None => format!("the server asks for a client certificate, and the {} sent none", session.noun()),
        Some(leaf) => format!("the server refuses the client certificate \"{}\"", leaf.subject().short()),
    };
    let mut finding =
        session.finding(Code::ClientCertificate, severity, proof, index, format!("TLS handshake fails: {what}"));
    finding.evidence.extend(
        handshake.tls.certificate_request.as_ref().map(|r| (r.at, format!("CertificateRequest: {}", in_words(r)))),
    );
    finding.evidence.extend(
        handshake
            .tls
            .certificates
            .client
            .as_ref()
            .map(|list| (list.last, "the client's Certificate message".to_owned())),
    );
    finding.evidence.extend(cause::ending_evidence(handshake));
    finding.certificates = handshake.client_sent.clone();
    finding.remedies = remedy::client_certificate();
    finding
}

fn revoked(session: &Session<'_>, index: usize, handshake: &Handshake, ruling: &Ruling, severity: Severity) -> Finding {
    let alert = handshake.ended_with(AlertCode::CERTIFICATE_REVOKED);
    let (what, proof) = match ruling.survivors.len() {
        _ if alert => {
            (format!("the {} says that a certificate of the server is revoked", session.noun()), Proof::Proven)
        }
        several => {
            let what = "the OCSP answer that the server sent says that its certificate is revoked".to_owned();
            (what, if several > 1 { Proof::Undecidable } else { Proof::Inferred })
        }
    };
    let summary = format!("{}{what}", ruling.lead(Code::CertificateRevoked));
    let mut finding = session.finding(Code::CertificateRevoked, severity, proof, index, summary);
    if let Some(list) = &handshake.tls.certificates.server {
        finding.evidence.push((list.last, "the server's certificates".into()));
    }
    let stapled = handshake.tls.revoked_by_ocsp();
    finding.evidence.extend(
        stapled.map(|answer| (answer.at, "stapled OCSP answer: revoked (its signature is not checked)".into())),
    );
    finding.evidence.extend(cause::ending_evidence(handshake));
    finding.certificates = handshake.sent.clone();
    finding.remedies = remedy::revoked();
    finding
}
