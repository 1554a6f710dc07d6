//! In: nothing. Out: the types of one device's session, each fact with its frames. Bounded: by the collector.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::outcome::{EndHow, Ending};
use super::{Recognition, SignIn};
use crate::capture::FrameRef;
use crate::flow::{Opening, Side};
use crate::protocol::tls;
use crate::words::words;
use crate::x509::Certificate;

/// One device: all that one address did within one recording, or several addresses that one network card had.
#[derive(Debug)]
pub struct Device {
    /// The recording: the index of its first capture.
    pub recording: u32,
    /// Index of the capture in which it was first seen.
    pub capture: u32,
    /// Its address; of several the first.
    pub address: IpAddr,
    /// Each of its addresses with the first and the last frame of it.
    pub addresses: Vec<(IpAddr, FrameRef, FrameRef)>,
    /// Its network card, where DHCP or ARP binds it to the address.
    pub mac: Option<([u8; 6], FrameRef)>,
    /// First and last frame of it.
    pub frames: (FrameRef, FrameRef),
    /// What tells that it is a Lync phone, or another maker's device.
    pub recognition: Recognition,
    /// How it signed in.
    pub sign_in: SignIn,
    /// Names it asked for or was told, each with the addresses they stand for, and the frame that says so.
    pub names: BTreeMap<String, Naming>,
    /// Its downloads of certificates.
    pub fetches: Vec<Fetch>,
    /// Its handshakes.
    pub handshakes: Vec<Handshake>,
    /// Its handshakes, counted.
    pub handshakes_total: u64,
    /// Connections that came to nothing.
    pub refused: Vec<Refused>,
    /// The first thing that may have brought certificates and is not known: its frame, and what it is.
    pub unreadable: Option<(FrameRef, &'static str)>,
    /// Its handshakes that did not complete, resemble none that is kept, and had no room.
    pub unkept: u64,
    /// Where its SIP servers were said to be.
    pub services: Vec<Service>,
    /// First Network Time query and the number of them.
    pub time_asked: Option<(FrameRef, u32)>,
    /// Network Time answers it had: the server's time minus the capture's, in nanoseconds.
    pub time_answers: Vec<(FrameRef, i64)>,
    /// Its first Kerberos message.
    pub kerberos: Option<FrameRef>,
    /// HTTP answers in clear that refused what was asked: status 400 and above.
    pub http_errors: Vec<(FrameRef, String)>,
    /// The rest of its story.
    pub events: Vec<Event>,
    /// Several TLS stacks or DHCP clients behind the address.
    pub shared_address: bool,
    /// All of it was told of another device: the same handshakes seen at another tap, or another address of one card.
    pub merged: bool,
}

/// An SRV record that names a server of a SIP domain (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The frame of the answer.
    pub at: FrameRef,
    /// The name asked for, `_sipinternaltls._tcp.example.com`.
    pub name: String,
    /// The domain in it.
    pub domain: String,
    /// The host that it points to.
    pub target: String,
}

impl Service {
    /// Whether the host is in the domain, or below it.
    pub fn is_in_domain(&self) -> bool {
        let host = self.target.strip_suffix(self.domain.as_str());
        host.is_some_and(|host| host.is_empty() || host.ends_with('.'))
    }
}

/// What stands behind a name.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// Addresses it resolved to.
    pub addresses: Vec<IpAddr>,
    /// The frame of the first query or option.
    pub at: Option<FrameRef>,
    /// It came as the target of an SRV record.
    pub is_srv_target: bool,
    /// It came by DHCP.
    pub by_dhcp: bool,
}

/// One line of a device's story.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its frame.
    pub at: FrameRef,
    /// `dhcp`, `dns`, `ntp`, `ldap`, `http`, …
    pub kind: &'static str,
    /// The server it was between, where it matters to the story which.
    pub server: Option<SocketAddr>,
    /// What happened.
    pub summary: String,
}

words! {
    /// What kind of download it is; a profile says what each kind adds.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum FetchKind {
        /// Lync's certificate provisioning web service.
        Certprov = "certprov",
        /// The web pages of an Active Directory CA.
        Certsrv = "certsrv",
        /// The address in a certificate's authority information access.
        Aia = "aia",
        /// Any other body over HTTP.
        Http = "http",
        /// LDAP, an entry below `CN=Certification Authorities`.
        LdapRoot = "ldap-root",
        /// LDAP, any other entry.
        LdapAia = "ldap-aia",
    }
}

/// One download of certificates, or an attempt at one.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// `http` or `ldap`.
    pub via: &'static str,
    /// Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The server.
    pub server: SocketAddr,
    /// HTTP method, or `search`.
    pub method: String,
    /// URL without user info and query; the base DN.
    pub url: String,
    /// HTTP status, LDAP result code.
    pub status: Option<u32>,
    /// Declared content type.
    pub content_type: Option<String>,
    /// What came, each with the kind of place it came from.
    pub certificates: Vec<(Arc<Certificate>, FetchKind)>,
    /// The answer came whole.
    pub complete: bool,
    /// Bytes of the answer were sent that are not in the capture.
    pub gap: bool,
    /// The address to which the answer sends the device on, written like `url`.
    pub redirect: Option<String>,
    /// What went wrong.
    pub problem: Option<String>,
    /// Frame of the request.
    pub request: FrameRef,
    /// Frame of the last byte of the answer.
    pub last: Option<FrameRef>,
}

