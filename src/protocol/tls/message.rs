//! In: bodies of handshake messages. Out: their fields, owned. Bounded: by the message. Left to others: what they mean
//! for the handshake.
//!
//! Bodies are RFC 8446 section 4 and RFC 5246 section 7.4; extensions RFC 6066 and RFC 8446 section 4.2. tls-parser
//! reads the hellos; certificate lists are read here, because they must survive holes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;
use tls_parser::{TlsExtension, parse_tls_client_hello_extensions, parse_tls_handshake_client_hello};

use super::names::Version;
use super::registry::is_grease;
use crate::capture::FrameRef;
use crate::flow::Both;

/// A ClientHello.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientHello {
    /// Frame of its first byte.
    pub at: FrameRef,
    /// The highest version offered.
    pub version: Version,
    /// Whether it came in the format of SSL 2.0.
    pub sslv2: bool,
    /// The 32 random bytes; a shorter SSL 2.0 challenge is right-aligned.
    pub random: [u8; 32],
    /// Session id.
    pub session_id: Vec<u8>,
    /// Cipher suites offered.
    pub cipher_suites: Vec<u16>,
    /// SNI host name.
    pub server_name: Option<String>,
    /// Whether it offers early data (RFC 8446 section 4.2.10).
    pub offers_early_data: bool,
    /// Every version offered, where supported_versions lists them (RFC 8446 section 4.2.1).
    pub versions: Vec<Version>,
    /// Key exchange groups offered, in order, without GREASE (RFC 8446 section 4.2.7).
    pub groups: Vec<u16>,
    /// Groups for which it sends a key share, in order, without GREASE (RFC 8446 section 4.2.8).
    pub key_shares: Vec<u16>,
    /// Application protocols offered, in order, without GREASE (RFC 7301 section 3.1); at most 512.
    pub alpn: Vec<String>,
    /// signature_algorithms in order; `None` without the extension. It speaks for signatures on certificates too (RFC
    /// 5246 section 7.4.1.4.1).
    pub signature_algorithms: Option<Vec<u16>>,
    /// signature_algorithms_cert in order, which speaks for certificates alone (RFC 8446 section 4.2.3).
    pub certificate_signatures: Option<Vec<u16>>,
    /// The types of its extensions in the order sent, without GREASE (RFC 8446 section 4.2). Browsers shuffle them.
    pub extensions: Vec<u16>,
    /// The formats of points of curves that it takes (RFC 8422 section 5.1.2).
    pub point_formats: Vec<u8>,
    /// The compression methods that it takes (RFC 5246 section 7.4.1.2).
    pub compressions: Vec<u8>,
    /// Whether it signals secure renegotiation, by extension or by suite (RFC 5746 section 3.4).
    pub renegotiation_info: bool,
    /// A fingerprint of the TLS stack that does not depend on the version offered: compression methods, groups, and a
    /// bit each for ALPN (1), encrypt_then_mac (2) and extended_master_secret (4).
    pub stack: Vec<u16>,
    /// A hash of everything but version and suites: name, stack, signature algorithms. `None` if its extensions cannot
    /// be read.
    pub besides: Option<u64>,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// Group of the server's key share (RFC 8446 section 4.2.8).
    pub key_share: Option<u16>,
    /// The application protocol chosen (RFC 7301 section 3.1); in TLS 1.3 it is encrypted, so known from a key log only.
    pub alpn: Option<String>,
    /// Whether each side is to send a public key in place of certificates (RFC 7250).
    pub raw_public_keys: Both<bool>,
    /// Whether it resumes an earlier session by a pre-shared key (TLS 1.3).
    pub resumes_psk: bool,
    /// Whether the MAC covers the ciphertext (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Whether the master secret is bound to the handshake's messages (RFC 7627).
    pub extended_master_secret: bool,
    /// The types of its extensions in the order sent (RFC 8446 section 4.2).
    pub extensions: Vec<u16>,
    /// The compression method chosen.
    pub compression: u8,
    /// Whether it answers that secure renegotiation is supported (RFC 5746 section 3.4).
    pub renegotiation_info: bool,
    /// Whether it asks for another ClientHello (RFC 8446 section 4.1.4).
    pub retry: bool,
}

