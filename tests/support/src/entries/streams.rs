//! Both directions of a connection, and single datagrams.
//!
//! In: bytes that are taken for a script of pieces: side, kind and length, then the piece itself. Out: a panic where a
//! parser tells of the bytes in any other pieces something else. All pieces claim the same frame, so that all that a
//! parser tells must be equal. Left to others: the order of bytes.

use chaingap::capture::{FrameRef, Timestamp};
use chaingap::flow::{Piece, Side};
use chaingap::protocol::http::Http;
use chaingap::protocol::ldap::Ldap;
use chaingap::protocol::tls::{KeyLog, Tls};
use chaingap::protocol::{StreamEnd, body, dhcp, dns, lldp, ntp, other_tls, pkcs7};
use chaingap::x509::Certificate;

use super::Input;

/// What one side says: bytes, or that some are not in the capture.
enum Part {
    Bytes(Side, Vec<u8>),
    Gap(Side, u64),
}

/// Pieces of one side that follow each other are one part.
fn script(data: &[u8]) -> Vec<Part> {
    let mut input = Input(data);
    let mut parts: Vec<Part> = Vec::new();
    while !input.is_empty() {
        let control = input.byte();
        let side = if control & 1 == 0 { Side::Client } else { Side::Server };
        if control & 0x0e == 0x0e {
            parts.push(Part::Gap(side, u64::from(input.short())));
            continue;
        }
        let length = usize::from(input.short());
        let bytes = input.take(length);
        match parts.last_mut() {
            Some(Part::Bytes(last, known)) if *last == side => known.extend_from_slice(bytes),
            _ => parts.push(Part::Bytes(side, bytes.to_vec())),
        }
    }
    parts
}

