//! In: nothing; `facts` fills it. Out: [`Handshake`], and answers to the questions of later stages. Bounded: by
//! `facts`. Left to others: reading it, how TCP ended.

use super::agreement::ServerKeyExchange;
use super::history::Letter;
use super::message::{CertificateList, CertificateRequest, ClientHello, ServerHello};
use super::names::{AlertCode, Version};
use super::ocsp::{OcspAnswer, OcspStatus};
use super::protect::Undecrypted;
use crate::capture::{Cut, FrameRef};
use crate::flow::{Both, Side};

/// What was read of a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Handshake {
    /// The endpoint of the proxy tunnel (CONNECT) that the handshake is in, host and port.
    pub tunnel_to: Option<String>,
    /// The last ClientHello: the one that counts after a HelloRetryRequest.
    pub client_hello: Option<ClientHello>,
    /// The HelloRetryRequest that came before the ServerHello.
    pub hello_retry: Option<ServerHello>,
    /// The ServerHello.
    pub server_hello: Option<ServerHello>,
    /// The server's part of a Diffie-Hellman exchange, before TLS 1.3.
    pub server_key_exchange: Option<ServerKeyExchange>,
    /// The Certificate message of each side.
    pub certificates: Both<Option<CertificateList>>,
    /// The content of OCSP responses stapled by the server.
    pub stapled: Vec<OcspAnswer>,
    /// The server's CertificateRequest.
    pub certificate_request: Option<CertificateRequest>,
    /// Frame of ServerHelloDone.
    pub server_hello_done: Option<FrameRef>,
    /// Frame of ClientKeyExchange.
    pub client_key_exchange: Option<FrameRef>,
    /// Frame of each side's Finished; in TLS 1.3 without secrets, of its first encrypted record.
    pub finished: Both<Option<FrameRef>>,
    /// Frame of each side's ChangeCipherSpec.
    pub change_cipher_spec: Both<Option<FrameRef>>,
    /// The readable alerts.
    pub alerts: Vec<Alert>,
    /// Frame of each side's first alert that may end the connection without a readable reason: one that stays
    /// encrypted, a decrypted fatal one, or a closure alert that was decrypted or came in clear before both sides
    /// finished (D-EVIDENCE-03).
    pub encrypted_alert: Both<Option<FrameRef>>,
    /// Application data of each side.
    pub data: Both<Data>,
    /// The messages sent, each with its frame.
    pub history: Vec<(Letter, FrameRef)>,
    /// The gaps.
    pub holes: Vec<Hole>,
    /// The first record in clear over 2^14 bytes, the most that one may hold (RFC 5246 section 6.2.1).
    pub overlong: Option<Overlong>,
    /// The server's first bytes, if they are not a TLS record.
    pub foreign: Option<Foreign>,
    /// Whether encrypted handshake records of each side were read with a key log, in TLS 1.3.
    pub decrypted: Both<bool>,
    /// TLS 1.3 records of each side that stayed encrypted and may hold a handshake message or an alert.
    pub unread: Both<u64>,
    /// Why records stayed encrypted although there is a key log, and from which frame on.
    pub undecrypted: Option<(Undecrypted, FrameRef)>,
    /// Frame in which the client went on after the server's flight, by a record in clear that is neither an alert nor the
    /// end (D-PROTOCOL-19).
    pub went_on: Option<FrameRef>,
    /// Frame of the first record of another handshake within the connection, after data (RFC 5246 section 7.4.1.1).
    /// Decided in D-PROTOCOL-07.
    pub renegotiation: Option<FrameRef>,
}

/// A readable alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// Its sender.
    pub from: Side,
    /// Whether its AlertLevel is fatal; in TLS 1.3 every alert but the closure alerts is (RFC 8446 section 6).
    pub fatal: bool,
    /// AlertDescription.
    pub code: AlertCode,
    /// Its frame.
    pub at: FrameRef,
}

/// A record over 2^14 bytes, the most that one may hold (RFC 5246 section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Overlong {
    /// The side that sent it.
    pub from: Side,
    /// Bytes of its body.
    pub length: usize,
    /// The frame of its header.
    pub at: FrameRef,
}

/// The first bytes of a side that does not speak TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Foreign {
    /// Their frame.
    pub at: FrameRef,
    /// Their first line if they are ASCII text, truncated to forty characters; otherwise empty.
    pub text: String,
}

/// Application data of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Data {
    /// Records.
    pub records: u64,
    /// Frame of the first one.
    pub first: Option<FrameRef>,
    /// Frame of the last one.
    pub last: Option<FrameRef>,
}

/// Bytes of a handshake that are missing from the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hole {
    /// The side that sends in this direction.
    pub side: Side,
    /// The truncated frame, or the first one after the missing bytes.
    pub at: FrameRef,
    /// How many bytes.
    pub missing: u64,
    /// How much of the frame was kept, if it was truncated.
    pub cut: Option<Cut>,
    /// The sending side did not encrypt yet, so something readable is missing.
    pub in_clear: bool,
}

impl Handshake {
    /// The SNI host name of the ClientHello.
    pub fn server_name(&self) -> Option<&str> {
        self.client_hello.as_ref()?.server_name.as_deref()
    }

