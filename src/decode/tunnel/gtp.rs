//! In: payload of GTP-U's port. Out: the user's packet. Bounded: each extension header takes bytes. Left to others:
//! signalling.

use super::super::bytes::u8_at;
use super::super::inner::Inner;

/// First octet (3GPP TS 29.281 section 5.1): version 1, protocol type GTP (not GTP'), and flags for the optional
/// fields.
const VERSION_AND_TYPE: u8 = 0xf0;
const USER_PLANE: u8 = 0x30;
const EXTENSION: u8 = 0x04;
const OPTIONAL_FIELDS: u8 = 0x07;
/// Message type G-PDU, which carries a user's packet.
const PACKET: u8 = 0xff;

/// Header: flags, message type, length, tunnel; then sequence number, N-PDU number and next extension type if any of
/// them is flagged.
pub(super) fn open(bytes: &[u8]) -> Option<Inner<'_>> {
    let (flags, message) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?);
    if flags & VERSION_AND_TYPE != USER_PLANE || message != PACKET {
        return Some(Inner::Nothing);
    }
    let mut rest = bytes.get(8..)?;
    if flags & OPTIONAL_FIELDS != 0 {
        let mut next = u8_at(rest, 3)?;
        rest = rest.get(4..)?;
        // An extension header: its length in units of four octets, content, type of the next (section 5.2).
        while flags & EXTENSION != 0 && next != 0 {
            let length = usize::from(u8_at(rest, 0)?) * 4;
            next = u8_at(rest, length.checked_sub(1)?)?;
            rest = rest.get(length..)?;
        }
    }
    Some(match u8_at(rest, 0)? >> 4 {
        4 | 6 => Inner::Ip(rest),
        // Ethernet and unstructured sessions.
        _ => Inner::Nothing,
    })
}
