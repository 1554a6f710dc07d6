//! In: bodies of handshake messages. Out: what they say, owned. Bounded: by the message. Left to others: what follows.
//!
//! Bodies are RFC 8446 section 4 and RFC 5246 section 7.4; extensions RFC 6066 and RFC 8446 section 4.2. tls-parser
//! reads the hellos; certificate lists are read here, because they must survive holes.

use std::ops::Range;

use tls_parser::{TlsExtension, parse_tls_client_hello_extensions, parse_tls_handshake_client_hello};

use super::names::Version;
use crate::capture::FrameRef;

/// A ClientHello.
#[derive(Clone, Debug)]
pub struct ClientHello {
    /// Frame of its first byte.
    pub at: FrameRef,
    /// The highest version offered.
    pub version: Version,
    /// Whether it came in the format of SSL 2.0.
    pub sslv2: bool,
    /// The 32 random bytes; shorter challenges of SSL 2.0 stand at the end.
    pub random: [u8; 32],
    /// Session id.
    pub session_id: Vec<u8>,
    /// Cipher suites offered.
    pub cipher_suites: Vec<u16>,
    /// SNI host name.
    pub server_name: Option<String>,
    /// What tells one TLS stack from another and does not change with the version: extension types and groups.
    pub stack: Vec<u16>,
}

