//! The members of a report, in the order in which they are written.
//!
//! In: nothing. Out: plain data, serializable both ways. Left to others: where the values come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stack::{ClientStack, StackAnswer};

pub use super::event::{DhcpDetail, DnsDetail, Event, EventDetail, FrameRange, HttpDetail, LdapDetail, LldpDetail};
pub use super::fault::{CodeCount, Fault, FaultExample, Group, Timeline, Totals};
pub use super::missing::{Found, Missing, MissingCandidate};
// Words of the stages that decide them (D-PROJECT-01).
pub use crate::diagnosis::{Excluded, ProfileBasis, Severity, VerdictStatus};
pub use crate::evidence::{EndHow, EventKind, Outcome, SignInMethod, SignInStrength, Via};
pub use crate::trust::{ChainStatus, Proof, StepFrom};
use crate::words::words;

/// The value of a report's `schema` member.
pub const REPORT_SCHEMA: &str = "chaingap.report/2";

/// The result of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Report {
    /// Name and version of this format: [`REPORT_SCHEMA`].
    pub schema: String,
    /// The program that wrote the report.
    pub tool: Tool,
    /// What the run was asked to do.
    pub options: Options,
    /// False if something was dropped, cut or unreadable, which may affect a verdict.
    pub complete: bool,
    /// What was not kept because of limits.
    pub dropped: Dropped,
    /// The files read, in the order given.
    pub captures: Vec<Capture>,
    /// Sums over all devices, shown or not.
    pub totals: Totals,
    /// The problems at servers, each once however many devices it affects, those of most devices first.
    pub faults: Vec<Fault>,
    /// The TLS clients, by first frame; of more than 64 some of each kind, the others are in `groups`.
    pub devices: Vec<Device>,
    /// Devices that are not shown, by their kind, the most numerous first.
    pub groups: Vec<Group>,
    /// Every certificate seen or used, by SHA-256.
    pub certificates: BTreeMap<String, Certificate>,
    /// The findings of the devices shown, device by device, the headline first, then those that concern no device.
    pub findings: Vec<Finding>,
    /// Counts of the run.
    pub statistics: Statistics,
}

/// The program that wrote the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Tool {
    /// `chaingap`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub(super) fn this() -> Self {
        Self { name: "chaingap".into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// The options that shape a verdict.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Options {
    /// `auto`, `none`, or a profile's name.
    pub profile: String,
    /// Files and folders of anchors, as given.
    pub roots: Vec<String>,
    /// Files and folders of intermediates that the device is known to hold.
    pub installed: Vec<String>,
    /// Files and folders of certificates that exist in the world.
    pub bundle: Vec<String>,
    /// Key logs.
    pub keylog: Vec<String>,
    /// The only device looked at, as given.
    pub device: Option<String>,
    /// `auto`, `pin` or `usb`.
    pub sign_in: String,
    /// The instant at which validity is judged, where the user set one.
    pub at: Option<String>,
}

/// What was not kept because of limits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Dropped {
    /// Devices that were not judged, beside those of `totals`.
    pub devices: u64,
    /// TCP connections dropped before they ended.
    pub flows: u64,
    /// Bytes of streams that were not kept.
    pub bytes: u64,
    /// Why, in words; null when nothing was dropped.
    pub why: Option<String>,
}

/// One capture file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Capture {
    /// The path as given.
    pub path: String,
    /// `pcap`, `pcapng`, `netmon`.
    pub format: Option<String>,
    /// `gzip`, `zstd`, one in the other (`gzip in zstd`), or null. Offsets then count decompressed bytes.
    pub compression: Option<String>,
    /// Names of the link types of its packets.
    pub link_types: Vec<String>,
    /// Packets read.
    pub packets: u64,
    /// Bytes of the file read.
    pub bytes: u64,
    /// Time of the earliest packet.
    pub first_time: Option<String>,
    /// Time of the latest packet.
    pub last_time: Option<String>,
    /// Packets that the capture holds with fewer bytes than were on the wire.
    pub cut_packets: u64,
    /// What could not be read: at which offset, why, and how much was lost.
    pub problems: Vec<String>,
    /// What was odd about the file, but lost nothing.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A frame of a capture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Place {
    /// The capture's path.
    pub capture: String,
    /// The frame's number.
    pub frame: u64,
}