/// A Certificate message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateList {
    /// The DER of each complete certificate, in the order sent.
    pub certificates: Vec<Vec<u8>>,
    /// Whether the first of them is the first of the list, which is the sender's own.
    pub own: bool,
    /// Whether all of the list was read.
    pub complete: bool,
    /// Entries of the list that hold nothing.
    pub empty_entries: usize,
    /// Bytes of the message, without its header.
    pub bytes: u64,
    /// Whether the message holds a public key in place of a list (RFC 7250; D-PROTOCOL-16).
    pub raw_public_key: bool,
    /// Bytes of the list that are not in the capture.
    pub missing: u64,
    /// Frame of its first byte.
    pub first: FrameRef,
    /// Frame of its last byte.
    pub last: FrameRef,
}

impl CertificateList {
    /// A list of which nothing was read, in this frame.
    pub(super) fn none(at: FrameRef) -> Self {
        Self {
            certificates: Vec::new(),
            own: false,
            complete: false,
            empty_entries: 0,
            bytes: 0,
            raw_public_key: false,
            missing: 0,
            first: at,
            last: at,
        }
    }
}

/// A CertificateRequest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateRequest {
    /// Distinguished names, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Bytes of the list, without its length.
    pub bytes: u64,
    /// Frame of its first byte.
    pub at: FrameRef,
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
        offers_early_data: false,
        versions: Vec::new(),
        groups: Vec::new(),
        key_shares: Vec::new(),
        alpn: Vec::new(),
        signature_algorithms: None,
        certificate_signatures: None,
        extensions: extension_types(hello.ext.unwrap_or_default()),
        point_formats: Vec::new(),
        compressions: hello.comp.iter().map(|method| method.0).collect(),
        renegotiation_info: hello.ciphers.iter().any(|id| id.0 == EMPTY_RENEGOTIATION_INFO),
        stack: hello.comp.iter().map(|method| u16::from(method.0)).collect(),
        besides: None,
    };
    let mut besides = DefaultHasher::new();
    // Browsers shuffle their extensions, so their order is no part of the fingerprint.
    let mut marks = 0;
    let Ok((rest, extensions)) = parse_tls_client_hello_extensions(hello.ext.unwrap_or_default()) else {
        return Some(out);
    };
    for extension in &extensions {
        match extension {
            TlsExtension::SNI(names) => {
                let host = names.iter().find(|(kind, _)| kind.0 == 0);
                out.server_name = host.map(|(_, name)| String::from_utf8_lossy(name).into_owned());
            }
            TlsExtension::SupportedVersions(versions) => {
                out.versions = versions.iter().map(|v| Version(v.0)).filter(|v| !is_grease(v.0)).collect();
                out.version = out.versions.iter().copied().max_by_key(|v| rank(*v)).unwrap_or(out.version);
            }
            TlsExtension::EllipticCurves(groups) => {
                out.groups = groups.iter().map(|group| group.0).filter(|group| !is_grease(*group)).collect();
                out.stack.extend(&out.groups);
            }
            TlsExtension::EcPointFormats(formats) => out.point_formats = formats.to_vec(),
            TlsExtension::SignatureAlgorithms(algorithms) => {
                algorithms.hash(&mut besides);
                out.signature_algorithms = Some(algorithms.clone());
            }
            TlsExtension::Unknown(kind, data) if kind.0 == SIGNATURE_ALGORITHMS_CERT => {
                out.certificate_signatures = Cursor(data).list16();
            }
            TlsExtension::RenegotiationInfo(_) => out.renegotiation_info = true,
            TlsExtension::EarlyData(_) => out.offers_early_data = true,
            TlsExtension::KeyShare(data) | TlsExtension::KeyShareOld(data) => out.key_shares = key_shares(data),
            TlsExtension::ALPN(names) => {
                marks |= 1;
                out.alpn = names.iter().filter_map(|name| protocol(name)).take(MAX_PROTOCOLS).collect();
            }
            TlsExtension::EncryptThenMac => marks |= 2,
            TlsExtension::ExtendedMasterSecret => marks |= 4,
            _ => {}
        }
    }
    out.stack.push(marks);
    (&out.server_name, &out.stack).hash(&mut besides);
    out.besides = rest.is_empty().then(|| besides.finish());
    Some(out)
}