    /// The host of the proxy tunnel that the handshake is in.
    pub fn tunnel_host(&self) -> Option<&str> {
        let endpoint = self.tunnel_to.as_deref()?;
        Some(endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host))
    }

    /// Whether TLS 1.3 was negotiated, which encrypts certificates.
    pub fn is_1_3(&self) -> bool {
        self.version().is_some_and(Version::is_1_3)
    }

    /// Whether encryption hides the server's Certificate message: TLS 1.3 without secrets. A resumed session has none
    /// (RFC 8446 section 2.2).
    pub fn hides_certificates(&self) -> bool {
        self.is_1_3() && !self.decrypted.server && !self.resumed()
    }

    /// Whether encryption hides whether the client accepted the certificate, because a record that looks like its
    /// Finished or data may be an alert; or whether the server accepted the client certificate that it requested.
    pub fn hides_answer(&self) -> bool {
        let asked = self.certificate_request.is_some() && self.decrypted.server;
        self.is_1_3() && (self.unread.client > 0 || (asked && self.unread.server > 0))
    }

    /// Whether the server resumed an earlier session, so that it sent no certificate.
    pub fn resumed(&self) -> bool {
        let Some(hello) = &self.server_hello else { return false };
        if hello.version.is_1_3() {
            return hello.resumes_psk;
        }
        let sent_nothing = self.certificates.server.is_none() && self.server_hello_done.is_none();
        sent_nothing && self.change_cipher_spec.server.is_some() && self.holes.is_empty()
    }

    /// Whether a handshake message or an alert was seen in clear, even if truncated.
    pub fn began(&self) -> bool {
        self.history.iter().any(|(letter, _)| letter.is_negotiation()) || !self.alerts.is_empty()
    }

    /// The server's first bytes, if it does not speak TLS. A server that switched to TLS later does (D-PROTOCOL-12).
    pub fn other_protocol(&self) -> Option<&Foreign> {
        let answered = self.server_hello.is_some() || self.certificates.server.is_some();
        self.foreign.as_ref().filter(|_| !answered && !self.alerts.iter().any(|alert| alert.from == Side::Server))
    }

    /// Notes that the start of the connection is not in the capture: the server's first bytes may then be the middle of
    /// a record, unless they answer a ClientHello that was seen.
    pub(in crate::protocol) fn begins_mid_stream(&mut self) {
        let asked = self.client_hello.as_ref().map(|hello| hello.at.place());
        if let Some(Foreign { at, .. }) = self.foreign.take_if(|it| asked.is_none_or(|asked| it.at.place() < asked)) {
            self.hole(Hole { side: Side::Server, at, missing: 0, cut: None, in_clear: true });
        }
    }

    /// Whether nothing readable distinguishes TLS 1.3, where most of a handshake looks like application data, from
    /// earlier versions.
    pub fn version_is_open(&self) -> bool {
        let earlier = self.server_hello_done.or(self.client_key_exchange).or(self.finished.client);
        self.version().is_none() && self.certificates.server.is_none() && earlier.is_none()
    }

    /// Whether bytes that a side sent in clear are missing.
    pub fn lacks_in_clear(&self, side: Side) -> bool {
        self.holes.iter().any(|hole| hole.side == side && hole.in_clear)
    }

    /// Whether missing bytes may contain the Finished messages that were not seen.
    pub fn may_have_finished(&self) -> bool {
        let flight =
            self.history.iter().filter(|(letter, _)| letter.is_server_flight()).map(|(_, at)| at.place()).max();
        let hole = |side: Side, from: (u32, u64)| {
            let mut holes = self.holes.iter().filter(|hole| hole.side == side).map(|hole| hole.at.place());
            holes.find(|place| *place >= from)
        };
        let seen = self.client_key_exchange.or(self.finished.client).map(|at| at.place());
        // Missing bytes of the client after the server's flight are its answer; missing bytes of the server after that,
        // its Finished.
        let answer = seen.or_else(|| hole(Side::Client, flight?));
        answer.is_some_and(|answer| {
            let client = self.finished.client.is_some() || hole(Side::Client, answer).is_some();
            let server = self.finished.server.is_some() || hole(Side::Server, (answer.0, answer.1 + 1)).is_some();
            client && server
        })
    }

    /// The stapled OCSP answer that revokes one of the server's certificates.
    pub fn revoked_by_ocsp(&self) -> Option<&OcspAnswer> {
        self.stapled.iter().find(|answer| answer.serial_matches && answer.status == OcspStatus::Revoked)
    }

    /// The first fatal alert of the handshake. Alerts of a renegotiation do not count unless it requested the client's
    /// certificate, as servers do that need it for some pages only.
    pub fn fatal_alert(&self) -> Option<&Alert> {
        let later = self
            .renegotiation
            .filter(|later| self.certificate_request.as_ref().is_none_or(|request| request.at.place() < later.place()));
        let of_later = |alert: &&Alert| later.is_some_and(|later| later.place() <= alert.at.place());
        self.alerts.iter().filter(|alert| alert.fatal).find(|alert| !of_later(alert))
    }

    /// Whether both sides sent Finished.
    pub fn both_finished(&self) -> bool {
        self.finished.client.is_some() && self.finished.server.is_some()
    }

    /// The negotiated version.
    pub fn version(&self) -> Option<Version> {
        self.server_hello.as_ref().or(self.hello_retry.as_ref()).map(|hello| hello.version)
    }
}
