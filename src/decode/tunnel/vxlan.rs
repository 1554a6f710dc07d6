//! In: payload of VXLAN's ports. Out: what it carries. Left to others: which network it belongs to.

use super::super::bytes::u8_at;
use super::super::inner::Inner;
use super::link;

const HAS_NETWORK: u8 = 0x08;
const HAS_PROTOCOL: u8 = 0x04;

/// Flags, network identifier, then Ethernet (RFC 7348 section 5).
pub(super) fn open(bytes: &[u8]) -> Option<Inner<'_>> {
    let (flags, rest) = (u8_at(bytes, 0)?, bytes.get(8..)?);
    Some(if flags & HAS_NETWORK == 0 { Inner::Nothing } else { Inner::ethernet(rest) })
}

/// The same header with a next-protocol field (draft-ietf-nvo3-vxlan-gpe section 3.1).
pub(super) fn open_gpe(bytes: &[u8]) -> Option<Inner<'_>> {
    let (flags, next, rest) = (u8_at(bytes, 0)?, u8_at(bytes, 3)?, bytes.get(8..)?);
    match next {
        _ if flags & HAS_PROTOCOL == 0 => open(bytes),
        1 | 2 => Some(Inner::Ip(rest)),
        3 => Some(Inner::ethernet(rest)),
        5 => link::open_mpls(rest),
        _ => Some(Inner::Nothing),
    }
}
