//! The steps of a device's story, as members of a report, and the words that their members make.
//!
//! In: nothing. Out: plain data, serializable both ways. Left to others: where the values come from.

use serde::{Deserialize, Serialize};

use crate::evidence::EventKind;

/// One step of a device's story.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Event {
    /// The capture's path.
    pub capture: String,
    /// The frame's number; null for a step that is absent.
    pub frame: Option<u64>,
    /// Its time; null for a step that is absent.
    pub time: Option<String>,
    /// What kind of step.
    pub kind: EventKind,
    /// What happened, in one line.
    pub summary: String,
    /// The server's endpoint, if the step is one connection or one request.
    pub server: Option<String>,
    /// Where another device made the step that is absent here.
    pub elsewhere: Option<FrameRange>,
    /// The facts behind the summary, in an object named after the kind; null where other members hold them all.
    pub detail: Option<EventDetail>,
}

/// A run of frames of one capture.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FrameRange {
    /// The capture's path.
    pub capture: String,
    /// Number of the first frame.
    pub first_frame: u64,
    /// Number of the last frame.
    pub last_frame: u64,
}

/// The facts behind the summary of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventDetail {
    /// Of a DHCP message.
    Dhcp(DhcpDetail),
    /// Of a DNS answer.
    Dns(DnsDetail),
    /// Of an HTTP request.
    Http(HttpDetail),
    /// Of an LDAP search.
    Ldap(LdapDetail),
    /// Of an LLDP data unit.
    Lldp(LldpDetail),
}

/// A DHCP message, as far as it matters to a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DhcpDetail {
    /// Its type by name, `DISCOVER` to `INFORM`.
    pub message: String,
    /// The address that it grants.
    pub lease: Option<String>,
    /// Vendor class (option 60), of this message or of the client's last one.
    pub vendor_class: Option<String>,
    /// Host of the certificate web service, with its path (option 43).
    pub web_service: Option<String>,
    /// SIP servers (option 120).
    pub sip_server: Option<String>,
}

impl DhcpDetail {
    /// Message and vendor class.
    pub(super) fn subject(&self) -> String {
        let class = self.vendor_class.as_ref().map(|class| format!(", vendor class {class}"));
        format!("{}{}", self.message, class.unwrap_or_default())
    }

    /// `lease 192.0.2.50`.
    pub(super) fn lease_in_words(&self) -> Option<String> {
        Some(format!("lease {}", self.lease.as_ref()?))
    }

    /// The servers that it names.
    pub(super) fn servers_in_words(&self) -> impl Iterator<Item = String> {
        let web = self.web_service.iter().map(|service| format!("web service {service}"));
        web.chain(self.sip_server.iter().map(|server| format!("SIP server {server}")))
    }
}

/// The answer to a DNS question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DnsDetail {
    /// The type of record asked for, `A`.
    pub question: String,
    /// The name asked for, in lower case.
    pub name: String,
    /// The response code; 0 is success, 3 that there is no such name (RFC 1035 section 4.1.1).
    pub rcode: u8,
    /// Addresses, and servers with their ports; a long list is cut.
    pub answers: Vec<String>,
}

impl DnsDetail {
    /// `A pool.contoso.test`.
    pub(super) fn subject(&self) -> String {
        format!("{} {}", self.question, self.name)
    }

    /// The answers, or why there are none.
    pub(super) fn result(&self) -> Vec<String> {
        match (self.rcode, self.answers.is_empty()) {
            (0, false) => self.answers.clone(),
            (0, true) => vec!["no such record".into()],
            (3, _) => vec!["no such name".into()],
            (code, _) => vec![format!("error {code}")],
        }
    }
}

/// An HTTP request that asks for no certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HttpDetail {
    /// Its method.
    pub method: String,
    /// URL without user info and query; for CONNECT the endpoint that the tunnel leads to.
    pub url: String,
    /// The answer's status; null where there was no answer.
    pub status: Option<u16>,
}

impl HttpDetail {
    /// `GET http://pool.contoso.test/path`.
    pub(super) fn subject(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    /// The status, or that there was no answer.
    pub(super) fn result(&self) -> String {
        self.status.map_or("no answer".into(), |status| status.to_string())
    }
}

/// An LDAP search that asks for no CA certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LdapDetail {
    /// The base DN.
    pub base: String,
}

/// What an LLDP neighbour says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LldpDetail {
    /// LLDP-MED device type: 1 to 3 are endpoint classes I to III, 4 network connectivity.
    pub device_type: Option<u8>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its software's version, else its firmware's.
    pub software: Option<String>,
    /// The VLAN for voice.
    pub voice_vlan: Option<u16>,
}
