//! CG018: certificates out of order, unrelated, or the root sent too.
//!
//! In: the session. Out: a finding for each chain that a server sends in another form than RFC 5246 section 7.4.2 asks
//! for. Bounded: by the handshakes kept. Left to others: whether the device minded.

use super::logic::{Lacks, Logic};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::trust::Proof;

pub(super) const CHAIN_ORDER: Logic = Logic { degrades: false, lacks: Lacks::Nothing, cause: None, find: Some(find) };

fn find(session: &Session<'_>) -> Vec<Finding> {
    let handshakes = session.handshakes.iter().filter(|judged| !judged.assessment.as_sent.complaints.is_empty());
    handshakes.map(|judged| describe(session, judged)).collect()
}

fn describe(session: &Session<'_>, judged: &Judged<'_>) -> Finding {
    let complaints = judged.assessment.as_sent.complaints.join("; ");
    let mut finding =
        session.finding(Code::ChainOrder, Severity::Warning, Proof::Proven, judged, in_words(&complaints));
    finding.evidence.extend(judged.at_certificates(complaints));
    finding.certificates = judged.handshake.sent.clone();
    finding.remedies = send_in_order();
    finding
}

pub(in crate::diagnosis) fn in_words(complaints: &str) -> String {
    format!("the server's chain is not in order: {complaints}")
}

pub(in crate::diagnosis) fn send_in_order() -> Vec<String> {
    vec!["send the server's own certificate first, then each one's issuer, without the root; some devices take nothing else".into()]
}
