//! CG033: what the server sent breaks a rule of encoding or size.
//!
//! In: a judged handshake, or the session. Out: whether a strict client may have refused the server's flight for that, and
//! the finding; a note where it did no harm. Bounded: by the handshakes kept. Left to others: which rules are broken.

use super::logic::{Cause, Lacks, Logic, Rival};
use super::remedy::each_once;
use crate::capture::FrameRef;
use crate::diagnosis::assess::Malformed;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::protocol::tls::AlertCode;
use crate::trust::Proof;
use crate::x509::Defect;

pub(super) const MALFORMED_MESSAGE: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: |facts| !facts.assessment.malformed.is_empty(), exclusion, describe }),
    find: Some(harmless),
};

fn exclusion(rival: &Rival<'_>) -> Option<(bool, String)> {
    let first = rival.assessment.malformed.first()?;
    Some(match rival.is_ruled_out_by_alert() {
        true => rival.not_its_alert(),
        false => (false, first.to_string()),
    })
}

fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let malformed = &judged.assessment.malformed;
    let mut finding = session.refused(code, judged, &refused_by_some(malformed), evidence(judged));
    // Only record_overflow names its reason.
    let overlong = judged.handshake.tls.overlong.is_some() && judged.handshake.ended_with(AlertCode::RECORD_OVERFLOW);
    if overlong && !judged.ruling.is_ambiguous() {
        finding.proof = Proof::Proven;
    }
    finding.certificates = judged.handshake.sent.clone();
    finding.remedies = remedies(malformed);
    finding
}

/// Notes where the device is not known to have minded.
fn harmless(session: &Session<'_>) -> Vec<Finding> {
    session.notes(Code::MalformedMessage, |judged| {
        let malformed = Some(&judged.assessment.malformed).filter(|malformed| !malformed.is_empty())?;
        Some((refused_by_some(malformed), evidence(judged), remedies(malformed)))
    })
}

fn refused_by_some(malformed: &[Malformed]) -> String {
    format!("{}, which strict stacks refuse", in_words(malformed))
}

fn evidence(judged: &Judged<'_>) -> Vec<(FrameRef, String)> {
    let overlong = judged.handshake.tls.overlong.as_ref();
    let at = |fault: &Malformed| match fault {
        Malformed::Overlong(_) => overlong.map(|record| (record.at, fault.to_string())),
        _ => judged.at_certificates(fault.to_string()),
    };
    judged.assessment.malformed.iter().filter_map(at).collect()
}

/// The first fault, and how many more there are.
pub(in crate::diagnosis) fn in_words(malformed: &[Malformed]) -> String {
    match malformed {
        [] => String::new(),
        [one] => one.to_string(),
        [first, others @ ..] => format!("{first} (and {} more, see the evidence)", others.len()),
    }
}

/// What to do about each kind of fault, once.
pub(in crate::diagnosis) fn remedies(malformed: &[Malformed]) -> Vec<String> {
    each_once(malformed.iter().map(remedy))
}

fn remedy(fault: &Malformed) -> &'static str {
    match fault {
        Malformed::Certificate(_, _, Defect::TrailingBytes(_)) => {
            "put the certificate alone into the server's file, without bytes behind it\n  openssl x509 -in server.cer -outform DER -out clean.cer"
        }
        Malformed::Certificate(..) | Malformed::KeyUsage(..) | Malformed::IssuerIdentifier(..) => {
            "issue the certificate anew with a tool that follows RFC 5280, and look at what it made\n  openssl x509 -in server.cer -noout -text"
        }
        Malformed::EmptyList | Malformed::EmptyEntry => {
            "give the server its certificate: its list of certificates must begin with it, and hold no empty entry"
        }
        Malformed::Overlong(_) => {
            "update the server's TLS software, or the device in between that puts its records together: a record holds at most 16,384 bytes"
        }
        Malformed::LargeList { .. } => {
            "send the server's own certificate and its intermediates only: a file of trusted roots does not belong into the server's chain"
        }
    }
}