/// The script of a conversation, for seeds.
pub fn write_script(parts: &[(Side, Result<Vec<u8>, u64>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (side, part) in parts {
        let control = u8::from(*side == Side::Server);
        let mut put = |control: u8, length: usize, bytes: &[u8]| {
            out.push(control);
            out.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(bytes);
        };
        match part {
            Ok(bytes) => bytes.chunks(65_535).for_each(|bytes| put(control, bytes.len(), bytes)),
            Err(missing) => put(control | 0x0e, usize::try_from(*missing).unwrap_or(usize::MAX), &[]),
        }
    }
    out
}

/// The frame that all pieces claim.
pub fn place() -> FrameRef {
    let time = Timestamp::from_nanos(1_700_000_000_000_000_000, 9);
    FrameRef { capture: 0, number: 1, offset: 24, length: 60, time }
}

/// Lengths of the pieces in which the bytes are given: all at once, byte by byte, and an odd length.
const LENGTHS: [usize; 3] = [usize::MAX, 1, 7];

/// HTTP, in both directions.
pub(super) fn http(data: &[u8]) {
    let (mid_stream, parts) = (data.len() % 2 == 1, script(data));
    let read = |length| {
        let (mut http, mut out) = (if mid_stream { Http::mid_stream() } else { Http::new() }, Vec::new());
        for part in &parts {
            match part {
                Part::Bytes(side, bytes) => bytes.chunks(length).for_each(|b| http.push(*side, b, place(), &mut out)),
                Part::Gap(side, missing) => http.gap(*side, *missing, place(), &mut out),
            }
        }
        for side in [Side::Client, Side::Server] {
            http.end(side, StreamEnd::Fin, place(), &mut out);
        }
        http.finish(place(), &mut out);
        (out, http.tunnelled(), http.tunnel_to().map(str::to_owned))
    };
    let [whole, bytewise, odd] = LENGTHS.map(read);
    assert_eq!(whole, bytewise, "byte by byte");
    assert_eq!(whole, odd, "in pieces of seven");
}

/// LDAP, in both directions.
pub(super) fn ldap(data: &[u8]) {
    let parts = script(data);
    let read = |length| {
        let (mut ldap, mut out) = (Ldap::new(), Vec::new());
        for part in &parts {
            match part {
                Part::Bytes(side, bytes) => bytes.chunks(length).for_each(|b| ldap.push(*side, b, place(), &mut out)),
                Part::Gap(side, missing) => ldap.gap(*side, *missing, place(), &mut out),
            }
        }
        for side in [Side::Client, Side::Server] {
            ldap.end(side, StreamEnd::Fin, place(), &mut out);
        }
        ldap.finish(place(), &mut out);
        (out, ldap.sealed(), ldap.starts_tls())
    };
    let [whole, bytewise, odd] = LENGTHS.map(read);
    assert_eq!(whole, bytewise, "byte by byte");
    assert_eq!(whole, odd, "in pieces of seven");
}

/// Bytes of a message that the program keeps for this entry: long enough for real ones, short enough to be reached.
const MESSAGE_BYTES: usize = 20_000;

/// TLS. The first byte gives the length of the key log before the script, in units of 32 bytes.
pub(super) fn tls(data: &[u8]) {
    let mut input = Input(data);
    let length = 32 * usize::from(input.byte());
    let mut keys = KeyLog::default();
    keys.add(input.take(length));
    let parts = script(input.0);
    let read = |length| {
        let mut tls = Tls::new(MESSAGE_BYTES);
        for part in &parts {
            match part {
                Part::Bytes(side, bytes) => {
                    bytes.chunks(length).for_each(|bytes| tls.push(*side, Piece::Bytes(bytes), place(), &keys));
                }
                Part::Gap(side, missing) => {
                    tls.push(*side, Piece::Gap { missing: *missing, cut: None }, place(), &keys)
                }
            }
        }
        let settled = tls.is_settled();
        format!("{settled} {:?}", tls.finish(&keys))
    };
    let [whole, bytewise, odd] = LENGTHS.map(read);
    // Once the framing is lost, it is found again where a piece starts with a header, so that the pieces matter.
    if [&whole, &bytewise, &odd].iter().any(|told| told.contains("(Uncertain, ")) {
        return;
    }
    assert!(whole == bytewise, "byte by byte:\n{whole}\n{bytewise}");
    assert!(whole == odd, "in pieces of seven:\n{whole}\n{odd}");
}

/// The body of an HTTP message; the first byte chooses its type.
pub(super) fn body(data: &[u8]) {
    const TYPES: [Option<&str>; 6] = [
        None,
        Some("application/pkix-cert"),
        Some("application/x-pkcs7-certificates"),
        Some("text/xml; charset=utf-8"),
        Some("multipart/related; boundary=b; type=\"text/xml\""),
        Some("multipart/mixed; boundary=\"\""),
    ];
    let mut input = Input(data);
    let content_type = TYPES[usize::from(input.byte()) % TYPES.len()];
    let found = body::certificates_in(input.0, content_type);
    for (at, one) in found.iter().enumerate() {
        assert!(!found[..at].iter().any(|earlier| earlier.der == one.der), "each once");
        let _ = Certificate::from_der(&one.der);
    }
    for der in pkcs7::certificates(input.0).unwrap_or_default() {
        assert!(!der.is_empty());
    }
}

/// The content of one datagram or frame; the first byte chooses how it is read.
pub(super) fn datagrams(data: &[u8]) {
    let mut input = Input(data);
    match input.byte() % 6 {
        0 => drop(dhcp::parse(input.0).map(|read| format!("{read:?} {}", read.message_name()))),
        1 => drop(dns::parse(input.0).map(|read| format!("{read:?}"))),
        2 => drop(ntp::parse(input.0).map(|read| format!("{read:?} {}", read.tells_time()))),
        3 => drop(lldp::parse(input.0).map(|read| format!("{read:?}"))),
        4 => drop(other_tls::eapol(input.0).map(|read| format!("{read:?}"))),
        _ => {
            let (source, destination) = (input.short(), input.short());
            drop(other_tls::datagram(source, destination, input.0).map(|read| format!("{read:?}")));
        }
    }
}
