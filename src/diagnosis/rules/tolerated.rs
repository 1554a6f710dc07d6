//! CG003: a server that leaves an intermediate out and gets away with it.
//!
//! In: the session. Out: a finding for each handshake that worked because the device had the intermediate from elsewhere.
//! Bounded: by the handshakes kept. Left to others: which intermediates are left out.

use super::chain::{found, sent_in_words};
use super::links::add_intermediates;
use super::logic::{Lacks, Logic};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::trust::{PathEnd, Proof};

pub(super) const INCOMPLETE_CHAIN_TOLERATED: Logic =
    Logic { degrades: true, lacks: Lacks::Nothing, cause: None, find: Some(find) };

fn find(session: &Session<'_>) -> Vec<Finding> {
    let handshakes = session.handshakes.iter().filter(|judged| !judged.assessment.as_sent.left_out.is_empty());
    handshakes.map(|judged| describe(session, judged)).collect()
}

fn describe(session: &Session<'_>, judged: &Judged<'_>) -> Finding {
    let left_out = &judged.assessment.as_sent.left_out;
    let had = if judged.assessment.chain.path.as_ref().is_some_and(|path| path.end == PathEnd::Anchor) {
        "this device had fetched it"
    } else {
        "this device had it from before, or does not check"
    };
    let summary = format!(
        "the server leaves out {}; it worked because {had}, and fails on a device that has neither stored nor fetched it",
        words::names(left_out)
    );
    let handshake = judged.handshake;
    let code = Code::IncompleteChainTolerated;
    let mut finding = session.finding(code, Severity::Warning, Proof::Proven, judged, summary);
    finding.evidence.extend(judged.at_certificates(sent_in_words(&handshake.sent)));
    finding.evidence.extend(left_out.iter().filter_map(|missing| found(session, missing)));
    finding.remedies = add_intermediates(session, handshake, left_out);
    finding.certificates = handshake.sent.clone();
    finding.missing = left_out.clone();
    finding
}
