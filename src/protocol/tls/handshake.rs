//! In: what was read of a connection, by the files beside this one. Out: [`Handshake`], and answers to what later stages
//! ask of it. Bounded: by those that add to it. Left to others: how it was read, how TCP ended.

use super::history::Letter;
use super::message::{CertificateList, CertificateRequest, ClientHello, ServerHello};
use super::names::{AlertCode, Version};
use super::ocsp::{OcspAnswer, OcspStatus};
use super::protect::Undecrypted;
use crate::capture::{Cut, FrameRef};
use crate::flow::{Both, Side};

/// What was read of a handshake.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// The host to which a proxy was asked for a tunnel (CONNECT), where the handshake is in one.
    pub tunnel_to: Option<String>,
    /// The last ClientHello: the one that counts after a HelloRetryRequest.
    pub client_hello: Option<ClientHello>,
    /// The HelloRetryRequest that came before the ServerHello.
    pub hello_retry: Option<ServerHello>,
    /// The ServerHello.
    pub server_hello: Option<ServerHello>,
    /// The Certificate message of each side.
    pub certificates: Both<Option<CertificateList>>,
    /// What OCSP responses that the server stapled to its certificates say.
    pub stapled: Vec<OcspAnswer>,
    /// The server's CertificateRequest.
    pub certificate_request: Option<CertificateRequest>,
    /// Frame of ServerHelloDone.
    pub server_hello_done: Option<FrameRef>,
    /// Frame of ClientKeyExchange.
    pub client_key_exchange: Option<FrameRef>,
    /// Frame of each side's Finished, or in TLS 1.3 without secrets of its first encrypted record.
    pub finished: Both<Option<FrameRef>>,
    /// Frame of each side's ChangeCipherSpec.
    pub change_cipher_spec: Both<Option<FrameRef>>,
    /// Alerts that could be read.
    pub alerts: Vec<Alert>,
    /// Frame of each side's first alert that may end the connection without a readable reason: one that stays encrypted, an
    /// opened one that is fatal, or close_notify or user_canceled, also in clear before both have finished.
    pub encrypted_alert: Both<Option<FrameRef>>,
    /// Application data of each side.
    pub data: Both<Data>,
    /// What was sent, each message with its frame.
    pub history: Vec<(Letter, FrameRef)>,
    /// What is missing, where.
    pub holes: Vec<Hole>,
    /// The server's first bytes, where they are no record of TLS.
    pub foreign: Option<Foreign>,
    /// Whether handshake records of each side that TLS 1.3 encrypts were read with a key log's secrets.
    pub decrypted: Both<bool>,
    /// TLS 1.3 records of each side that stayed encrypted and may hold a handshake message or an alert.
    pub unread: Both<u64>,
    /// Why records stayed encrypted although there is a key log, and from which frame on.
    pub undecrypted: Option<(Undecrypted, FrameRef)>,
    /// Frame of the first record of another handshake within the connection, after data (RFC 5246 section 7.4.1.1).
    pub renegotiation: Option<FrameRef>,
}

/// An alert that could be read.
#[derive(Clone, Copy, Debug)]
pub struct Alert {
    /// Who sent it.
    pub from: Side,
    /// AlertLevel is fatal; in TLS 1.3 all but close_notify and user_canceled are (RFC 8446 section 6).
    pub fatal: bool,
    /// AlertDescription.
    pub code: AlertCode,
    /// Its frame.
    pub at: FrameRef,
}

/// Bytes with which a side begins that are no record of TLS.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Their frame.
    pub at: FrameRef,
    /// Their first line, where they are ASCII text, cut after forty characters; otherwise empty.
    pub text: String,
}

/// Application data of one side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Data {
    /// Records.
    pub records: u64,
    /// Frame of the first one.
    pub first: Option<FrameRef>,
    /// Frame of the last one.
    pub last: Option<FrameRef>,
}

/// Bytes of a handshake that the capture does not hold.
#[derive(Clone, Copy, Debug)]
pub struct Hole {
    /// Whose direction.
    pub side: Side,
    /// The frame that was cut, or the first one after what is missing.
    pub at: FrameRef,
    /// How many bytes.
    pub missing: u64,
    /// How much of the frame was kept, where the capture cut it.
    pub cut: Option<Cut>,
    /// Before the sending side was encrypted, so that something readable is missing.
    pub in_clear: bool,
}

impl Handshake {
    /// SNI of the client's hello.
    pub fn server_name(&self) -> Option<&str> {
        self.client_hello.as_ref()?.server_name.as_deref()
    }

    /// Whether TLS 1.3 was agreed on, which encrypts certificates.
    pub fn is_1_3(&self) -> bool {
        self.version().is_some_and(Version::is_1_3)
    }