/// The groups of a client's key shares: a list of groups, each with a key (RFC 8446 section 4.2.8).
fn key_shares(data: &[u8]) -> Vec<u16> {
    let mut shares = Cursor(Cursor(data).vector16().unwrap_or_default());
    let mut out = Vec::new();
    while let (Some(group), Some(_)) = (shares.u16(), shares.vector16()) {
        out.push(group);
    }
    out.retain(|group| !is_grease(*group));
    out
}

/// The name of an application protocol, unless it is GREASE (RFC 8701 section 2).
fn protocol(name: &[u8]) -> Option<String> {
    let grease = <[u8; 2]>::try_from(name).is_ok_and(|pair| is_grease(u16::from_be_bytes(pair)));
    (!grease).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Most application protocols kept of a hello. No client in use offers as many, and each costs more here than on the wire.
const MAX_PROTOCOLS: usize = 512;

/// The cipher suite value by which a client signals secure renegotiation without an extension (RFC 5746 section 3.3).
const EMPTY_RENEGOTIATION_INFO: u16 = 0x00ff;
/// The extension signature_algorithms_cert (RFC 8446 section 4.2).
const SIGNATURE_ALGORITHMS_CERT: u16 = 50;

/// Orders versions, with drafts of TLS 1.3 between 1.2 and 1.3.
fn rank(version: Version) -> (bool, u16) {
    (version.is_1_3(), if version == Version::TLS_1_3 { u16::MAX } else { version.0 })
}

/// Reads an SSLv2-format hello (RFC 5246 appendix E.2): version, three lengths, cipher specs of three bytes, session
/// id, challenge.
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
    let cipher_suites: Vec<u16> = specs_bytes
        .chunks_exact(3)
        .filter_map(|spec| match spec {
            [0, high, low] => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        })
        .collect();
    let version = Version(word(1)?);
    Some(ClientHello {
        at,
        version,
        sslv2: true,
        random,
        session_id,
        renegotiation_info: cipher_suites.contains(&EMPTY_RENEGOTIATION_INFO),
        cipher_suites,
        server_name: None,
        offers_early_data: false,
        versions: Vec::new(),
        groups: Vec::new(),
        key_shares: Vec::new(),
        alpn: Vec::new(),
        signature_algorithms: None,
        certificate_signatures: None,
        extensions: Vec::new(),
        point_formats: Vec::new(),
        compressions: Vec::new(),
        stack: vec![2],
        besides: Some(0),
    })
}

/// Reads the ServerHello of SSL 2.0 (draft-hickman-netscape-ssl-00 section 2.6) and the certificate in it: session id
/// hit, certificate type, version, three lengths, certificate, cipher specs, connection id.
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
        key_share: None,
        alpn: None,
        raw_public_keys: Both::default(),
        resumes_psk: false,
        encrypt_then_mac: false,
        extended_master_secret: false,
        extensions: Vec::new(),
        compression: 0,
        renegotiation_info: false,
        retry: false,
    };
    Some((hello, certificate))
}

/// SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Reads a ServerHello (RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3); not by tls-parser because drafts of TLS 1.3
/// have another format.
pub(super) fn server_hello(body: &[u8], at: FrameRef) -> Option<ServerHello> {
    let mut bytes = Cursor(body);
    let legacy = Version(bytes.u16()?);
    let random: [u8; 32] = bytes.take(32)?.try_into().ok()?;
    // Drafts up to 21 omit the session id and the compression method.
    let draft = matches!(legacy.0, 0x7f00..=0x7f15);
    let session_id = if draft { Vec::new() } else { bytes.vector8()?.to_vec() };
    let cipher_suite = Some(bytes.u16()?);
    let compression = if draft { 0 } else { *bytes.take(1)?.first()? };
    let mut hello = ServerHello {
        at,
        version: legacy,
        random,
        session_id,
        cipher_suite,
        key_share: None,
        alpn: None,
        raw_public_keys: Both::default(),
        resumes_psk: false,
        encrypt_then_mac: false,
        extended_master_secret: false,
        extensions: Vec::new(),
        compression,
        renegotiation_info: false,
        retry: random == RETRY,
    };
    hello.raw_public_keys = raw_public_keys(bytes.0);
    hello.alpn = chosen_protocol(bytes.0);
    let list = bytes.vector16().unwrap_or_default();
    hello.extensions = extension_types(list);
    let mut extensions = Cursor(list);
    while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
        match (kind, data) {
            (43, [high, low]) => hello.version = Version(u16::from_be_bytes([*high, *low])),
            // A HelloRetryRequest has the group alone.
            (51, data) => hello.key_share = Cursor(data).u16(),
            (41, _) => hello.resumes_psk = true,
            (22, _) => hello.encrypt_then_mac = true,
            (23, _) => hello.extended_master_secret = true,
            (0xff01, _) => hello.renegotiation_info = true,
            _ => {}
        }
    }
    Some(hello)
}

/// The types in a list of extensions in their order, without GREASE.
fn extension_types(list: &[u8]) -> Vec<u16> {
    let mut extensions = Cursor(list);
    let mut out = Vec::new();
    while let (Some(kind), Some(_)) = (extensions.u16(), extensions.vector16()) {
        out.push(kind);
    }
    out.retain(|kind| !is_grease(*kind));
    out
}

/// Which sides are to send a public key in place of certificates. `list` is the server's list of extensions with its
/// length; of these client_certificate_type and server_certificate_type count, where 2 is RawPublicKey (RFC 7250
/// section 3).
pub(super) fn raw_public_keys(list: &[u8]) -> Both<bool> {
    let mut extensions = Cursor(Cursor(list).vector16().unwrap_or_default());
    let mut out = Both::default();
    while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
        match kind {
            19 => out.client = *data == [2],
            20 => out.server = *data == [2],
            _ => {}
        }
    }
    out
}

/// The application protocol in a server's list of extensions with its length (RFC 7301 section 3.1).
pub(super) fn chosen_protocol(list: &[u8]) -> Option<String> {
    let mut extensions = Cursor(Cursor(list).vector16()?);
    while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
        if kind == 16 {
            return protocol(Cursor(Cursor(data).vector16()?).vector8()?);
        }
    }
    None
}

/// The content of a Certificate message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    /// The complete certificates.
    pub(super) certificates: Vec<Vec<u8>>,
    /// CertificateStatus of the certificates at these positions, in TLS 1.3.
    pub(super) statuses: Vec<(usize, Vec<u8>)>,
    /// Whether the first of them is the first of the list, which is the sender's own.
    pub(super) own: bool,
    /// Whether all of the list was read.
    pub(super) complete: bool,
    /// Entries that hold nothing, which is no certificate (RFC 5246 section 7.4.2).
    pub(super) empty: usize,
}

/// Most certificates read of a list; a chain has a handful (D-PROTOCOL-02).
pub const MAX_CERTIFICATES: usize = 256;
/// Most names kept of a CertificateRequest: more than 64 KiB hold of real ones.
const MAX_AUTHORITIES: usize = 4096;

