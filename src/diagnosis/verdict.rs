//! In: the findings of a device. Out: their severity, the headline, the verdict. The one place where that is decided:
//! docs/verdict.md, step 7.

use super::code::Code;
use super::finding::{Finding, Severity, Verdict, VerdictStatus};
use super::judged::Judged;
use super::session::Session;
use super::stage::Stage;
use crate::evidence::Outcome;
use crate::trust::Proof;

/// Ports of a sign-in on which TLS is not spoken: web services, a proxy, the directory.
const CLEAR_PORTS: [u16; 4] = [80, 8080, 389, 3268];

/// Settles severities, folds repetitions, puts the headline first, and gives the verdict. `offset` is the index that
/// the first of these findings will have among all.
pub(super) fn settle(session: &Session<'_>, findings: &mut Vec<Finding>, offset: usize) -> Verdict {
    for finding in findings.iter_mut() {
        settle_severity(session, finding);
    }
    let tls_fails = findings.iter().any(|it| it.severity == Severity::Error && it.handshake.is_some());
    for finding in findings.iter_mut().filter(|it| tls_fails && is_beside_tls(it)) {
        finding.severity = finding.severity.min(Severity::Warning);
    }
    fold(findings);
    findings.sort_by_key(|finding| {
        let first = finding.frames.map(|(first, _)| first.place());
        let (is_error, undecidable) = (finding.severity == Severity::Error, finding.proof == Proof::Undecidable);
        (std::cmp::Reverse(finding.severity), is_error && undecidable, finding.code.rank(), first)
    });
    let status = status(session, findings);
    let headline = match status {
        VerdictStatus::Ok | VerdictStatus::NothingSeen => None,
        VerdictStatus::Undecided if session.lacks_handshakes() && !has_errors(findings) => None,
        _ => findings.iter().position(|finding| finding.severity >= Severity::Warning),
    };
    let summary = match headline.and_then(|index| findings.get(index)) {
        Some(finding) => summary_of(status, finding, findings),
        None => plain_summary(session, status),
    };
    Verdict { status, summary, finding: headline.map(|index| index + offset) }
}

fn settle_severity(session: &Session<'_>, finding: &mut Finding) {
    let Some(judged) = finding.handshake.and_then(|index| session.handshakes.get(index)) else { return };
    finding.recovered_by = judged.recovered_by;
    let ending = &judged.handshake.ending;
    let ended = !matches!(ending.outcome, Outcome::Completed | Outcome::Incomplete | Outcome::Undetermined)
        || ending.is_stalled();
    if finding.severity == Severity::Error && (!ended || finding.recovered_by.is_some()) {
        finding.severity = Severity::Warning;
    }
    // What the capture does not show of one handshake, another one to the same service shows (D-DIAGNOSIS-49).
    if judged.ruling.stage == Stage::Open && finding.recovered_by.is_some() {
        finding.severity = Severity::Info;
    }
}

/// Whether it is about a connection in clear that failed: that is not what a handshake failed of (D-DIAGNOSIS-48).
fn is_beside_tls(finding: &Finding) -> bool {
    let in_clear = finding.server.is_some_and(|server| CLEAR_PORTS.contains(&server.port()));
    finding.code == Code::ConnectionRefused && in_clear
}

/// The same fault repeated by retries is one finding.
fn fold(findings: &mut Vec<Finding>) {
    let mut folded: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings.drain(..) {
        let same = |known: &&mut Finding| {
            known.code == finding.code
                && known.severity == finding.severity
                && known.server_name == finding.server_name
                && (known.server == finding.server || known.server_name.is_some())
                && known.handshake.is_some() == finding.handshake.is_some()
                && known.handshake.is_some()
                && subjects(known) == subjects(&finding)
        };
        match folded.iter_mut().find(same) {
            Some(known) => {
                let occurrences = known.occurrences + finding.occurrences;
                let frames = known.frames.zip(finding.frames).map(|((first, _), (_, last))| (first, last));
                // The occurrence with the best proof stands for all of them.
                let mut other = finding;
                if other.proof > known.proof {
                    std::mem::swap(known, &mut other);
                }
                known.also.append(&mut other.also);
                known.also.extend(other.handshake);
                (known.occurrences, known.frames) = (occurrences, frames);
            }
            None => folded.push(finding),
        }
    }
    *findings = folded;
}

/// What keeps two findings of one code apart: several servers of one name may have different faults.
fn subjects(finding: &Finding) -> (Vec<&crate::x509::Name>, Option<&str>, bool) {
    let subjects = finding.missing.iter().map(|missing| &missing.subject).collect();
    let root = Some(finding.summary.as_str()).filter(|_| finding.code == Code::UntrustedRoot);
    (subjects, root, finding.proof == Proof::Undecidable)
}

fn status(session: &Session<'_>, findings: &[Finding]) -> VerdictStatus {
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    if errors.iter().any(|finding| finding.proof != Proof::Undecidable) {
        return VerdictStatus::Fails;
    }
    let is_open = |it: &Judged<'_>| it.ruling.stage == Stage::Open && it.recovered_by.is_none() && it.unused.is_none();
    let open = session.handshakes.iter().any(is_open);
    if !errors.is_empty() || open || session.lacks_handshakes() {
        return VerdictStatus::Undecided;
    }
    let recovers = |it: &Finding| it.recovered_by.is_some() && it.severity >= Severity::Warning;
    let recovered = findings.iter().any(recovers);
    if recovered || findings.iter().any(|finding| finding.code.logic().degrades) {
        return VerdictStatus::Degraded;
    }
    if session.device.handshakes_total == 0 { VerdictStatus::NothingSeen } else { VerdictStatus::Ok }
}

fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

fn summary_of(status: VerdictStatus, finding: &Finding, findings: &[Finding]) -> String {
    let undecided: Vec<_> = findings
        .iter()
        .filter(|other| {
            other.severity == Severity::Error
                && other.proof == Proof::Undecidable
                && other.handshake == finding.handshake
        })
        .collect();
    match status {
        VerdictStatus::Undecided if undecided.len() > 1 => {
            let names: Vec<_> = undecided.iter().map(|finding| finding.code.name()).collect();
            format!("TLS handshake fails, and the capture leaves several causes: {}", names.join(", "))
        }
        VerdictStatus::Degraded if finding.recovered_by.is_some() => format!("recovered: {}", finding.summary),
        VerdictStatus::Degraded => format!("works, but {}", finding.summary),
        _ => finding.summary.clone(),
    }
}

fn plain_summary(session: &Session<'_>, status: VerdictStatus) -> String {
    if status == VerdictStatus::NothingSeen {
        return "no TLS handshake seen".into();
    }
    match session.device.handshakes_total {
        total if status == VerdictStatus::Undecided && session.device.handshakes.is_empty() => {
            format!("cannot be decided: of the {total} TLS handshakes none was kept, for want of room")
        }
        total if status == VerdictStatus::Undecided && session.lacks_handshakes() => format!(
            "cannot be decided: of the {total} TLS handshakes {} that did not complete were not kept, for want of room",
            session.device.dropped_incomplete
        ),
        _ if status == VerdictStatus::Undecided => {
            "cannot be decided: how the TLS handshake ended cannot be seen".into()
        }
        1 => "TLS handshake works".into(),
        total => format!("TLS handshakes work ({total})"),
    }
}
