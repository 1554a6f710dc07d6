//! PPP, plain, in HDLC-like framing and over Ethernet; and Cisco HDLC.
//!
//! In: a frame. Out: what is inside. Bounded: borrows. Left to others: PPP's negotiation; compression and encryption
//! are reported as unread.

use super::super::Unread;
use super::super::bytes::{at_most, be16, u8_at};
use super::super::inner::Inner;
use super::mpls;

/// The address and control octets of HDLC-like framing are optional (RFC 1662 section 3.1, RFC 1661 section 6.6).
pub(super) fn framed(bytes: &[u8]) -> Inner<'_> {
    Inner::Ppp(bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes))
}

/// PPP, or Cisco's framing of unicast (0x0f) and multicast (0x8f).
pub(super) fn hdlc(bytes: &[u8]) -> Option<Inner<'_>> {
    match u8_at(bytes, 0)? {
        0x0f | 0x8f => cisco(bytes),
        _ => Some(framed(bytes)),
    }
}

/// Header: address, control, EtherType (RFC 1547 section 4.3.1).
pub(super) fn cisco(bytes: &[u8]) -> Option<Inner<'_>> {
    Some(Inner::of_ethertype(be16(bytes, 2)?, bytes.get(4..)?))
}

/// Header: version and type, code, session, length (RFC 2516 section 4).
pub(super) fn pppoe(bytes: &[u8]) -> Option<Inner<'_>> {
    let (version, code, length) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?, be16(bytes, 4)?);
    Some(match (version, code) {
        (0x11, 0) => Inner::Ppp(at_most(bytes.get(6..)?, length.into())),
        // Discovery.
        _ => Inner::Nothing,
    })
}

/// The protocol field: two octets, or a single odd one if the leading zero octet was compressed away (RFC 1661 section
/// 2).
pub(in super::super) fn protocol(bytes: &[u8]) -> Option<Inner<'_>> {
    let first = u8_at(bytes, 0)?;
    let (number, rest) =
        if first & 1 == 1 { (first.into(), bytes.get(1..)?) } else { (be16(bytes, 0)?, bytes.get(2..)?) };
    match number {
        0x0021 | 0x0057 => Some(Inner::Ip(rest)),
        0x0281 | 0x0283 => mpls::labels(rest),
        // Compression, encryption, multilink, header compression.
        0..0x8000 => Some(Inner::Unread(Unread::PppProtocol(number))),
        // Link negotiation and authentication.
        _ => Some(Inner::Nothing),
    }
}