/// A device: the client of at least one handshake, connection or fetch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Device {
    /// Stable name of the device within the report.
    pub id: String,
    /// Its addresses, with the time of the first and the last packet from each.
    pub addresses: Vec<DeviceAddress>,
    /// Its MAC address, where DHCP, ARP or ND binds it to the device.
    pub mac: Option<String>,
    /// Why these packets are taken for those of one device, in words.
    pub identity_basis: String,
    /// Whether several devices seem to share the address, so that fetches prove nothing.
    pub shared_address: bool,
    /// What kind of device it was recognized as.
    pub recognized_as: Option<String>,
    /// The frames by which it was recognized.
    pub recognized_by: Vec<Recognition>,
    /// The profile it was held to.
    pub profile: DeviceProfile,
    /// The verdict on it.
    pub verdict: Verdict,
    /// Its own clock, where known.
    pub clock: Option<Clock>,
    /// How it signed in.
    pub sign_in: SignIn,
    /// Its story, in the order of time.
    pub events: Vec<Event>,
    /// Its fetches of certificates.
    pub fetches: Vec<Fetch>,
    /// How many handshakes it made.
    pub handshakes_total: u64,
    /// How many of them are not listed below.
    pub handshakes_omitted: u64,
    /// Its handshakes.
    pub handshakes: Vec<Handshake>,
}

/// One address of a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeviceAddress {
    /// The address.
    pub address: String,
    /// Time of the first packet.
    pub first: String,
    /// Time of the last packet.
    pub last: String,
}

/// A frame by which a device was recognized.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Recognition {
    /// The capture's path.
    pub capture: String,
    /// The frame's number.
    pub frame: u64,
    /// What it shows.
    pub what: String,
}

/// The profile that a device was held to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeviceProfile {
    /// The profile's name; `none` has no anchors.
    pub name: String,
    /// How it came to be chosen.
    pub basis: ProfileBasis,
}

/// The verdict on a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Verdict {
    /// In one word.
    pub status: VerdictStatus,
    /// In one sentence.
    pub summary: String,
    /// `id` of the finding that is the headline.
    pub finding: Option<String>,
}

/// A device's own clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Clock {
    /// The device's clock minus the capture's, in seconds.
    pub offset_s: i64,
    /// What shows it, in words.
    pub basis: String,
    /// The frames that show it.
    pub frames: Vec<Place>,
}

/// How a device signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SignIn {
    /// The method.
    pub method: SignInMethod,
    /// How sure it is.
    pub strength: SignInStrength,
    /// The frames that show it.
    pub basis: Vec<Signal>,
}

/// A frame that indicates a sign-in method.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Signal {
    /// The capture's path.
    pub capture: String,
    /// The frame's number.
    pub frame: u64,
    /// What it shows.
    pub signal: String,
}

/// A fetch of certificates, successful or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Fetch {
    /// The capture's path.
    pub capture: String,
    /// Wireshark's `tcp.stream`.
    pub stream: Option<u64>,
    /// Frame of the request.
    pub frame: u64,
    /// Time of the request.
    pub time: String,
    /// The protocol.
    pub via: Via,
    /// The server's endpoint.
    pub server: String,
    /// HTTP method, or `search`.
    pub method: Option<String>,
    /// URL without user info and query; for LDAP the base DN.
    pub url: Option<String>,
    /// HTTP status or LDAP result code.
    pub status: Option<u32>,
    /// Declared content type.
    pub content_type: Option<String>,
    /// The certificates received.
    pub certificates: Vec<String>,
    /// What went wrong, in words.
    pub problem: Option<String>,
    /// Frame in which the answer was complete; null where it never was.
    pub last_frame: Option<u64>,
}