/// Reads the complete certificates of a list: a hole loses the certificate it is in, and a hole over a length ends the
/// list. In TLS 1.3 a context precedes the list, and extensions follow each certificate (RFC 8446 section 4.4.2).
pub(super) fn certificate_list(body: &[u8], holes: &[Range<usize>], is_1_3: bool) -> Entries {
    // Holes are in order and do not overlap.
    let intact = |range: Range<usize>| {
        let next = holes.partition_point(|hole| hole.end <= range.start);
        holes.get(next).is_none_or(|hole| hole.start >= range.end)
    };
    let mut out = Entries { complete: holes.is_empty(), ..Entries::default() };
    let start = match body.first() {
        Some(context) if is_1_3 && intact(0..1) => 1 + usize::from(*context),
        _ => 0,
    };
    if (is_1_3 && start == 0) || !intact(start..start + 3) {
        out.complete = false;
        return out;
    }
    let end = length24(body, start).map_or(body.len(), |length| start + 3 + length);
    let mut at = start + 3;
    while at < end {
        let has_room = out.certificates.len() < MAX_CERTIFICATES;
        let Some(length) = length24(body, at).filter(|_| has_room && intact(at..at + 3)) else {
            out.complete = false;
            return out;
        };
        let (first, range) = (at == start + 3, at + 3..at + 3 + length);
        at = range.end;
        match body.get(range.clone()) {
            Some([]) => out.empty += 1,
            Some(der) if intact(range) => {
                out.certificates.push(der.to_vec());
                out.own |= first;
            }
            _ => out.complete = false,
        }
        if is_1_3 {
            let Some(length) = Cursor(body.get(at..).unwrap_or_default()).u16().filter(|_| intact(at..at + 2)) else {
                out.complete = false;
                return out;
            };
            let range = at + 2..at + 2 + usize::from(length);
            at = range.end;
            let extensions = body.get(range.clone()).filter(|_| intact(range)).unwrap_or_default();
            let position = out.certificates.len().saturating_sub(1);
            out.statuses.extend(status_request(extensions).map(|status| (position, status.to_vec())));
        }
    }
    out
}

/// The CertificateStatus in the extensions of a certificate.
fn status_request(extensions: &[u8]) -> Option<&[u8]> {
    let mut extensions = Cursor(extensions);
    while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
        if kind == 5 {
            return Some(data);
        }
    }
    None
}

/// The window in bytes that every Zstandard decoder should support (RFC 8878 section 3.1.1.1.2).
const ZSTD_WINDOW: u64 = 8 << 20;

/// Decompresses a CompressedCertificate (RFC 8879 section 4): algorithm, uncompressed length, compressed bytes. Returns
/// at most `limit` bytes of the body of the Certificate message; `None` if it is malformed.
pub(super) fn decompressed(body: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Cursor(body);
    let algorithm = bytes.u16()?;
    let length = length24(bytes.take(3)?, 0).filter(|length| *length <= limit)?;
    let compressed = bytes.take(3).and_then(|header| length24(header, 0)).and_then(|length| bytes.take(length))?;
    let room = u64::try_from(length).ok()? + 1;
    let mut out = Vec::new();
    match algorithm {
        1 => ZlibDecoder::new(compressed).take(room).read_to_end(&mut out).ok()?,
        2 => brotli_decompressor::Decompressor::new(compressed, 4096).take(room).read_to_end(&mut out).ok()?,
        3 => {
            // A frame is decoded up to a window at once, so the window must not exceed the message.
            let mut frame = ruzstd::decoding::FrameDecoder::new();
            frame.set_max_window_size(room.next_power_of_two().max(ZSTD_WINDOW));
            let decoder = ruzstd::decoding::StreamingDecoder::new_with_decoder(compressed, frame).ok()?;
            decoder.take(room).read_to_end(&mut out).ok()?
        }
        _ => return None,
    };
    (out.len() == length).then_some(out)
}

fn length24(body: &[u8], at: usize) -> Option<usize> {
    match body.get(at..at + 3)? {
        [high, middle, low] => Some(usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low)),
        _ => None,
    }
}

/// Reads a CertificateRequest. RFC 5246 section 7.4.4; before TLS 1.2 there is no list of signature algorithms. RFC
/// 8446 section 4.3.2: a context and extensions, one of which may contain the names.
pub(super) fn certificate_request(body: &[u8], version: Version, at: FrameRef) -> Option<CertificateRequest> {
    let mut bytes = Cursor(body);
    bytes.vector8()?;
    if version.is_1_3() {
        let mut extensions = Cursor(bytes.vector16()?);
        let mut list: &[u8] = &[];
        while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
            if kind == 47 {
                list = Cursor(data).vector16()?;
            }
        }
        return Some(request(list, at));
    }
    if version >= Version::TLS_1_2 {
        bytes.vector16()?;
    }
    Some(request(bytes.vector16()?, at))
}

