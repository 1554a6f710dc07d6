//! CG032: the client refuses parameters that are in clear, not the certificates.
//!
//! In: a judged handshake, or the session. Out: whether the client may have refused what the server chose, and the
//! finding; a note where it did no harm. Bounded: by the handshakes kept. Left to others: which parameters clients refuse.

use super::logic::{Cause, Lacks, Logic, Rival};
use super::remedy::each_once;
use crate::capture::FrameRef;
use crate::diagnosis::assess::Refusable;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;

pub(super) const PARAMETERS_REFUSED: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: |facts| !facts.assessment.refusable.is_empty(), exclusion, describe }),
    find: Some(harmless),
};

fn exclusion(rival: &Rival<'_>) -> Option<(bool, String)> {
    let first = rival.assessment.refusable.first()?;
    Some(match rival.is_ruled_out_by_alert() {
        true => rival.not_its_alert(),
        false => (false, format!("clients refuse {first}")),
    })
}

fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let refusable = &judged.assessment.refusable;
    let words = format!("the {} likely refuses {}", session.noun(), in_words(refusable));
    Finding { remedies: remedies(refusable), ..session.refused(code, judged, &words, evidence(judged)) }
}

/// Notes where the device is not known to have minded, the same words once for a device.
fn harmless(session: &Session<'_>) -> Vec<Finding> {
    let mut notes: Vec<Finding> = Vec::new();
    for note in noted(session) {
        match notes.iter_mut().find(|known| known.summary == note.summary) {
            Some(known) => known.occurrences += note.occurrences,
            None => notes.push(note),
        }
    }
    notes
}

fn noted(session: &Session<'_>) -> Vec<Finding> {
    session.notes(Code::ParametersRefused, |judged| {
        let refusable = Some(&judged.assessment.refusable).filter(|refusable| !refusable.is_empty())?;
        Some((format!("some clients refuse {}", in_words(refusable)), evidence(judged), remedies(refusable)))
    })
}

fn in_words(refusable: &[Refusable]) -> String {
    refusable.iter().map(Refusable::to_string).collect::<Vec<_>>().join(", and ")
}

/// Where the server chose each parameter: in its hello or in its key exchange.
fn evidence(judged: &Judged<'_>) -> Vec<(FrameRef, String)> {
    let tls = &judged.handshake.tls;
    let hello = tls.server_hello.as_ref().map(|hello| hello.at);
    let exchange = tls.server_key_exchange.as_ref().map(|exchange| exchange.at);
    let at = |refusable: &Refusable| {
        let at = match refusable {
            Refusable::Version(_) | Refusable::Suite(_) | Refusable::NoSecureRenegotiation => hello,
            Refusable::ShortPrime(_)
            | Refusable::Curve(_)
            | Refusable::ExplicitCurve
            | Refusable::SignatureScheme(_) => exchange,
        };
        at.map(|at| (at, refusable.to_string()))
    };
    judged.assessment.refusable.iter().filter_map(at).collect()
}

fn remedies(refusable: &[Refusable]) -> Vec<String> {
    let remedy = |refusable: &Refusable| match refusable {
        Refusable::ShortPrime(_) => {
            "give the server a Diffie-Hellman group of 2,048 bits or more, or let it prefer ECDHE\n  openssl dhparam -out dh.pem 2048"
        }
        Refusable::NoSecureRenegotiation => {
            "update the server's TLS software, or the device in between that answers for it, until it supports RFC 5746"
        }
        Refusable::Version(_)
        | Refusable::Suite(_)
        | Refusable::Curve(_)
        | Refusable::ExplicitCurve
        | Refusable::SignatureScheme(_) => {
            "update the server's TLS software: it must choose from what the client offers"
        }
    };
    each_once(refusable.iter().map(remedy))
}