/// One TLS handshake.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Handshake {
    /// Stable name of the handshake within the report.
    pub id: String,
    /// The capture's path.
    pub capture: String,
    /// Wireshark's `tcp.stream`; null once numbering may differ.
    pub stream: Option<u64>,
    /// Frame of the ClientHello, or of the first message seen.
    pub frame: u64,
    /// Time of that frame.
    pub time: String,
    /// The same handshake at other taps, or at other interfaces of the capture.
    pub also_seen: Vec<Sighting>,
    /// The client's endpoint.
    pub client: String,
    /// The server's endpoint.
    pub server: String,
    /// The endpoint, host and port, to which a proxy opened the tunnel (CONNECT) that the handshake is in; null outside
    /// of one.
    pub tunnel_to: Option<String>,
    /// SNI.
    pub server_name: Option<String>,
    /// The highest version that the client offered.
    pub client_version: Option<String>,
    /// The version negotiated.
    pub version: Option<String>,
    /// The cipher suite negotiated, by its IANA name.
    pub cipher_suite: Option<String>,
    /// What the ClientHello offers; null where it was not seen.
    pub client_hello: Option<ClientHello>,
    /// The TLS stack whose hello it is (D-TRUST-17); null where several fit, or none.
    pub client_stack: Option<ClientStack>,
    /// What the ServerHello holds besides version and suite; null where it was not seen.
    pub server_hello: Option<ServerHello>,
    /// What the server chose for the key exchange; null without a readable ServerKeyExchange.
    pub key_exchange: Option<KeyExchange>,
    /// Whether an earlier session was resumed, so that no certificate was sent.
    pub resumed: bool,
    /// One letter for each message, in order; capitals are the client's.
    pub history: String,
    /// The server's certificates, in the order sent.
    pub certificates: Vec<String>,
    /// The client's certificates, in the order sent.
    pub client_certificates: Vec<String>,
    /// What the server's CertificateRequest held.
    pub certificate_request: Option<CertificateRequest>,
    /// The alerts in clear, or opened by a key log.
    pub alerts: Vec<Alert>,
    /// The line of text with which the server answered in place of TLS.
    pub clear_text: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Who ended it, and how.
    pub end: End,
    /// The success by which this failure was recovered.
    pub recovered_by: Option<Place>,
    /// The judgement on the server's chain.
    pub chain: Chain,
    /// The judgement on the client's chain.
    pub client_chain: Option<Chain>,
    /// How many more handshakes of this device were like this one in everything but time.
    pub repeats: u64,
}

/// What a ClientHello offers, by names of IANA's registries, else numbers. Without GREASE (RFC 8701).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ClientHello {
    /// Versions in supported_versions, in order; empty without it.
    pub versions: Vec<String>,
    /// Cipher suites, in order.
    pub cipher_suites: Vec<String>,
    /// Key exchange groups, in order.
    pub groups: Vec<String>,
    /// Groups for which it sends a key share, in order.
    pub key_shares: Vec<String>,
    /// Application protocols (ALPN), in order.
    pub alpn: Vec<String>,
    /// signature_algorithms, in order; null without it.
    pub signature_algorithms: Option<Vec<String>>,
    /// Its extensions, by number, as some clients shuffle them.
    pub extensions: Vec<String>,
    /// False if a part of it could not be read or a list is cut.
    pub complete: bool,
}

/// What a ServerHello holds besides version and suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ServerHello {
    /// Group of the server's key share, in TLS 1.3.
    pub key_share: Option<String>,
    /// The application protocol chosen (ALPN); in TLS 1.3 it is encrypted, so null without a key log.
    pub alpn: Option<String>,
    /// Its extensions, by number.
    pub extensions: Vec<String>,
}

/// What a ServerKeyExchange holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct KeyExchange {
    /// Bits of the Diffie-Hellman prime.
    pub prime_bits: Option<u32>,
    /// The curve; `explicit` if its parameters are written out.
    pub curve: Option<String>,
    /// The signature scheme, which only TLS 1.2 names.
    pub signature_scheme: Option<String>,
}

/// Another sighting of the same handshake.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Sighting {
    /// The capture's path.
    pub capture: String,
    /// Wireshark's `tcp.stream`.
    pub stream: Option<u64>,
    /// Frame of its first message.
    pub frame: u64,
    /// Time of that frame.
    pub time: String,
}

/// What a CertificateRequest held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CertificateRequest {
    /// Distinguished names in `certificate_authorities`.
    pub authorities: u64,
    /// Bytes of `certificate_authorities`, without its length field.
    pub bytes: u64,
}

/// One readable alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Alert {
    /// Who sent it.
    pub from: Party,
    /// `warning` or `fatal`.
    pub level: String,
    /// AlertDescription, RFC 8446 section 6.
    pub code: u8,
    /// Its name, such as `unknown_ca`.
    pub name: String,
    /// The frame.
    pub frame: u64,
}

words! {
    /// One of the two ends of a connection.
    pub enum Party {
        /// The client.
        Client = "client",
        /// The server.
        Server = "server",
    }
}

/// Who ended a handshake, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct End {
    /// The side that ended it.
    pub by: Option<Party>,
    /// How.
    pub how: EndHow,
    /// In which frame.
    pub frame: Option<u64>,
}

