//! Radio information before an IEEE 802.11 frame.
//!
//! In: a frame. Out: the 802.11 frame in it. Bounded: borrows. Left to others: signal strength and other fields.

use super::super::Unread;
use super::super::bytes::{array, be32, le16, le32};
use super::super::context::Context;
use super::super::inner::Inner;
use super::wlan;
use crate::capture::LinkType;

/// Radiotap flags (radiotap.org: Flags).
const CHECK_SEQUENCE: u8 = 0x10;
const PADDED: u8 = 0x20;
const BAD_CHECK_SEQUENCE: u8 = 0x40;

/// Header: version, padding, length, presence bits; then the fields present.
pub(super) fn radiotap<'a>(bytes: &'a [u8], context: &mut Context<'_>) -> Option<Inner<'a>> {
    let length = usize::from(le16(bytes, 2)?);
    let (header, rest) = bytes.split_at_checked(length)?;
    let flags = radiotap_flags(header).unwrap_or(0);
    if flags & BAD_CHECK_SEQUENCE != 0 {
        return Some(Inner::Unread(Unread::ReceiveError));
    }
    let check = if flags & CHECK_SEQUENCE != 0 && context.cut.is_none() { 4 } else { 0 };
    let frame = rest.get(..rest.len().saturating_sub(check))?;
    wlan::frame(frame, flags & PADDED != 0, context)
}

/// The flags field follows the timer; fields are aligned to their size from the start of the header.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    const MORE: usize = 1 << 31;
    let mut at = 4;
    let present = le32(header, at)?;
    while le32(header, at)? & MORE != 0 {
        at += 4;
    }
    at += 4;
    if present & 1 != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    (present & 2 != 0).then(|| header.get(at).copied())?
}

/// Header: message code and length in host byte order (tcpdump.org: LINKTYPE_IEEE802_11_PRISM). Some drivers write an
/// AVS header instead.
pub(super) fn prism(bytes: &[u8]) -> Option<Inner<'_>> {
    const AVS: u32 = 0x8021_1000;
    if be32(bytes, 0)? & 0xffff_f000 == AVS {
        return avs(bytes);
    }
    let length = array(bytes, 4)?;
    let length = usize::try_from(u32::from_le_bytes(length).min(u32::from_be_bytes(length))).ok()?;
    Some(Inner::Link(LinkType::IEEE802_11, bytes.get(length..)?))
}

/// Header: version and length in network byte order.
pub(super) fn avs(bytes: &[u8]) -> Option<Inner<'_>> {
    let length = usize::try_from(be32(bytes, 4)?).ok()?;
    Some(Inner::Link(LinkType::IEEE802_11, bytes.get(length..)?))
}

/// Header: version, flags, length, link type of what follows the fields (PPI header format 1.0.7).
pub(super) fn ppi(bytes: &[u8]) -> Option<Inner<'_>> {
    let (length, link) = (usize::from(le16(bytes, 2)?), u16::try_from(le32(bytes, 4)?).ok()?);
    Some(Inner::Link(LinkType(link), bytes.get(length..)?))
}
