//! Ethernet with VLAN tags, and logical link control.
//!
//! In: bytes from the destination address on. Out: what is inside. Bounded: borrows. Left to others: trailers, which
//! the inner lengths exclude.

use super::super::bytes::{array, at_most, be16, u8_at};
use super::super::context::Context;
use super::super::inner::Inner;

/// Values up to this one are lengths of IEEE 802.3 frames, higher ones EtherTypes (IEEE 802.3 section 3.2.6).
const LONGEST: u16 = 1500;

/// Header: destination, source, length or type.
#[inline]
pub(in super::super) fn frame<'a>(bytes: &'a [u8], context: &mut Context<'_>) -> Option<Inner<'a>> {
    let (header, rest) = bytes.split_first_chunk::<14>()?;
    context.source_mac = array(header, 6);
    payload(be16(header, 12)?, rest)
}

/// Header: frame control, destination, source; station frames carry LLC (ISO 9314-2).
pub(super) fn fddi<'a>(bytes: &'a [u8], context: &mut Context<'_>) -> Option<Inner<'a>> {
    context.source_mac = array(bytes, 7);
    let rest = bytes.get(13..)?;
    Some(if u8_at(bytes, 0)? & 0xf0 == 0x50 { Inner::Llc(rest) } else { Inner::Nothing })
}

/// A VLAN tag: two octets of tag control information, then length or type (IEEE 802.1Q section 9.6).
pub(super) fn tag(bytes: &[u8]) -> Option<Inner<'_>> {
    payload(be16(bytes, 2)?, bytes.get(4..)?)
}

fn payload(length_or_type: u16, rest: &[u8]) -> Option<Inner<'_>> {
    Some(match length_or_type {
        0..=LONGEST => Inner::Llc(at_most(rest, length_or_type.into())),
        number => Inner::of_ethertype(number, rest),
    })
}

/// Header: two service access points and a control field (IEEE 802.2). With SNAP's (IEEE 802 section 9.2), an
/// organization and its protocol follow.
pub(in super::super) fn llc(bytes: &[u8]) -> Option<Inner<'_>> {
    if bytes.get(..3) != Some(&[0xaa, 0xaa, 0x03]) {
        // Spanning tree, NetBIOS, IPX: no IP.
        return Some(Inner::Nothing);
    }
    let (number, rest) = (be16(bytes, 6)?, bytes.get(8..)?);
    Some(match (array::<3>(bytes, 3)?, number) {
        // RFC 1042, and 802.1H bridge tunnels.
        ([0, 0, 0] | [0, 0, 0xf8], number) => Inner::of_ethertype(number, rest),
        // Bridged Ethernet with or without its frame check sequence, after two octets of padding (RFC 2684 section
        // 5.2).
        ([0, 0x80, 0xc2], 1 | 7) => Inner::ethernet(rest.get(2..)?),
        _ => Inner::Nothing,
    })
}

/// Whether these bytes look like an Ethernet frame with a known EtherType, for links that do not say what they carry.
pub(super) fn is_likely(bytes: &[u8]) -> bool {
    match be16(bytes, 12) {
        Some(0x0800 | 0x86dd | 0x0806 | 0x8100 | 0x88a8 | 0x8847 | 0x8863 | 0x8864 | 0x88cc | 0x888e) => true,
        // Spanning tree and SNAP.
        Some(3..=LONGEST) => {
            matches!((u8_at(bytes, 14), u8_at(bytes, 15)), (Some(0x42), Some(0x42)) | (Some(0xaa), Some(0xaa)))
        }
        _ => false,
    }
}
