//! GRE, and its variants in port mirrors (ERSPAN) and PPTP.
//!
//! In: payload of IP protocol 47. Out: what it carries. Bounded: each source route entry takes bytes. Left to others:
//! checksums, sequence numbers.

use super::super::bytes::{at_most, be16, u8_at};
use super::super::inner::Inner;

/// First octet (RFC 1701, RFC 2890): which optional fields are present.
const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
/// Second octet (RFC 2637 section 4.1): whether an acknowledgment is present; the lowest bits are the version.
const ACKNOWLEDGMENT: u8 = 0x80;
const VERSION: u8 = 0x07;

const ERSPAN: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

pub(super) fn open(bytes: &[u8]) -> Option<Inner<'_>> {
    let (flags, more, protocol) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?, be16(bytes, 2)?);
    match more & VERSION {
        0 => {}
        1 => return pptp(flags, more, bytes),
        _ => return Some(Inner::Nothing),
    }
    let mut length = 4;
    for field in [CHECKSUM | ROUTING, KEY, SEQUENCE] {
        if flags & field != 0 {
            length += 4;
        }
    }
    let mut rest = bytes.get(length..)?;
    if flags & ROUTING != 0 {
        rest = past_routes(rest)?;
    }
    Some(match protocol {
        // Keepalives.
        0 => Inner::Nothing,
        // ERSPAN type I has no header of its own and no sequence number.
        ERSPAN if flags & SEQUENCE == 0 => Inner::ethernet(rest),
        ERSPAN => Inner::ethernet(rest.get(8..)?),
        ERSPAN_3 => return erspan_3(rest),
        number => Inner::of_ethertype(number, rest),
    })
}

/// Skips source route entries: family, offset, length, then as many octets; an entry with family and length zero ends
/// them (RFC 1701).
fn past_routes(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (family, length) = (be16(bytes, 0)?, u8_at(bytes, 3)?);
        bytes = bytes.get(4 + usize::from(length)..)?;
        if family == 0 && length == 0 {
            return Some(bytes);
        }
    }
}

/// ERSPAN type III: twelve octets, and eight more if the last bit is set (draft-foschiano-erspan-03 section 4.3). Five
/// bits give the type of the mirrored frame.
fn erspan_3(bytes: &[u8]) -> Option<Inner<'_>> {
    let word = be16(bytes, 10)?;
    let rest = bytes.get(if word & 1 == 0 { 12 } else { 20 }..)?;
    Some(match word >> 10 & 0x1f {
        0 => Inner::ethernet(rest),
        2 => Inner::Ip(rest),
        _ => Inner::Nothing,
    })
}

/// PPTP's enhanced header: payload length and call ID in place of the key; sequence and acknowledgment numbers if
/// flagged.
fn pptp(flags: u8, more: u8, bytes: &[u8]) -> Option<Inner<'_>> {
    // Without a sequence number it is only an acknowledgment.
    if flags & SEQUENCE == 0 {
        return Some(Inner::Nothing);
    }
    let rest = bytes.get(if more & ACKNOWLEDGMENT == 0 { 12 } else { 16 }..)?;
    Some(Inner::EtherType(0x880b, at_most(rest, be16(bytes, 4)?.into())))
}
