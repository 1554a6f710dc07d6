//! CG018: certificates out of order, unrelated, or the root sent too.
//!
//! In: a judged handshake, or the session. Out: whether a client that accepts chains in order only may have refused what
//! the server sent, and the finding; a finding for each other chain in another form than RFC 5246 section 7.4.2 asks for.
//! Bounded: by the handshakes kept. Left to others: which of several causes remain.

use super::logic::{Cause, Lacks, Logic, Rival};
use crate::diagnosis::assess::Form;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::trust::{ChainStatus, Proof};

pub(super) const CHAIN_ORDER: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: |facts| !facts.assessment.as_sent.form.faults.is_empty(), exclusion, describe }),
    find: Some(find),
};

fn exclusion(rival: &Rival<'_>) -> Option<(bool, String)> {
    let form = &rival.assessment.as_sent.form;
    form.faults.first()?;
    Some(match rival.assessment.chain.status {
        _ if rival.is_ruled_out_by_alert() => rival.not_its_alert(),
        ChainStatus::Trusted => (false, listed(form)),
        _ => (true, "no order of these certificates makes the chain hold".into()),
    })
}

fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let form = &judged.assessment.as_sent.form;
    let words = format!("the server's chain is not in order, which some stacks ask for: {}", listed(form));
    let shown = judged.at_certificates(listed(form)).into_iter().collect();
    let mut finding = session.refused(code, judged, &words, shown);
    finding.certificates = judged.handshake.sent.clone();
    finding.remedies = send_in_order();
    finding
}

fn find(session: &Session<'_>) -> Vec<Finding> {
    let others = session.handshakes.iter().filter(|judged| !judged.ruling.survives(Code::ChainOrder));
    others.filter_map(|judged| note(session, judged)).collect()
}

fn note(session: &Session<'_>, judged: &Judged<'_>) -> Option<Finding> {
    let form = &judged.assessment.as_sent.form;
    let (severity, summary) = in_words(form)?;
    let mut finding = session.finding(Code::ChainOrder, severity, Proof::Proven, judged, summary);
    finding.evidence.extend(judged.at_certificates(listed(form)));
    finding.certificates = judged.handshake.sent.clone();
    finding.remedies = send_in_order();
    Some(finding)
}

/// How grave the form of a list is, and what it is. A root behind a chain in order does no harm.
pub(in crate::diagnosis) fn in_words(form: &Form) -> Option<(Severity, String)> {
    match (&form.root, form.faults.is_empty()) {
        (None, true) => None,
        (Some(root), true) => {
            Some((Severity::Info, format!("the server sends the root \"{root}\" too, which is not needed")))
        }
        (_, false) => Some((Severity::Warning, format!("the server's chain is not in order: {}", listed(form)))),
    }
}

fn listed(form: &Form) -> String {
    let root = form.root.iter().map(|root| format!("it sends the root \"{root}\" too"));
    root.chain(form.faults.iter().cloned()).collect::<Vec<_>>().join("; ")
}

pub(in crate::diagnosis) fn send_in_order() -> Vec<String> {
    vec!["send the server's own certificate first, then each one's issuer, without the root; some devices take nothing else".into()]
}
