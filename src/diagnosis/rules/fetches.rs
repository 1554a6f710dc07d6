//! CG004, CG005: fetches of certificates that failed, or that did not help.
//!
//! In: the session. Out: why a link of the chain is absent. Bounded: by the fetches kept. Left to others: the chain
//! itself.

use super::logic::{Lacks, Logic};
use super::remedy::{bracketed, host};
use crate::capture::FrameRef;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::evidence::Fetch;
use crate::trust::Proof;

pub(super) const CERTIFICATE_FETCH_FAILED: Logic =
    Logic { degrades: true, lacks: Lacks::Nothing, cause: None, find: Some(failures) };
pub(super) const CERTIFICATE_FETCH_UNHELPFUL: Logic =
    Logic { degrades: true, lacks: Lacks::Nothing, cause: None, find: Some(unhelpful_ones) };

fn failures(session: &Session<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for fetch in session.device.fetches.iter().filter(|fetch| fetch.failed() && fetch.status != Some(0)) {
        if !is_recovered(session, fetch) {
            failed(session, fetch).add_to(&mut found);
        }
    }
    found
}

fn unhelpful_ones(session: &Session<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for fetch in session.device.fetches.iter().filter(|fetch| fetch.succeeded()) {
        if let Some(finding) = unhelpful(session, fetch) {
            finding.add_to(&mut found);
        }
    }
    found
}

/// Redirections that are followed from one fetch; browsers follow as many.
const MOST_REDIRECTS: usize = 20;

/// Whether a later fetch of the same URL succeeded, or of one to which the answer redirected the device.
fn is_recovered(session: &Session<'_>, fetch: &Fetch) -> bool {
    let mut urls = vec![fetch.url.as_str()];
    urls.extend(fetch.redirect.as_deref());
    // With NTLM and Negotiate the first answer is a 401 that asks for credentials (RFC 4559 section 4).
    for later in session.device.fetches.iter().filter(|later| fetch.request.is_before(&later.request)) {
        if !urls.contains(&later.url.as_str()) {
            continue;
        }
        if later.succeeded() {
            return true;
        }
        urls.extend(later.redirect.as_deref().filter(|_| urls.len() < MOST_REDIRECTS));
    }
    false
}

fn failed(session: &Session<'_>, fetch: &Fetch) -> Finding {
    let part = fetch.status == Some(206) && !fetch.joined;
    let why = fetch.problem.clone().unwrap_or_else(|| "no certificate came".into());
    // A fetch may have succeeded if its answer is not in the capture, or came in parts (D-DIAGNOSIS-26).
    let unseen = part || (fetch.gap && fetch.may_succeed());
    let how = if unseen { "cannot be judged" } else { "failed" };
    let summary = format!("the certificate download {} {how}: {why}", fetch.url);
    let went_on = session.device.handshakes.iter().any(|handshake| fetch.request.is_before(&handshake.first));
    let severity = if went_on || unseen { Severity::Warning } else { Severity::Error };
    let mut finding = about(session, fetch, Code::CertificateFetchFailed, severity, summary);
    if unseen {
        finding.proof = Proof::Undecidable;
    }
    finding.evidence.push((fetch.request, format!("{} {}", fetch.method, fetch.url)));
    finding.evidence.extend(fetch.last.map(|at: FrameRef| (at, why)));
    finding.remedies = ask_yourself(fetch);
    finding
}

/// A fetch that brought certificates, after which a handshake failed because another one is missing.
fn unhelpful(session: &Session<'_>, fetch: &Fetch) -> Option<Finding> {
    // Behind a shared address it is unknown which device made the fetch.
    let done = fetch.last.filter(|_| !session.device.shared_address)?;
    let failed = session.handshakes.iter().find(|judged| {
        judged.ruling.survives(Code::MissingIntermediate)
            && !judged.is_completed()
            && done.is_before(&judged.handshake.deciding())
    })?;
    let came: Vec<_> =
        fetch.certificates.iter().map(|(certificate, _)| format!("\"{}\"", certificate.subject().short())).collect();
    let summary = format!(
        "{} gave {}, but not {}, which the server's chain needs",
        fetch.url,
        came.join(" and "),
        words::names(&failed.assessment.chain.missing)
    );
    let mut finding = about(session, fetch, Code::CertificateFetchUnhelpful, Severity::Warning, summary);
    finding.proof = Proof::Inferred;
    finding.evidence.push((fetch.request, format!("{} {}", fetch.method, fetch.url)));
    finding.evidence.extend(fetch.last.map(|at| (at, format!("the answer: {}", came.join(", ")))));
    finding.certificates = fetch.certificates.iter().map(|(certificate, _)| certificate.clone()).collect();
    finding.remedies = if session.may_be_phone() { configure_web_service() } else { bring_issuer() };
    Some(finding)
}

/// Decided in D-DIAGNOSIS-21.
fn about(session: &Session<'_>, fetch: &Fetch, code: Code, severity: Severity, summary: String) -> Finding {
    let mut finding = session.finding_of_device(code, severity, Proof::Proven, summary);
    finding.stream = Some(fetch.stream);
    finding.server = Some(fetch.server);
    finding.frames = Some((fetch.request, fetch.last.unwrap_or(fetch.request)));
    finding
}

fn ask_yourself(fetch: &Fetch) -> Vec<String> {
    let server = web_server(fetch);
    if fetch.url.to_ascii_lowercase().contains("/certprov/") {
        return vec![
            "check that chain download is on: EnableCertChainDownload and UsePinAuth\n  Get-CsWebServiceConfiguration | Select-Object EnableCertChainDownload, UsePinAuth, InferCertChainFromSSL".into(),
            format!("ask the service yourself\n  curl -v http://{server}/CertProv/CertProvisioningService.svc/mex"),
        ];
    }
    vec![format!(
        "ask the server yourself; the address must answer with the certificate\n  curl -v -o answer http://{server}/<path>"
    )]
}

/// The host that the request named, and its port unless it is 80; else those of the connection, which may be a proxy's.
fn web_server(fetch: &Fetch) -> String {
    let authority = fetch.url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let (name, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let named = (host(Some(name), ""), port.parse().ok());
    let (host, port) = match named {
        (host, Some(port)) if !host.is_empty() => (host, port),
        _ => (bracketed(fetch.server), fetch.server.port()),
    };
    if port == 80 { host } else { format!("{host}:{port}") }
}

fn bring_issuer() -> Vec<String> {
    vec![
        "make the address hand out the issuer of the server's certificate, or let the server send its whole chain"
            .into(),
    ]
}

fn configure_web_service() -> Vec<String> {
    vec!["make the web service hand out the chain of the server that the device goes to: InferCertChainFromSSL, or TrustedCACerts\n  Get-CsWebServiceConfiguration | Select-Object InferCertChainFromSSL, TrustedCACerts".into()]
}
