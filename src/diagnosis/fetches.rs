//! CG004, CG005: downloads of certificates that failed, or that did not help.
//!
//! In: the session and the findings about its chains. Out: why a link is absent. Left to others: the chain itself.

use super::cause::Stage;
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{Session, remedy};
use crate::capture::FrameRef;
use crate::evidence::Fetch;
use crate::trust::Proof;

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    let mut found: Vec<Finding> = Vec::new();
    for fetch in &session.device.fetches {
        if fetch.succeeded() {
            found.extend(unhelpful(session, fetch));
        } else if fetch.failed() && fetch.status != Some(0) && !made_up_for(session, fetch) {
            found.push(failed(session, fetch));
        }
    }
    // The same download tried again and again is told once.
    for finding in found {
        let same = |known: &&mut Finding| known.code == finding.code && known.summary == finding.summary;
        match out.iter_mut().find(same) {
            Some(known) => {
                known.occurrences += 1;
                known.frames = known.frames.zip(finding.frames).map(|((first, _), (_, last))| (first, last));
            }
            None => out.push(finding),
        }
    }
}

/// Addresses to which a download is followed: as far as browsers go.
const MOST_REDIRECTS: usize = 20;

/// A later download of the same thing succeeded, or of that to which the answer sent the device on.
fn made_up_for(session: &Session<'_>, fetch: &Fetch) -> bool {
    let mut urls = vec![fetch.url.as_str()];
    urls.extend(fetch.redirect.as_deref());
    // NTLM and Negotiate begin with an answer 401 that asks for credentials (RFC 4559 section 4).
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
    let part = fetch.status == Some(206);
    let why = match &fetch.problem {
        _ if part => "only a part of the file came (206)".into(),
        problem => problem.clone().unwrap_or_else(|| "no certificate came".into()),
    };
    // A fetch whose answer the capture lacks may have succeeded, and so may one in parts.
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
    finding.remedies = remedy::fetch_failed(fetch);
    finding
}

/// Certificates came, and a handshake after them failed for want of another.
fn unhelpful(session: &Session<'_>, fetch: &Fetch) -> Option<Finding> {
    // Whose download it was is not known behind a shared address.
    let done = fetch.last.filter(|_| !session.device.shared_address)?;
    let (_, _, assessment, _) = session.handshakes().find(|(_, handshake, _, ruling)| {
        ruling.survivors.contains(&Code::MissingIntermediate)
            && ruling.stage != Stage::Completed
            && done.is_before(&handshake.deciding())
    })?;
    let wanted: Vec<_> =
        assessment.chain.missing.iter().map(|missing| format!("\"{}\"", missing.subject.short())).collect();
    let came: Vec<_> =
        fetch.certificates.iter().map(|(certificate, _)| format!("\"{}\"", certificate.subject().short())).collect();
    let summary = format!(
        "{} gave {}, but not {}, which the server's chain needs",
        fetch.url,
        came.join(" and "),
        wanted.join(" and ")
    );
    let mut finding = about(session, fetch, Code::CertificateFetchUnhelpful, Severity::Warning, summary);
    finding.proof = Proof::Inferred;
    finding.evidence.push((fetch.request, format!("{} {}", fetch.method, fetch.url)));
    finding.evidence.extend(fetch.last.map(|at| (at, format!("the answer: {}", came.join(", ")))));
    finding.certificates = fetch.certificates.iter().map(|(certificate, _)| certificate.clone()).collect();
    finding.remedies = remedy::fetch_unhelpful();
    Some(finding)
}

fn about(session: &Session<'_>, fetch: &Fetch, code: Code, severity: Severity, summary: String) -> Finding {
    let mut finding = Finding::new(code, severity, Proof::Proven, summary);
    finding.device = Some(session.index);
    finding.capture = Some(session.device.capture);
    finding.stream = Some(fetch.stream);
    finding.server = Some(fetch.server);
    finding.server_name = None;
    finding.frames = Some((fetch.request, fetch.last.unwrap_or(fetch.request)));
    finding
}
