//! In: nothing. Out: a handshake with all that its connection tells, and the questions that later stages ask of it.
//! Bounded: by the collectors.

use std::mem::size_of;
use std::net::SocketAddr;
use std::sync::Arc;

use super::outcome::{EndHow, Ending};
use crate::capture::FrameRef;
use crate::flow::Side;
use crate::protocol::tls;
use crate::x509::Certificate;

/// One handshake with all that its connection tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handshake {
    /// Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The client.
    pub client: SocketAddr,
    /// The server.
    pub server: SocketAddr,
    /// What was read of it.
    pub tls: tls::Handshake,
    /// The server's certificates in the order sent.
    pub sent: Vec<Arc<Certificate>>,
    /// The client's certificates in the order sent.
    pub client_sent: Vec<Arc<Certificate>>,
    /// How it ended.
    pub ending: Ending,
    /// Frame of the first message.
    pub first: FrameRef,
    /// Last frame of the connection.
    pub last: FrameRef,
    /// Whether both directions were captured.
    pub two_sided: bool,
    /// Whether the start of the connection was captured.
    pub opened: bool,
    /// The frame in which a copy of bytes in clear differs from another one and nothing shows which is right.
    pub conflict: Option<FrameRef>,
    /// The messages in order, and how each side closed the connection.
    pub history: tls::History,
    /// How many more handshakes were equal to this one in everything but time.
    pub repeats: u64,
    /// First frame of the last of those.
    pub repeated_from: FrameRef,
    /// Frame in which the last of those ended.
    pub repeated_until: FrameRef,
    /// The same handshake at other taps and interfaces: its stream and first frame there.
    pub also_seen: Vec<(u64, FrameRef)>,
}

impl Handshake {
    /// About how many bytes it takes, certificates aside.
    pub(super) fn weight(&self) -> usize {
        let hello = self.tls.client_hello.as_ref();
        let offered = hello.map_or(0, |hello| hello.cipher_suites.len() + hello.extensions.len() + hello.stack.len());
        let asked = self.tls.certificate_request.as_ref();
        let asked: usize = asked.map_or(0, |request| request.authorities.iter().map(|name| name.len() + 32).sum());
        let listed = self.sent.len() + self.client_sent.len() + self.tls.holes.len() * 12 + self.tls.alerts.len() * 8;
        // What is left are a dozen short lists.
        size_of::<Self>() + offered * 2 + asked + listed * size_of::<usize>() + 512
    }

    /// SNI.
    pub fn server_name(&self) -> Option<&str> {
        self.tls.server_name()
    }

    /// The server's own certificate, unless the capture lacks it.
    pub fn own_certificate(&self) -> Option<&Arc<Certificate>> {
        let own = self.tls.certificates.server.as_ref().is_some_and(|list| list.own);
        self.sent.first().filter(|_| own)
    }

    /// The readable fatal alert that ended it; an alert sent in answer to the other side's close does not count.
    pub fn last_word(&self) -> Option<&tls::Alert> {
        let ended = |alert: &&tls::Alert| self.ending.how == EndHow::Alert && self.ending.at == Some(alert.at);
        self.tls.fatal_alert().filter(ended)
    }

    /// Whether the readable fatal alert that ended it has this code.
    pub fn ended_with(&self, code: tls::AlertCode) -> bool {
        self.last_word().is_some_and(|alert| alert.code == code)
    }

    /// Whether the server answered with its flight, even if the capture lacks some or all of it.
    pub fn server_answered(&self) -> bool {
        self.history.has_server_flight() || self.tls.lacks_in_clear(Side::Server)
    }

    /// Whether the capture begins after the hellos.
    pub fn lacks_start(&self) -> bool {
        !self.opened && !self.history.has_hello()
    }

    /// Whether the capture begins after the client's hello, so that the name asked for is not known either.
    pub fn lacks_hello(&self) -> bool {
        !self.opened && self.tls.client_hello.is_none()
    }

    /// Whether the server asked for a client certificate: the capture has its request, or the client's answer to one.
    /// Decided in D-EVIDENCE-10.
    pub fn asked_client(&self) -> bool {
        self.tls.certificate_request.is_some() || self.tls.certificates.client.is_some()
    }

    /// The frame by which the client had decided about the chain: later fetches did not matter (D-DIAGNOSIS-19).
    pub fn deciding(&self) -> FrameRef {
        let accepted = self.tls.client_key_exchange.or(self.tls.finished.client).or(self.tls.went_on);
        accepted.or(self.ending.at).unwrap_or(self.last)
    }

    /// Whether the client went on after the server's certificates (D-DIAGNOSIS-01).
    pub fn client_accepted(&self) -> bool {
        let tls = &self.tls;
        let answered = tls.client_key_exchange.is_some() || tls.finished.client.is_some();
        answered || tls.data.client.records > 0 || tls.went_on.is_some()
    }

    /// Whether the client never acknowledged the server's flight, and so did not have its certificates.
    pub fn lacked_flight(&self) -> bool {
        matches!(self.ending.undelivered, Some((Side::Server, _))) && !self.client_accepted()
    }

    /// Whether another handshake is equal in everything but time, so that the two can be counted as one.
    pub(super) fn is_like(&self, other: &Parts<'_>) -> bool {
        let (mine, its) = (&self.tls, other.tls);
        let hellos = |tls: &tls::Handshake| tls.server_hello.as_ref().map(|hello| (hello.version, hello.cipher_suite));
        self.server == other.server
            && self.history == *other.history
            && (self.ending.outcome, self.ending.how) == (other.ending.outcome, other.ending.how)
            && self.ending.is_stalled() == other.ending.is_stalled()
            && hellos(mine) == hellos(its)
            && mine.server_name() == its.server_name()
            && mine.alerts.iter().map(|alert| alert.code).eq(its.alerts.iter().map(|alert| alert.code))
            && same_certificates(&self.sent, other.sent)
            && same_certificates(&self.client_sent, other.client_sent)
    }
}

/// The parts of a handshake that are compared with kept ones, before it is known whether it is kept itself.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) server: SocketAddr,
    pub(super) sent: &'a [Arc<Certificate>],
    pub(super) client_sent: &'a [Arc<Certificate>],
    pub(super) tls: &'a tls::Handshake,
    pub(super) ending: &'a Ending,
    pub(super) history: &'a tls::History,
}

fn same_certificates(a: &[Arc<Certificate>], b: &[Arc<Certificate>]) -> bool {
    a.iter().map(|certificate| certificate.sha256()).eq(b.iter().map(|certificate| certificate.sha256()))
}
