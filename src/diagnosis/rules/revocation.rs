//! CG028: a revoked certificate.
//!
//! In: a judged handshake. Out: whether one of the server's certificates is said to be revoked, and the finding. Bounded:
//! by the handshakes kept. Left to others: the signature of an OCSP answer.

use super::logic::{Cause, Lacks, Logic, never_a_rival};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::protocol::tls::AlertCode;
use crate::trust::Proof;

pub(super) const CERTIFICATE_REVOKED: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        // The client's alert says it, or the server's own OCSP answer.
        holds: |facts| {
            facts.handshake.ended_with(AlertCode::CERTIFICATE_REVOKED)
                || facts.handshake.tls.revoked_by_ocsp().is_some()
        },
        exclusion: never_a_rival,
        describe,
    }),
    find: None,
};

/// Decided in D-DIAGNOSIS-25.
fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let handshake = judged.handshake;
    let (what, proof) = match handshake.ended_with(AlertCode::CERTIFICATE_REVOKED) {
        true => (format!("the {} says that a certificate of the server is revoked", session.noun()), Proof::Proven),
        false => {
            let what = "the OCSP answer that the server sent says that its certificate is revoked".to_owned();
            (what, judged.inferred())
        }
    };
    let mut finding = session.cause(code, proof, judged, &what);
    finding.evidence.extend(judged.at_certificates("the server's certificates"));
    let stapled = handshake.tls.revoked_by_ocsp();
    finding.evidence.extend(
        stapled.map(|answer| (answer.at, "stapled OCSP answer: revoked (its signature is not checked)".into())),
    );
    finding.evidence.extend(judged.ending());
    finding.certificates = handshake.sent.clone();
    finding.remedies = renew();
    finding
}

fn renew() -> Vec<String> {
    vec!["renew the server's certificate, or see why its CA says that it is revoked\n  openssl ocsp -issuer issuer.pem -cert server.pem -url <address of the OCSP responder>".into()]
}
