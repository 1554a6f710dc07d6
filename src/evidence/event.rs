//! In: nothing. Out: what a device did or was told beside its handshakes and fetches, as it was seen. Bounded: by the
//! collectors. Left to others: the words for it.

use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddr};

use crate::capture::FrameRef;
use crate::protocol::other_tls::OtherTls;
use crate::words::words;

words! {
    /// What kind of step of a device's story it is.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum EventKind {
        /// A DHCP message.
        Dhcp = "dhcp",
        /// A DNS answer.
        Dns = "dns",
        /// A question for the time, or its answer.
        Ntp = "ntp",
        /// An LDAP search that asks for no CA certificates.
        Ldap = "ldap",
        /// An HTTP request that asks for no certificates.
        Http = "http",
        /// A Kerberos message.
        Kerberos = "kerberos",
        /// An LLDP data unit.
        Lldp = "lldp",
        /// TLS inside EAP.
        Eap = "eap",
        /// TLS inside QUIC.
        Quic = "quic",
        /// DTLS.
        Dtls = "dtls",
        /// A fetch of certificates, successful or not.
        Fetch = "fetch",
        /// A connection that failed.
        Connect = "connect",
        /// A TLS handshake.
        Handshake = "handshake",
        /// A step that another device took and this one did not.
        Absent = "absent",
    }
}

/// One step of a device's story, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its frame.
    pub at: FrameRef,
    /// The server's endpoint, if the step is one connection or one request.
    pub server: Option<SocketAddr>,
    /// What was seen.
    pub fact: Fact,
}

impl Event {
    /// Whether the story needs only one of the two: they differ in their frames alone, or are the same request through
    /// two proxies.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.fact == other.fact && (self.server == other.server || matches!(self.fact, Fact::Http(_)))
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let said = match &self.fact {
            Fact::Dhcp(_) | Fact::Lldp(_) => 256,
            Fact::Dns(answer) => 128 + answer.name.len() + answer.answers.len() * 48,
            Fact::Ldap(base) => base.len(),
            Fact::Http(request) => 96 + request.url.len(),
            Fact::TimeAsked | Fact::TimeTold | Fact::Kerberos | Fact::OtherTls(_) => 0,
        };
        size_of::<Self>() + said
    }

    /// Whether it is the message by which a DHCP server grants an address.
    pub(super) fn is_dhcp_ack(&self) -> bool {
        matches!(&self.fact, Fact::Dhcp(message) if message.is_ack)
    }
}

/// What was seen in one frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A DHCP message.
    Dhcp(Box<DhcpMessage>),
    /// The answer to a DNS question.
    Dns(Box<DnsAnswer>),
    /// A question for the time.
    TimeAsked,
    /// An answer to it.
    TimeTold,
    /// A search below this base DN.
    Ldap(String),
    /// An HTTP request and its answer.
    Http(Box<HttpRequest>),
    /// A Kerberos message to a server.
    Kerberos,
    /// What an LLDP neighbour says of itself.
    Lldp(Box<Neighbour>),
    /// TLS that does not run over TCP.
    OtherTls(OtherTls),
}

impl Fact {
    /// Its kind.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Dhcp(_) => EventKind::Dhcp,
            Self::Dns(_) => EventKind::Dns,
            Self::TimeAsked | Self::TimeTold => EventKind::Ntp,
            Self::Ldap(_) => EventKind::Ldap,
            Self::Http(_) => EventKind::Http,
            Self::Kerberos => EventKind::Kerberos,
            Self::Lldp(_) => EventKind::Lldp,
            Self::OtherTls(OtherTls::Eap(_) | OtherTls::EapInRadius(_)) => EventKind::Eap,
            Self::OtherTls(OtherTls::Quic) => EventKind::Quic,
            Self::OtherTls(OtherTls::Dtls) => EventKind::Dtls,
        }
    }
}

/// A DHCP message, as far as it matters to a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DhcpMessage {
    /// Its type by name, `DISCOVER` to `INFORM`.
    pub message: &'static str,
    /// It grants an address.
    pub is_ack: bool,
    /// The address that it grants.
    pub lease: Option<Ipv4Addr>,
    /// Option 60, of this message or of the client's last one.
    pub vendor_class: Option<String>,
    /// The host of the certificate web service, with its path (option 43).
    pub web_service: Option<String>,
    /// Option 120.
    pub sip_server: Option<String>,
    /// Option 12, in UTF-8.
    pub host_name: Option<Box<[u8]>>,
}

/// The answer to a DNS question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsAnswer {
    /// The type of record asked for, `A`.
    pub question: String,
    /// The name asked for, in lower case.
    pub name: String,
    /// The response code (RFC 1035 section 4.1.1).
    pub rcode: u8,
    /// Addresses, and servers with their ports.
    pub answers: Vec<String>,
}

/// What an LLDP neighbour says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Neighbour {
    /// LLDP-MED device type: 1 to 3 are endpoint classes I to III, 4 network connectivity.
    pub device_type: Option<u8>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its software's version, else its firmware's.
    pub version: Option<String>,
    /// The VLAN for voice.
    pub voice_vlan: Option<u16>,
}

/// An HTTP request in clear that asked for no certificates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpRequest {
    /// Its method.
    pub method: String,
    /// URL without user info and query; for CONNECT the endpoint that the tunnel leads to.
    pub url: String,
    /// The answer's status; `None` where there was none.
    pub status: Option<u16>,
}

impl HttpRequest {
    /// Whether it asks for the same as another one, whatever the answer.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        (&self.method, &self.url) == (&other.method, &other.url)
    }

    /// The endpoint to which it asks a proxy for a tunnel (RFC 9110 section 9.3.6).
    pub fn tunnel_to(&self) -> Option<&str> {
        (self.method == "CONNECT").then_some(self.url.as_str())
    }
}

/// `GET http://192.0.2.1/path: 404`.
impl std::fmt::Display for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, url, status } = self;
        match status {
            Some(status) => write!(f, "{method} {url}: {status}"),
            None => write!(f, "{method} {url}: no answer"),
        }
    }
}