impl ClientHello {
    /// The first four bytes of the random value as seconds since 1970 (RFC 5246 section 7.4.1.2); newer stacks fill
    /// them with random bytes.
    pub fn gmt_unix_time(&self) -> u32 {
        let [a, b, c, d, ..] = self.random;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// A ServerHello.
#[derive(Clone, Debug)]
pub struct ServerHello {
    /// Frame of its first byte.
    pub at: FrameRef,
    /// The version chosen.
    pub version: Version,
    /// The 32 random bytes.
    pub random: [u8; 32],
    /// Session id.
    pub session_id: Vec<u8>,
    /// The cipher suite chosen; in SSL 2.0 the client chooses later.
    pub cipher_suite: Option<u16>,
    /// Whether it takes up a session by a key of an earlier one (TLS 1.3).
    pub resumes_psk: bool,
    /// Whether it asks for another ClientHello (RFC 8446 section 4.1.4).
    pub retry: bool,
}

/// A Certificate message.
#[derive(Clone, Debug)]
pub struct CertificateList {
    /// Each certificate's DER, in the order sent; those that stand whole.
    pub certificates: Vec<Vec<u8>>,
    /// Whether the first of them is the first of the list, the sender's own.
    pub own: bool,
    /// Whether all of the list was read.
    pub complete: bool,
    /// Bytes of the list that are not in the capture.
    pub missing: u64,
    /// Frame of its first byte.
    pub first: FrameRef,
    /// Frame of its last byte.
    pub last: FrameRef,
}

/// A CertificateRequest.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// Distinguished names, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Bytes of the list, without its length.
    pub bytes: u64,
    /// Frame of its first byte.
    pub at: FrameRef,
}

/// Reserved values that clients mix in so that servers stay tolerant (RFC 8701).
fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

pub(super) fn client_hello(body: &[u8], at: FrameRef) -> Option<ClientHello> {
    let (_, hello) = parse_tls_handshake_client_hello(body).ok()?;
    let mut out = ClientHello {
        at,
        version: Version(hello.version.0),
        sslv2: false,
        random: hello.random.try_into().ok()?,
        session_id: hello.session_id.unwrap_or_default().to_vec(),
        cipher_suites: hello.ciphers.iter().map(|id| id.0).collect(),
        server_name: None,
        stack: hello.comp.iter().map(|method| u16::from(method.0)).collect(),
    };
    let Some((_, extensions)) = hello.ext.and_then(|bytes| parse_tls_client_hello_extensions(bytes).ok()) else {
        return Some(out);
    };
    for extension in &extensions {
        match extension {
            TlsExtension::SNI(names) => {
                let host = names.iter().find(|(kind, _)| kind.0 == 0);
                out.server_name = host.map(|(_, name)| String::from_utf8_lossy(name).into_owned());
            }
            TlsExtension::SupportedVersions(versions) => {
                let best = versions.iter().map(|v| Version(v.0)).filter(|v| !is_grease(v.0)).max_by_key(|v| rank(*v));
                out.version = best.unwrap_or(out.version);
            }
            TlsExtension::EllipticCurves(groups) => {
                out.stack.extend(groups.iter().map(|group| group.0).filter(|group| !is_grease(*group)));
            }
            TlsExtension::ALPN(_) => out.stack.push(16),
            TlsExtension::ExtendedMasterSecret => out.stack.push(23),
            TlsExtension::EncryptThenMac => out.stack.push(22),
            _ => {}
        }
    }
    Some(out)
}

/// Drafts of TLS 1.3 stand above 1.2 and below 1.3.
fn rank(version: Version) -> (bool, u16) {
    (version.is_1_3(), if version == Version::TLS_1_3 { u16::MAX } else { version.0 })
}

/// RFC 5246 appendix E.2: version, three lengths, cipher specs of three bytes, session id, challenge.
pub(super) fn sslv2_hello(body: &[u8], at: FrameRef) -> Option<ClientHello> {
    let word = |at: usize| body.get(at..at + 2).and_then(|b| <[u8; 2]>::try_from(b).ok()).map(u16::from_be_bytes);
    let (specs, id, challenge) = (word(3)?, word(5)?, word(7)?);
    let (specs, id, challenge) = (usize::from(specs), usize::from(id), usize::from(challenge));
    let specs_bytes = body.get(9..9 + specs)?;
    let session_id = body.get(9 + specs..9 + specs + id)?.to_vec();
    let challenge = body.get(9 + specs + id..9 + specs + id + challenge)?;
    let mut random = [0; 32];
    for (to, from) in random.iter_mut().rev().zip(challenge.iter().rev()) {
        *to = *from;
    }
    // A spec whose first byte is zero is a cipher suite of SSL 3.0 and later.
    let cipher_suites = specs_bytes
        .chunks_exact(3)
        .filter_map(|spec| match spec {
            [0, high, low] => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        })
        .collect();
    let version = Version(word(1)?);
    Some(ClientHello { at, version, sslv2: true, random, session_id, cipher_suites, server_name: None, stack: vec![2] })
}

/// The ServerHello of SSL 2.0 (draft-hickman-netscape-ssl-00 section 2.6): session id hit, certificate type, version,
/// three lengths, certificate, cipher specs, connection id. Gives the certificate with it.
pub(super) fn sslv2_server_hello(body: &[u8], at: FrameRef) -> Option<(ServerHello, Vec<u8>)> {
    let mut bytes = Cursor(body);
    bytes.take(3)?;
    let version = Version(bytes.u16()?);
    let certificate = usize::from(bytes.u16()?);
    let (specs, connection) = (usize::from(bytes.u16()?), usize::from(bytes.u16()?));
    let certificate = bytes.take(certificate)?.to_vec();
    bytes.take(specs)?;
    let mut random = [0; 32];
    for (to, from) in random.iter_mut().rev().zip(bytes.take(connection)?.iter().rev()) {
        *to = *from;
    }
    let hello = ServerHello {
        at,
        version,
        random,
        session_id: Vec::new(),
        cipher_suite: None,
        resumes_psk: false,
        retry: false,
    };
    Some((hello, certificate))
}

/// SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3; read here because drafts of TLS 1.3 have another form.
pub(super) fn server_hello(body: &[u8], at: FrameRef) -> Option<ServerHello> {
    let mut bytes = Cursor(body);
    let legacy = Version(bytes.u16()?);
    let random: [u8; 32] = bytes.take(32)?.try_into().ok()?;
    // Drafts up to 21 leave out the session id and the compression method.
    let draft = matches!(legacy.0, 0x7f00..=0x7f15);
    let session_id = if draft { Vec::new() } else { bytes.vector8()?.to_vec() };
    let cipher_suite = Some(bytes.u16()?);
    if !draft {
        bytes.take(1)?;
    }
    let (mut version, mut resumes_psk) = (legacy, false);
    let mut extensions = Cursor(bytes.vector16().unwrap_or_default());
    while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
        match (kind, data) {
            (43, [high, low]) => version = Version(u16::from_be_bytes([*high, *low])),
            (41, _) => resumes_psk = true,
            _ => {}
        }
    }
    Some(ServerHello { at, version, random, session_id, cipher_suite, resumes_psk, retry: random == RETRY })
}