impl Fetch {
    /// Whether it brought certificates that the device could use.
    pub fn succeeded(&self) -> bool {
        self.complete && self.may_succeed() && !self.certificates.is_empty()
    }

    /// Whether it brought certificates over HTTP, as PIN sign-in does.
    pub fn brought_over_http(&self) -> bool {
        self.succeeded() && self.via == "http"
    }

    /// Whether it may have brought certificates, for all that its status says: a whole file, one that a proxy changed, a part
    /// (RFC 9110 section 15.3).
    pub fn may_succeed(&self) -> bool {
        self.via == "ldap" || matches!(self.status, Some(200 | 203 | 206))
    }

    /// Whether it did not bring what it asked for. One for the head alone asks for no certificate, and the answer 304 says
    /// that the device has it already (RFC 9110 sections 9.3.2 and 15.4.5).
    pub fn failed(&self) -> bool {
        let fulfilled = self.problem.is_none() && (self.method == "HEAD" || self.status == Some(304));
        !self.succeeded() && !fulfilled
    }

    /// What it was, where the device may have more by it than the capture shows.
    pub fn unseen(&self) -> Option<&'static str> {
        match self.status {
            Some(304) => Some("a file of which the server says that the device has it already (304)"),
            Some(206) if !self.succeeded() => Some("a download in parts (206)"),
            _ if self.gap && self.may_succeed() && !self.complete => {
                Some("a download whose answer is not all in the capture")
            }
            _ => None,
        }
    }
}

/// One handshake with all that its connection tells.
#[derive(Clone, Debug)]
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
    /// Both directions were captured.
    pub two_sided: bool,
    /// The connection's start was captured.
    pub opened: bool,
    /// A copy of bytes in clear that differs from another, with nothing to tell which is right.
    pub conflict: Option<FrameRef>,
    /// The messages in order, and how each side closed the connection.
    pub history: tls::History,
    /// How many more were like this in everything but time.
    pub repeats: u64,
    /// First frame of the last of those.
    pub repeated_from: FrameRef,
    /// Frame in which the last of those ended.
    pub repeated_until: FrameRef,
    /// The same handshake at other taps: its stream and first frame there.
    pub also_seen: Vec<(u64, FrameRef)>,
}

impl Handshake {
    /// SNI.
    pub fn server_name(&self) -> Option<&str> {
        self.tls.server_name()
    }

    /// The server's own certificate, unless the capture lacks it.
    pub fn own_certificate(&self) -> Option<&Arc<Certificate>> {
        let own = self.tls.certificates.server.as_ref().is_some_and(|list| list.own);
        self.sent.first().filter(|_| own)
    }

    /// The readable fatal alert that ended it. One that answers the other side's end is none.
    pub fn last_word(&self) -> Option<&tls::Alert> {
        let ended = |alert: &&tls::Alert| self.ending.how == EndHow::Alert && self.ending.at == Some(alert.at);
        self.tls.fatal_alert().filter(ended)
    }

    /// Whether the readable fatal alert that ended it has this code.
    pub fn ended_with(&self, code: tls::AlertCode) -> bool {
        self.last_word().is_some_and(|alert| alert.code == code)
    }

    /// Whether the server answered with its flight, though that may be cut, or not be there.
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

    /// Whether the server asked for a client certificate: its request is there, or what only answers one.
    pub fn asked_client(&self) -> bool {
        self.tls.certificate_request.is_some() || self.tls.certificates.client.is_some()
    }

    /// The frame by which the client had made up its mind: what it fetched later did not count.
    pub fn deciding(&self) -> FrameRef {
        let accepted = self.tls.client_key_exchange.or(self.tls.finished.client);
        accepted.or(self.ending.at).unwrap_or(self.last)
    }

    /// Whether the client went on after the server's certificates.
    pub fn client_accepted(&self) -> bool {
        self.tls.client_key_exchange.is_some() || self.tls.finished.client.is_some() || self.tls.data.client.records > 0
    }

    /// Whether what was read of another one is equal in everything but time, so that the two can be told as one.
    pub(super) fn is_like(&self, other: &Parts<'_>) -> bool {
        let (mine, its) = (&self.tls, other.tls);
        let hellos = |tls: &tls::Handshake| tls.server_hello.as_ref().map(|hello| (hello.version, hello.cipher_suite));
        self.server == other.server
            && self.history == *other.history
            && (self.ending.outcome, self.ending.how) == (other.ending.outcome, other.ending.how)
            && hellos(mine) == hellos(its)
            && mine.server_name() == its.server_name()
            && mine.alerts.iter().map(|alert| alert.code).eq(its.alerts.iter().map(|alert| alert.code))
            && same_certificates(&self.sent, other.sent)
            && same_certificates(&self.client_sent, other.client_sent)
    }
}

/// What of a handshake tells whether it is like another, before it is known whether it is kept.
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

/// A connection that came to nothing.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The server.
    pub server: SocketAddr,
    /// The SYNs.
    pub opening: Opening,
    /// The server's RST; `None` when nothing came.
    pub reset: Option<FrameRef>,
    /// How many more there were like this.
    pub repeats: u64,
    /// Last frame of the last of them.
    pub last: FrameRef,
}