fn request(list: &[u8], at: FrameRef) -> CertificateRequest {
    let mut names = Cursor(list);
    let mut authorities = Vec::new();
    while let Some(name) = names.vector16().filter(|_| authorities.len() < MAX_AUTHORITIES) {
        authorities.push(name.to_vec());
    }
    CertificateRequest { authorities, bytes: u64::try_from(list.len()).unwrap_or_default(), at }
}

/// Reads the vectors of RFC 8446 section 3.4.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (now, later) = self.0.split_at_checked(count)?;
        self.0 = later;
        Some(now)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    pub(super) fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.take(1)?.first()?);
        self.take(length)
    }

    pub(super) fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }

    /// A vector of numbers of two bytes.
    fn list16(&mut self) -> Option<Vec<u16>> {
        let list = self.vector16()?;
        Some(list.chunks_exact(2).filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?))).collect())
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
    fn extensions_are_listed_in_their_order_without_grease() {
        // RFC 8446 section 4.2: type, length, data. 0x1a1a is GREASE (RFC 8701 section 2).
        let list = [0x1a, 0x1a, 0, 1, 0, 0xff, 0x01, 0, 1, 0, 0, 23, 0, 0, 0, 10, 0, 2, 0, 0];
        assert_eq!(extension_types(&list), [0xff01, 23, 10]);
    }

    #[test]
    fn certificates_around_a_hole_stand() {
        // Three certificates of 4 bytes, RFC 5246 section 7.4.2: a length for the list and one before each.
        let body = [0, 0, 21, 0, 0, 4, 1, 1, 1, 1, 0, 0, 4, 2, 2, 2, 2, 0, 0, 4, 3, 3, 3, 3];
        let read = |holes: &[Range<usize>]| {
            let entries = certificate_list(&body, holes, false);
            (entries.certificates, entries.own, entries.complete)
        };
        let with_hole = |hole: Range<usize>| read(std::slice::from_ref(&hole));
        assert_eq!(read(&[]), (vec![vec![1; 4], vec![2; 4], vec![3; 4]], true, true));
        assert_eq!(with_hole(14..15), (vec![vec![1; 4], vec![3; 4]], true, false));
        assert_eq!(with_hole(7..8), (vec![vec![2; 4], vec![3; 4]], false, false), "the sender's own is lost");
        assert_eq!(with_hole(10..11), (vec![vec![1; 4]], true, false), "a length is lost, and all after it");
    }

    #[test]
    fn certificates_compressed_by_each_algorithm() {
        let leaf = include_bytes!("../../../tests/data/protocol/ocsp-leaf.der");
        let compressed: [(u8, &[u8]); 3] = [
            (1, include_bytes!("../../../tests/data/protocol/certificate.zlib")),
            (2, include_bytes!("../../../tests/data/protocol/certificate.br")),
            (3, include_bytes!("../../../tests/data/protocol/certificate.zst")),
        ];
        // RFC 8446 section 4.4.2: context, length of the list, length of the certificate, the certificate, length of
        // its extensions.
        let length = 1 + 3 + 3 + leaf.len() + 2;
        let with = |algorithm: u8, claimed: usize, bytes: &[u8]| {
            let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
            [vec![0, algorithm], length(claimed), length(bytes.len()), bytes.to_vec()].concat()
        };
        for (algorithm, bytes) in compressed {
            let body = decompressed(&with(algorithm, length, bytes), 1 << 16).unwrap();
            let entries = certificate_list(&body, &[], true);
            assert_eq!((entries.certificates, entries.complete), (vec![leaf.to_vec()], true), "{algorithm}");
            for wrong in [length - 1, length + 1] {
                assert!(decompressed(&with(algorithm, wrong, bytes), 1 << 16).is_none(), "{algorithm}: {wrong}");
            }
            assert!(decompressed(&with(algorithm, length, bytes), 100).is_none(), "{algorithm}: beyond the limit");
            for cut in 0..bytes.len() {
                assert!(decompressed(&with(algorithm, length, &bytes[..cut]), 1 << 16).is_none(), "{algorithm}: {cut}");
            }
        }
        assert!(decompressed(&with(4, length, compressed[0].1), 1 << 16).is_none(), "no such algorithm");
    }
}
