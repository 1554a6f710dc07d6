//! In: what was read of a handshake, and how its connection ended. Out: the outcome, who ended it and how, and what was
//! the last word. Bounded: nothing is kept. Left to others: why.

use std::collections::VecDeque;

use crate::capture::FrameRef;
use crate::flow::{Both, Flow, Side, Stall, Undelivered};
use crate::protocol::tls::{self, Letter};
use crate::words::words;

words! {
    /// How a handshake ended.
    #[derive(Hash)]
    pub enum Outcome {
        /// Both sides finished it.
        Completed = "completed",
        /// The client sent a readable fatal alert.
        RejectedByClient = "rejected-by-client",
        /// The server sent a readable fatal alert.
        RejectedByServer = "rejected-by-server",
        /// The client ended it without one.
        ClosedByClient = "closed-by-client",
        /// The server ended it without one.
        ClosedByServer = "closed-by-server",
        /// The capture ends or is cut first.
        Incomplete = "incomplete",
        /// Encryption hides how it ended.
        Undetermined = "undetermined",
    }
}

impl Outcome {
    fn closed_by(side: Side) -> Self {
        match side {
            Side::Client => Self::ClosedByClient,
            Side::Server => Self::ClosedByServer,
        }
    }
}

words! {
    /// The way in which a connection ended.
    #[derive(Hash)]
    pub enum EndHow {
        /// A fatal alert.
        Alert = "alert",
        /// FIN.
        Fin = "fin",
        /// RST.
        Rst = "rst",
        /// Nothing more for ten seconds or longer.
        Silence = "silence",
        /// The capture's end, or the place where it is cut.
        CaptureEnd = "capture-end",
    }
}

/// Who ended it, how, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ending {
    /// How the handshake ended.
    pub outcome: Outcome,
    /// Who ended it.
    pub by: Option<Side>,
    /// How.
    pub how: EndHow,
    /// In which frame.
    pub at: Option<FrameRef>,
    /// The silence of ten seconds or more before a flight was complete.
    pub stall: Option<Stall>,
    /// The flight that was never acknowledged, with the side that sent it, if nothing else explains the ending.
    pub undelivered: Option<(Side, Undelivered)>,
}

impl Ending {
    /// Whether the handshake came to a standstill, whoever closed afterwards.
    pub fn is_stalled(&self) -> bool {
        self.stall.is_some() || self.undelivered.is_some()
    }
}

/// The end of one direction: its side, how, and in which frame.
type End<'f> = (Side, EndHow, &'f FrameRef);

/// The facts of a connection that an ending rests on.
#[derive(Clone, Debug)]
pub(super) struct Closing<'f> {
    pub(super) fin: Both<Option<&'f FrameRef>>,
    pub(super) reset: Both<Option<&'f FrameRef>>,
    pub(super) seen: Both<bool>,
    /// The frame that acknowledges the last bytes of a side, where the capture lacks those bytes.
    unseen: Both<Option<&'f FrameRef>>,
    pub(super) stalls: &'f [Stall],
    undelivered: Both<Option<Undelivered>>,
    /// Frames that were recorded late, each with the frame before which it was sent.
    pub(super) late: &'f VecDeque<(FrameRef, FrameRef)>,
}

impl<'f> Closing<'f> {
    pub(super) fn of<C>(flow: &'f Flow<C>, swapped: bool) -> Self {
        let (fin, reset, seen) = (flow.fin(), flow.reset(), flow.seen);
        let (unseen, undelivered) = (flow.unseen(), flow.undelivered());
        let (stalls, late) = (flow.stalls.as_slice(), &flow.late);
        if !swapped {
            return Self { fin, reset, seen, unseen, stalls, undelivered, late };
        }
        let (fin, reset, seen) = (fin.swapped(), reset.swapped(), seen.swapped());
        let (unseen, undelivered) = (unseen.swapped(), undelivered.swapped());
        Self { fin, reset, seen, unseen, stalls, undelivered, late }
    }

