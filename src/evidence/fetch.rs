//! In: nothing. Out: a fetch of certificates, with its frames. Bounded: by the collectors.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::capture::FrameRef;
use crate::words::words;
use crate::x509::Certificate;

words! {
    /// What kind of fetch it is; a profile says what each kind adds.
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

words! {
    /// The protocol of a fetch.
    #[derive(Hash)]
    pub enum Via {
        /// HTTP.
        Http = "http",
        /// LDAP.
        Ldap = "ldap",
    }
}

/// A fetch of certificates, successful or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fetch {
    /// The protocol.
    pub via: Via,
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
    /// The certificates that it brought, each with the kind of source.
    pub certificates: Vec<(Arc<Certificate>, FetchKind)>,
    /// Whether the answer is complete.
    pub complete: bool,
    /// Whether bytes of the answer are missing from the capture.
    pub gap: bool,
    /// Whether its answer is a part of a file whose other parts came too; the one that came last has the certificates.
    pub joined: bool,
    /// The target of a redirection, written like `url`.
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
        self.succeeded() && self.via == Via::Http
    }

    /// Whether its status allows that it brought certificates: 200, 203 (changed by a proxy) and 206 (a part) do
    /// (RFC 9110 section 15.3).
    pub fn may_succeed(&self) -> bool {
        self.via == Via::Ldap || matches!(self.status, Some(200 | 203 | 206))
    }

    /// Whether it failed to bring what it asked for. HEAD asks for no certificate, and the answer 304 says that the device
    /// has it already (RFC 9110 sections 9.3.2 and 15.4.5; D-PROTOCOL-13). A part that others complete brought its share.
    pub fn failed(&self) -> bool {
        let fulfilled = self.problem.is_none() && (self.joined || self.method == "HEAD" || self.status == Some(304));
        !self.succeeded() && !fulfilled
    }

    /// What kind of fetch it is, where it may have given the device more than the capture shows (D-DIAGNOSIS-27).
    pub fn unseen(&self) -> Option<&'static str> {
        match self.status {
            Some(304) => Some("a file of which the server says that the device has it already (304)"),
            Some(206) if !self.succeeded() && !self.joined => Some("a download in parts (206)"),
            _ if self.gap && self.may_succeed() && !self.complete => {
                Some("a download whose answer is not all in the capture")
            }
            _ => None,
        }
    }
}