/// The certificates of a list that stand whole, whether the first of the list is among them, and whether all are: a hole
/// spoils the certificate it is in, and one over a length ends it.
pub(super) fn certificate_list(body: &[u8], holes: &[Range<usize>]) -> (Vec<Vec<u8>>, bool, bool) {
    let intact = |range: Range<usize>| holes.iter().all(|hole| hole.end <= range.start || hole.start >= range.end);
    let (mut certificates, mut own, mut complete) = (Vec::new(), false, holes.is_empty());
    let mut at = 3;
    if !intact(0..3) {
        return (certificates, own, false);
    }
    let end = length24(body, 0).map_or(body.len(), |length| length + 3);
    while at < end {
        let Some(length) = length24(body, at).filter(|_| intact(at..at + 3)) else {
            return (certificates, own, false);
        };
        let (first, range) = (at == 3, at + 3..at + 3 + length);
        at = range.end;
        match body.get(range.clone()) {
            Some(der) if intact(range) => {
                certificates.push(der.to_vec());
                own |= first;
            }
            _ => complete = false,
        }
    }
    (certificates, own, complete)
}

fn length24(body: &[u8], at: usize) -> Option<usize> {
    match body.get(at..at + 3)? {
        [high, middle, low] => Some(usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low)),
        _ => None,
    }
}

/// RFC 5246 section 7.4.4; before TLS 1.2 there is no list of signature algorithms.
pub(super) fn certificate_request(body: &[u8], version: Version, at: FrameRef) -> Option<CertificateRequest> {
    let mut bytes = Cursor(body);
    bytes.vector8()?;
    if version >= Version::TLS_1_2 {
        bytes.vector16()?;
    }
    let list = bytes.vector16()?;
    let mut names = Cursor(list);
    let mut authorities = Vec::new();
    while let Some(name) = names.vector16() {
        authorities.push(name.to_vec());
    }
    Some(CertificateRequest { authorities, bytes: u64::try_from(list.len()).unwrap_or_default(), at })
}

/// Reads the vectors of RFC 8446 section 3.4.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (now, later) = self.0.split_at_checked(count)?;
        self.0 = later;
        Some(now)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.take(1)?.first()?);
        self.take(length)
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Timestamp;

    fn at() -> FrameRef {
        FrameRef { capture: 0, number: 1, offset: 0, length: 0, time: Timestamp::default() }
    }

    #[test]
    fn a_hello_in_the_format_of_ssl_2_offers_its_version_and_suites() {
        // RFC 5246 appendix E.2, field by field: type, version, three lengths, two specs, no session id, challenge.
        let mut body = vec![1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2f, 1, 0, 0x80];
        body.extend(1..=16);
        let hello = sslv2_hello(&body, at()).unwrap();
        assert_eq!(hello.version, Version::TLS_1_0);
        assert_eq!(hello.cipher_suites, [0x002f], "the second spec is one of SSL 2.0 alone");
        assert_eq!(hello.random[16..], (1..=16).collect::<Vec<u8>>());
        assert_eq!(hello.random[..16], [0; 16], "shorter challenges stand at the end");
        assert!(sslv2_hello(&body[..20], at()).is_none());
    }

    #[test]
    fn certificates_around_a_hole_stand() {
        // Three certificates of 4 bytes, RFC 5246 section 7.4.2: a length for the list and one before each.
        let body = [0, 0, 21, 0, 0, 4, 1, 1, 1, 1, 0, 0, 4, 2, 2, 2, 2, 0, 0, 4, 3, 3, 3, 3];
        let with_hole = |hole: Range<usize>| certificate_list(&body, std::slice::from_ref(&hole));
        assert_eq!(certificate_list(&body, &[]), (vec![vec![1; 4], vec![2; 4], vec![3; 4]], true, true));
        assert_eq!(with_hole(14..15), (vec![vec![1; 4], vec![3; 4]], true, false));
        assert_eq!(with_hole(7..8), (vec![vec![2; 4], vec![3; 4]], false, false), "the sender's own is lost");
        assert_eq!(with_hole(10..11), (vec![vec![1; 4]], true, false), "a length is lost, and all after it");
    }
}