    /// Whether both directions were captured (D-EVIDENCE-05).
    pub(super) fn is_two_sided(&self) -> bool {
        self.seen.client && self.seen.server
    }

    /// Sort key for the time a frame was sent: a frame recorded late comes before the one that acknowledges it.
    /// Decided in D-FLOW-03.
    fn order(&self, at: &FrameRef) -> ((u32, u64), bool) {
        let late = self.late.iter().find(|(late, _)| late.place() == at.place());
        late.map_or((at.place(), true), |(_, acknowledging)| (acknowledging.place(), false))
    }

    /// Which side ended the connection first, and whether that is sure: the other side may have ended it before, in bytes
    /// that the capture lacks. An encrypted alert shows the side, and the FIN or RST that follows from it shows how
    /// (D-EVIDENCE-01).
    fn first(&self, tls: &'f tls::Handshake) -> Option<(End<'f>, bool)> {
        let of = |side: Side| {
            let alert = tls.encrypted_alert.of(side).as_ref().map(|at| (side, EndHow::Alert, at));
            self.earlier(self.closing(side), alert)
        };
        let first = self.earlier(of(Side::Client), of(Side::Server))?;
        let other = first.0.other();
        let had_said_more = self.unseen.of(other).is_some_and(|at| self.order(at) <= self.order(first.2));
        Some((self.closing(first.0).unwrap_or(first), *self.seen.of(other) && !had_said_more))
    }

    /// Whether the receiver of an alert had closed before it by a FIN that the capture lacks: the FIN was acknowledged, and
    /// no bytes are missing there (D-EVIDENCE-07).
    fn had_closed(&self, tls: &tls::Handshake, alert: &tls::Alert) -> bool {
        let side = alert.from.other();
        self.unseen.of(side).is_some_and(|at| {
            let bytes = |hole: &tls::Hole| hole.side == side && hole.at.place() == at.place();
            self.order(at) <= self.order(&alert.at) && !tls.holes.iter().any(bytes)
        })
    }

    /// The FIN or RST of one side, whichever came first.
    fn closing(&self, side: Side) -> Option<End<'f>> {
        let fin = self.fin.of(side).map(|at| (side, EndHow::Fin, at));
        let reset = self.reset.of(side).map(|at| (side, EndHow::Rst, at));
        self.earlier(fin, reset)
    }

    fn earlier(&self, one: Option<End<'f>>, other: Option<End<'f>>) -> Option<End<'f>> {
        match (one, other) {
            (Some(one), Some(other)) if self.order(other.2) < self.order(one.2) => Some(other),
            (one, other) => one.or(other),
        }
    }
}

/// Decides the ending (docs/verdict.md, step 8).
pub(super) fn ending(tls: &tls::Handshake, closing: &Closing<'_>) -> Ending {
    let (first, sure) = closing.first(tls).map_or((None, false), |(end, sure)| (Some(end), sure));
    let (by, how, at) = match first {
        Some((side, how, at)) => (Some(side), how, Some(*at)),
        None if closing.stalls.iter().any(|stall| stall.until.is_none()) => (None, EndHow::Silence, None),
        None => (None, EndHow::CaptureEnd, None),
    };
    // An alert that answers the other side's close is not the reason for it (D-EVIDENCE-02).
    let spoken = |alert: &&tls::Alert| {
        first.is_none_or(|(side, _, at)| side == alert.from || closing.order(&alert.at) <= closing.order(at))
            && !closing.had_closed(tls, alert)
    };
    let alert = tls.fatal_alert().filter(spoken).filter(|alert| !is_about_data(tls, alert));
    let waited =
        |stall: &&Stall| before_flight_is_whole(tls, stall) && !is_explained(tls, stall, alert, first.is_some());
    let stall = closing.stalls.iter().filter(|_| closing.is_two_sided()).find(waited).copied();
    let undelivered = undelivered(tls, closing, alert, first);
    let ending = |outcome| {
        let undelivered = undelivered.filter(|_| outcome != Outcome::Completed);
        Ending { outcome, by, how, at, stall, undelivered }
    };
    if let Some(alert) = alert {
        let outcome = match alert.from {
            Side::Client => Outcome::RejectedByClient,
            Side::Server => Outcome::RejectedByServer,
        };
        return Ending { by: Some(alert.from), how: EndHow::Alert, at: Some(alert.at), ..ending(outcome) };
    }
    if tls.version_is_open() && (tls.data.client.records > 0 || tls.data.server.records > 0) {
        return ending(Outcome::Incomplete);
    }
    if is_complete(tls, closing) {
        return ending(Outcome::Completed);
    }
    if tls.hides_answer() {
        return ending(Outcome::Undetermined);
    }
    if tls.both_finished() {
        // The missing encrypted bytes may have been application data.
        let lost = tls.holes.iter().any(|hole| !hole.in_clear);
        return ending(match first {
            Some(_) if lost || !sure => Outcome::Incomplete,
            Some((side, ..)) => Outcome::closed_by(side),
            None => Outcome::Completed,
        });
    }
    ending(match first {
        Some((side, ..)) if sure && !tls.may_have_finished() => Outcome::closed_by(side),
        _ => Outcome::Incomplete,
    })
}