/// The judgement on a chain: whether its links hold. Dates and names are judged apart.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Chain {
    /// The judgement, in one word.
    pub status: ChainStatus,
    /// How sure it is; null where no chain was sent.
    pub proof: Option<Proof>,
    /// The instant at which validity was judged.
    pub judged_at: Option<String>,
    /// The path that the device could build, leaf first.
    pub path: Vec<Step>,
    /// The longest path that everything known allows, leaf first.
    pub completed_path: Vec<Step>,
    /// The missing links, leaf side first; all of them are needed.
    pub missing: Vec<Missing>,
}

/// One certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Step {
    /// Its SHA-256; null for an anchor of which only subject and key are known.
    pub sha256: Option<String>,
    /// Its subject.
    pub subject: String,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: String,
    /// Where it came from.
    pub from: StepFrom,
    /// Whether the device had it at the time of the handshake.
    pub held: bool,
    /// The file, profile or kind of fetch it came from.
    pub source: Option<String>,
    /// The capture in which it was seen.
    pub capture: Option<String>,
    /// The frame in which it was complete.
    pub frame: Option<u64>,
}

/// One certificate in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Certificate {
    /// Subject, RFC 4514.
    pub subject: String,
    /// Issuer, RFC 4514.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// Start of validity.
    pub not_before: Option<String>,
    /// End of validity.
    pub not_after: Option<String>,
    /// Kind and size of its key, such as `RSA 2048`.
    pub key: Option<String>,
    /// Algorithm of its signature.
    pub signature_algorithm: Option<String>,
    /// Subject alternative names.
    pub names: Vec<String>,
    /// Whether it may issue certificates.
    pub ca: bool,
    /// SubjectKeyIdentifier, lower-case hexadecimal.
    pub key_id: Option<String>,
    /// Key identifier of its AuthorityKeyIdentifier.
    pub issuer_key_id: Option<String>,
    /// Where its issuer can be fetched (AIA caIssuers).
    pub ca_issuers: Vec<String>,
    /// The certificate, DER in base64.
    pub der: String,
    /// What could not be parsed.
    pub problems: Vec<String>,
    /// Where it was seen.
    pub seen: Vec<Found>,
}

/// What a rule reported in one place, with its evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// Stable name of the finding over runs, paths and frames.
    pub id: String,
    /// `id` of the fault that it is a case of; null where it is only good to know.
    pub fault: Option<String>,
    /// The rule's code, such as `CG001`.
    pub code: String,
    /// The rule's name, such as `missing-intermediate`.
    pub name: String,
    /// How grave.
    pub severity: Severity,
    /// How sure it is that this is the cause.
    pub proof: Proof,
    /// `id` of the device; null where it concerns no device.
    pub device: Option<String>,
    /// Path of the capture.
    pub capture: Option<String>,
    /// Wireshark's `tcp.stream` of the first occurrence.
    pub stream: Option<u64>,
    /// The server's endpoint.
    pub server: Option<String>,
    /// SNI.
    pub server_name: Option<String>,
    /// How often it happened.
    pub occurrences: u64,
    /// Time of the first occurrence.
    pub first_time: Option<String>,
    /// Time of the last occurrence.
    pub last_time: Option<String>,
    /// What is wrong, in one sentence.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// The other causes that were considered.
    pub excluded: Vec<Excluded>,
    /// `id` of the finding that this one follows from.
    pub caused_by: Option<String>,
    /// The success by which it was recovered.
    pub recovered_by: Option<Place>,
    /// Certificates it is about.
    pub certificates: Vec<String>,
    /// The missing links.
    pub missing: Vec<Missing>,
    /// What TLS stacks were measured to do about it, the client's own first; empty where that decided nothing.
    pub stacks: Vec<StackAnswer>,
    /// What to do, each a command or a plain instruction.
    pub remedies: Vec<String>,
    /// Wireshark display filter that shows the frames.
    pub filter: Option<String>,
}

/// A piece of evidence: a frame and what it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Evidence {
    /// The capture's path.
    pub capture: String,
    /// The frame's number; null where it is about no frame.
    pub frame: Option<u64>,
    /// Byte offset in the file of the record that holds the frame.
    pub offset: Option<u64>,
    /// Bytes of that record; null where unknown.
    pub length: Option<u64>,
    /// What it shows.
    pub what: String,
}

/// Counts of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Statistics {
    /// Packets read.
    pub packets: u64,
    /// TCP connections seen.
    pub flows: u64,
    /// Handshakes seen.
    pub handshakes: u64,
    /// Path searches made.
    pub path_searches: u64,
    /// Signatures checked.
    pub signature_checks: u64,
}
