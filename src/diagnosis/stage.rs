//! In: a handshake. Out: where it ended, and what of its messages the capture may lack. Bounded: tables. Left to others:
//! why it ended there.

use crate::capture::FrameRef;
use crate::evidence::{Handshake, Outcome};
use crate::flow::Side;

/// Where a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is wrong with it.
    Completed,
    /// The capture ends first, or hides it.
    Open,
    /// A flight was not complete, or not delivered.
    Stalled,
    /// The server ended it before its ServerHello.
    ServerBeforeHello,
    /// The client ended it before a ServerHello.
    ClientBeforeHello,
    /// The client ended it instead of answering the server's flight.
    ClientAtCertificate,
    /// The client answered the server's flight and ended it before both had finished.
    ClientAfterFlight,
    /// Both finished, and the client ended it without a byte of data (D-DIAGNOSIS-02).
    ClientWithoutData,
    /// The server ended it after its ServerHello and before the client's answer.
    ServerInFlight,
    /// The server ended it after the client's answer.
    ServerAfterFlight,
}

impl Stage {
    /// Where a handshake ended.
    pub(super) fn of(handshake: &Handshake) -> Self {
        let tls = &handshake.tls;
        if handshake.ending.outcome == Outcome::Completed {
            return Self::Completed;
        }
        if handshake.ending.is_stalled() {
            return Self::Stalled;
        }
        let by = match handshake.ending.outcome {
            Outcome::RejectedByClient | Outcome::ClosedByClient => Side::Client,
            Outcome::RejectedByServer | Outcome::ClosedByServer => Side::Server,
            Outcome::Completed | Outcome::Incomplete | Outcome::Undetermined => return Self::Open,
        };
        // In TLS 1.3 without secrets an encrypted record of the client may be its Finished or its alert: it shows no
        // acceptance.
        let answered = handshake.client_accepted() && !tls.hides_answer();
        // The server's Finished may be what the capture lacks.
        let lost = || tls.finished.client.is_some() && tls.holes.iter().any(|hole| hole.side == Side::Server);
        let may_be_finished = tls.both_finished() || lost();
        match by {
            Side::Client if !handshake.server_answered() => {
                if handshake.two_sided && !handshake.lacks_start() {
                    Self::ClientBeforeHello
                } else {
                    Self::ClientAtCertificate
                }
            }
            Side::Client if may_be_finished && !tls.hides_answer() => Self::ClientWithoutData,
            Side::Client if answered => Self::ClientAfterFlight,
            Side::Client => Self::ClientAtCertificate,
            Side::Server if !handshake.server_answered() && !handshake.lacks_start() => Self::ServerBeforeHello,
            Side::Server if answered || tls.both_finished() || may_have_answered(handshake) => Self::ServerAfterFlight,
            Side::Server => Self::ServerInFlight,
        }
    }

    /// Whether the client may have ended it because of the server's certificates.
    pub(super) fn is_at_certificate(self) -> bool {
        matches!(self, Self::ClientAtCertificate | Self::ClientWithoutData)
    }
}

/// Whether the server went on after the client's answer to its CertificateRequest: before TLS 1.3 its Finished comes after
/// that (RFC 5246 section 7.3; D-DIAGNOSIS-13).
pub(super) fn server_accepted_answer(handshake: &Handshake) -> bool {
    let tls = &handshake.tls;
    let finished = tls.finished.server.filter(|_| tls.both_finished() && !tls.is_1_3());
    let asked_later = |at: FrameRef| tls.certificate_request.as_ref().is_some_and(|asked| at.is_before(&asked.at));
    finished.is_some_and(|at| !asked_later(at))
}

/// Whether the client's answer to the server's flight may be what the capture lacks.
fn may_have_answered(handshake: &Handshake) -> bool {
    handshake.tls.lacks_in_clear(Side::Client) || !handshake.two_sided || handshake.lacks_start()
}

/// Whether the server may have asked for a client certificate in bytes that the capture lacks: more bytes of it are
/// missing than its Certificate message lacks.
pub(super) fn may_have_asked(handshake: &Handshake) -> bool {
    if handshake.lacks_start() {
        return true;
    }
    let holes = handshake.tls.holes.iter().filter(|hole| hole.side == Side::Server && hole.in_clear);
    let missing: u64 = holes.map(|hole| hole.missing).sum();
    missing > handshake.tls.certificates.server.as_ref().map_or(0, |list| list.missing)
}