/// Whether an alert came after data had gone both ways and names no certificate fault: the handshake was complete then.
/// Decided in D-EVIDENCE-04.
fn is_about_data(tls: &tls::Handshake, alert: &tls::Alert) -> bool {
    let asked = tls.data.client.first.zip(tls.data.server.last);
    let exchanged = asked.is_some_and(|(asked, answered)| asked.is_before(&answered) && answered.is_before(&alert.at));
    exchanged && !alert.code.may_refuse_certificate()
}

/// Whether data shows that both sides finished, whatever else is missing.
fn is_complete(tls: &tls::Handshake, closing: &Closing<'_>) -> bool {
    let (client, server) = (&tls.data.client, &tls.data.server);
    // Encrypted tickets and alerts look like data.
    if tls.unread.client > 0 || tls.unread.server > 0 {
        let answered = client.first.zip(server.last).is_some_and(|(asked, answered)| answered.place() > asked.place());
        return answered;
    }
    // A TLS 1.3 server finishes before it knows the client's certificate (RFC 8446 section 2): only what it sends after
    // the client's Finished shows that it accepted that certificate (D-EVIDENCE-09).
    if tls.is_1_3() && tls.certificate_request.is_some() {
        let tickets = tls.history.iter().filter(|(letter, _)| *letter == Letter::NewSessionTicket).map(|(_, at)| *at);
        let finished = tls.finished.client;
        return tickets.chain(server.last).any(|at| finished.is_some_and(|finished| finished.is_before(&at)));
    }
    // No side sends data before its Finished (RFC 5246 section 7.4.9), whether or not the capture has that.
    let finished = |side: Side| tls.finished.of(side).is_some() || tls.data.of(side).records > 0;
    // A side that starts a renegotiation has accepted the first handshake.
    let went_on = client.records > 0 || server.records > 0 || tls.renegotiation.is_some();
    let spoke_after_both = finished(Side::Client) && finished(Side::Server) && went_on;
    // Where only one direction was captured, its data shows that it had the other's Finished. A server of TLS 1.3 may send
    // data before that (RFC 8446 section 4.4.4; D-EVIDENCE-06).
    let one_sided =
        (client.records > 0 && !closing.seen.server) || (server.records > 0 && !closing.seen.client && !tls.is_1_3());
    spoke_after_both || one_sided
}

