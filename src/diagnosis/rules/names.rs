//! CG008: a certificate for another name.
//!
//! In: a judged handshake. Out: whether the server's certificate covers the name that it was asked for, and the finding.
//! Bounded: by the names of the device. Left to others: which names led to the server.

use super::logic::{Cause, Lacks, Logic, Rival};
use crate::diagnosis::assess::NameCheck;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::trust::Proof;

pub(super) const NAME_MISMATCH: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: |facts| matches!(facts.assessment.name, NameCheck::NotCovered { .. }),
        exclusion,
        describe,
    }),
    find: None,
};

fn exclusion(rival: &Rival<'_>) -> Option<(bool, String)> {
    let by_name = || match &rival.assessment.name {
        NameCheck::Covered(name) => (true, format!("the certificate covers {name}")),
        _ if rival.is_ruled_out_by_alert() => rival.not_its_alert(),
        NameCheck::NotCovered { .. } => (false, "the certificate does not cover the name".into()),
        NameCheck::Perhaps(why) => (false, why.clone()),
        NameCheck::Unknown => (false, "the capture does not tell which name was asked for".into()),
    };
    rival.where_nothing_is_known().or_else(|| Some(by_name()))
}

fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let words = match &judged.assessment.name {
        NameCheck::NotCovered { names, from_sni: true } => in_words(&names.join(", ")),
        NameCheck::NotCovered { names, .. } => {
            format!("the server's certificate is for none of the names that led there: {}", names.join(", "))
        }
        NameCheck::Covered(_) | NameCheck::Perhaps(_) | NameCheck::Unknown => {
            "the server's certificate is for another name".into()
        }
    };
    let mut finding = session.cause(code, proof(judged, code), judged, &words);
    finding.evidence.extend(judged.at_certificates("the server's certificates"));
    finding.evidence.extend(judged.ending());
    finding.evidence.extend(judged.clock());
    finding.excluded = judged.excluded_beside(code);
    finding.certificates = judged.handshake.own_certificate().cloned().into_iter().collect();
    finding.remedies = add_name(session.may_be_phone());
    finding
}

fn proof(judged: &Judged<'_>, code: Code) -> Proof {
    if judged.ruling.is_ambiguous() || judged.handshake.conflict.is_some() {
        return Proof::Undecidable;
    }
    let from_sni = !matches!(judged.assessment.name, NameCheck::NotCovered { from_sni: false, .. });
    let alert = judged.handshake.last_word().is_some() && judged.ruling.survives(code);
    let sure = from_sni && alert && judged.others_are_excluded(code);
    if sure { Proof::Proven } else { Proof::Inferred }
}

pub(in crate::diagnosis) fn in_words(name: &str) -> String {
    format!("the server's certificate is not for {name}")
}

/// `phones` says whether the reader may have Lync phones, which are handed the server's name.
pub(in crate::diagnosis) fn add_name(phones: bool) -> Vec<String> {
    let from = if phones {
        "hand out the name that it has (DHCP option 43 and 120, DNS SRV)"
    } else {
        "set the device to the name that it has"
    };
    vec![format!("issue the server's certificate with the name that devices use in its subjectAltName, or {from}")]
}

pub(in crate::diagnosis) fn add_address() -> Vec<String> {
    vec!["issue the server's certificate with the address as an iPAddress in its subjectAltName (RFC 2818 section 3.1), or let the devices ask for one of its names".into()]
}