    /// Whether encryption hides the server's Certificate message: TLS 1.3 without its secrets. A session that is taken up
    /// again has none to hide (RFC 8446 section 2.2).
    pub fn hides_certificates(&self) -> bool {
        self.is_1_3() && !self.decrypted.server && !self.resumed()
    }

    /// Whether encryption hides how the client took it, for what looks like its Finished or data may be its alert; or how
    /// the server took the certificate that it asked the client for.
    pub fn hides_answer(&self) -> bool {
        let asked = self.certificate_request.is_some() && self.decrypted.server;
        self.is_1_3() && (self.unread.client > 0 || (asked && self.unread.server > 0))
    }

    /// Whether the server took up an earlier session, so that it sent no certificate.
    pub fn resumed(&self) -> bool {
        let Some(hello) = &self.server_hello else { return false };
        if hello.version.is_1_3() {
            return hello.resumes_psk;
        }
        let sent_nothing = self.certificates.server.is_none() && self.server_hello_done.is_none();
        sent_nothing && self.change_cipher_spec.server.is_some() && self.holes.is_empty()
    }

    /// Whether a message of a handshake was seen in clear, though it may be cut.
    pub fn began(&self) -> bool {
        self.history.iter().any(|(letter, _)| letter.is_negotiation()) || !self.alerts.is_empty()
    }

    /// The server's first bytes, where it speaks another protocol than TLS. One that went over to TLS later does not.
    pub fn other_protocol(&self) -> Option<&Foreign> {
        let answered = self.server_hello.is_some() || self.certificates.server.is_some();
        self.foreign.as_ref().filter(|_| !answered && !self.alerts.iter().any(|alert| alert.from == Side::Server))
    }

    /// The connection's start is not in the capture: bytes that are no record may be the middle of one, unless they answer
    /// a ClientHello that is there.
    pub(in crate::protocol) fn begins_mid_stream(&mut self) {
        let asked = self.client_hello.as_ref().map(|hello| hello.at.place());
        if let Some(Foreign { at, .. }) = self.foreign.take_if(|it| asked.is_none_or(|asked| it.at.place() < asked)) {
            self.hole(Hole { side: Side::Server, at, missing: 0, cut: None, in_clear: true });
        }
    }

    /// Whether nothing readable tells TLS 1.3, most of whose handshake looks like application data, from the versions
    /// before it.
    pub fn version_is_open(&self) -> bool {
        let earlier = self.server_hello_done.or(self.client_key_exchange).or(self.finished.client);
        self.version().is_none() && self.certificates.server.is_none() && earlier.is_none()
    }

    /// Whether bytes that a side sent in clear are not in the capture.
    pub fn lacks_in_clear(&self, side: Side) -> bool {
        self.holes.iter().any(|hole| hole.side == side && hole.in_clear)
    }

    /// Whether bytes that the capture lacks may hold the Finished messages that were not seen.
    pub fn may_have_finished(&self) -> bool {
        let flight =
            self.history.iter().filter(|(letter, _)| letter.is_server_flight()).map(|(_, at)| at.place()).max();
        let hole = |side: Side, from: (u32, u64)| {
            let mut holes = self.holes.iter().filter(|hole| hole.side == side).map(|hole| hole.at.place());
            holes.find(|place| *place >= from)
        };
        let seen = self.client_key_exchange.or(self.finished.client).map(|at| at.place());
        // What the client lacks after the server's flight is its answer; what the server lacks after that, its Finished.
        let answer = seen.or_else(|| hole(Side::Client, flight?));
        answer.is_some_and(|answer| {
            let client = self.finished.client.is_some() || hole(Side::Client, answer).is_some();
            let server = self.finished.server.is_some() || hole(Side::Server, (answer.0, answer.1 + 1)).is_some();
            client && server
        })
    }

    /// The answer stapled to the server's certificates that says that one of them is revoked.
    pub fn revoked_by_ocsp(&self) -> Option<&OcspAnswer> {
        self.stapled.iter().find(|answer| answer.serial_matches && answer.status == OcspStatus::Revoked)
    }

    /// The first fatal alert of the handshake: not of a later one within the connection, unless that one asked for the
    /// client's certificate, as servers do that want it for some pages only.
    pub fn fatal_alert(&self) -> Option<&Alert> {
        let later = self
            .renegotiation
            .filter(|later| self.certificate_request.as_ref().is_none_or(|request| request.at.place() < later.place()));
        let of_later = |alert: &&Alert| later.is_some_and(|later| later.place() <= alert.at.place());
        self.alerts.iter().filter(|alert| alert.fatal).find(|alert| !of_later(alert))
    }

    /// Whether both sides have shown that they have all they need.
    pub fn both_finished(&self) -> bool {
        self.finished.client.is_some() && self.finished.server.is_some()
    }

    /// The version agreed on.
    pub fn version(&self) -> Option<Version> {
        self.server_hello.as_ref().or(self.hello_retry.as_ref()).map(|hello| hello.version)
    }
}