/// Whether a silence during the handshake is not what it failed for: the server speaks another protocol, and somebody
/// ended it; packets of that time are lost; the alert came before the silence, from the server that was awaited, or from a
/// client that was sent what it awaited (D-EVIDENCE-08).
fn is_explained(tls: &tls::Handshake, stall: &Stall, alert: Option<&tls::Alert>, ended: bool) -> bool {
    if ended && tls.other_protocol().is_some() {
        return true;
    }
    // Bytes that are missing from this time show that the capture was silent, not the connection.
    let meanwhile =
        |at: FrameRef| stall.after.place() < at.place() && stall.until.is_some_and(|until| at.place() <= until.place());
    if tls.holes.iter().any(|hole| meanwhile(hole.at)) {
        return true;
    }
    // close_notify and user_canceled do not say why (RFC 5246 section 7.2, RFC 8446 section 6.1).
    let Some(alert) = alert.filter(|alert| !alert.code.is_closure()) else { return false };
    let awaited = match owes_flight(tls, stall) {
        true => tls.server_hello_done.or(tls.finished.server),
        false => tls.finished.server,
    };
    let in_answer = match alert.from {
        Side::Server => tls.client_hello.is_some(),
        // A client that complains of a certificate was sent one, even if the capture lacks it.
        Side::Client => awaited.is_some() || (alert.code.answers_certificate() && tls.lacks_in_clear(Side::Server)),
    };
    in_answer || alert.at.place() <= stall.after.place()
}

/// The flight that was never delivered, if the handshake ended for want of it. It did not where the other side had ended
/// the connection before, where the flight holds its sender's alert, where the receiver complains of what it was sent
/// earlier, and where the capture ends or lacks packets of that time (D-EVIDENCE-20).
fn undelivered(
    tls: &tls::Handshake,
    closing: &Closing<'_>,
    alert: Option<&tls::Alert>,
    end: Option<End<'_>>,
) -> Option<(Side, Undelivered)> {
    let waits_until_the_end = || closing.stalls.iter().any(|stall| stall.until.is_none());
    if (end.is_none() && !waits_until_the_end()) || (end.is_some() && tls.other_protocol().is_some()) {
        return None;
    }
    let explains = |side: Side, flight: &Undelivered| {
        let encrypted = tls.encrypted_alert.of(side).iter();
        let spoken = alert.iter().filter(|alert| alert.from == side).map(|alert| &alert.at);
        let hello = match side {
            Side::Client => tls.client_hello.as_ref().map(|hello| hello.at),
            Side::Server => tls.server_hello.as_ref().or(tls.hello_retry.as_ref()).map(|hello| hello.at),
        };
        let ended_before = end.is_some_and(|(.., at)| at.is_before(&flight.first));
        let holds_alert = encrypted.chain(spoken).any(|at| at.is_before(&flight.again_from));
        let answers_earlier = alert.is_some_and(|alert| alert.from != side && !alert.code.is_closure())
            && hello.is_some_and(|hello| hello.is_before(&flight.acknowledged));
        let lacks_answers = tls.holes.iter().any(|hole| hole.side != side && flight.first.is_before(&hole.at));
        !(ended_before || holds_alert || answers_earlier || lacks_answers)
    };
    [Side::Server, Side::Client].into_iter().find_map(|side| {
        let flight = closing.undelivered.of(side).filter(|flight| explains(side, flight))?;
        Some((side, flight))
    })
}

/// Whether the silence came while the server still owed a part of its flight.
fn owes_flight(tls: &tls::Handshake, stall: &Stall) -> bool {
    let by = |at: Option<FrameRef>| at.is_some_and(|at| at.place() <= stall.after.place());
    !(by(tls.server_hello_done) || by(tls.finished.server))
}

/// Whether the silence came after the first message, while the server still owed its flight or its Finished. A client may
/// wait before its hello for as long as it likes.
fn before_flight_is_whole(tls: &tls::Handshake, stall: &Stall) -> bool {
    let by = |at: Option<FrameRef>| at.is_some_and(|at| at.place() <= stall.after.place());
    let read = tls.history.iter().filter(|(letter, _)| *letter != Letter::Uncertain).map(|(_, at)| at.place());
    let start = read.chain(tls.client_hello.as_ref().map(|hello| hello.at.place())).min();
    if start.zip(stall.until).is_some_and(|(start, until)| until.place() <= start) {
        return false;
    }
    let client_flight = by(tls.client_key_exchange) || by(tls.change_cipher_spec.client) || by(tls.finished.client);
    owes_flight(tls, stall) || (client_flight && !by(tls.finished.server))
}
