//! CG018: certificates out of order, unrelated, or the root sent too.
//!
//! In: the session. Out: a finding for each chain that a server sends in another form than RFC 5246 section 7.4.2 asks
//! for. Bounded: by the handshakes kept. Left to others: whether the device minded.

use super::logic::{Lacks, Logic};
use crate::diagnosis::assess::Form;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::trust::Proof;

pub(super) const CHAIN_ORDER: Logic = Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(find) };

fn find(session: &Session<'_>) -> Vec<Finding> {
    session.handshakes.iter().filter_map(|judged| describe(session, judged)).collect()
}

fn describe(session: &Session<'_>, judged: &Judged<'_>) -> Option<Finding> {
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
